import { readdirSync, readFileSync } from "node:fs";
import { z } from "zod";
import { baseline, breachesOf, changesOf } from "../injection/trial.ts";

/*
 * bench:injection -- [FILE…]: every text of the corpora is planted into an incident, and the effects are compared with
 * those of the same incident without it. Files hold one JSON object per line: id, category, channel, text, kind.
 */
const Line = z.object({
  id: z.coerce.string(),
  category: z.coerce.string().default(""),
  channel: z.coerce.string().default(""),
  text: z.string(),
  kind: z.enum(["attack", "benign"]),
});

const own = new URL("../injection/", import.meta.url);
const given = process.argv.slice(2).filter((argument) => argument !== "--");
const files =
  given.length > 0
    ? given
    : readdirSync(own)
        .filter((name) => name.endsWith(".jsonl"))
        .map((name) => new URL(name, own).pathname);

const samples = files.flatMap((file) =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => Line.parse(JSON.parse(line))),
);
const base = await baseline();
const counts = { attacks: 0, breaches: 0, benign: 0, changed: 0 };
const byCategory = new Map<string, number>();
let slowestMs = 0;
for (const sample of samples) {
  const started = performance.now();
  const found = sample.kind === "attack" ? await breachesOf(sample, base) : await changesOf(sample, base);
  slowestMs = Math.max(slowestMs, performance.now() - started);
  if (sample.kind === "attack") {
    counts.attacks += 1;
    byCategory.set(sample.category, (byCategory.get(sample.category) ?? 0) + 1);
  } else counts.benign += 1;
  if (found.length === 0) continue;
  if (sample.kind === "attack") counts.breaches += 1;
  else counts.changed += 1;
  console.error(`${sample.id}: ${[...new Set(found)].slice(0, 5).join("; ")}`);
}
console.error(`${byCategory.size} categories, slowest text ${Math.round(slowestMs)} ms`);
console.log(JSON.stringify(counts));
