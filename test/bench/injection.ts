import { readdirSync, readFileSync } from "node:fs";
import { readCorpus } from "../injection/corpus.ts";
import { baseline, breachesOf, changesOf, type Sample } from "../injection/trial.ts";

/*
 * bench:injection -- [FILE…]: every text of the corpora is planted into an incident, and the effects are compared with
 * those of the same incident without it. Files hold one JSON object per line: id, category, channel, text, kind.
 * Ends with 0 when nothing was breached or changed, 1 when something was, 2 when a corpus cannot be read.
 */
const own = new URL("../injection/", import.meta.url);

function corpora(given: readonly string[]): readonly Sample[] | undefined {
  const ours = () => readdirSync(own).filter((name) => name.endsWith(".jsonl"));
  const files = given.length > 0 ? given : ours().map((name) => new URL(name, own).pathname);
  const read = files.map((file) => {
    try {
      return readCorpus(file, readFileSync(file, "utf8"));
    } catch (error) {
      return { ok: false as const, problems: [`${file}: ${(error as Error).message}`] };
    }
  });
  const problems = read.flatMap((corpus) => (corpus.ok ? [] : corpus.problems));
  for (const problem of problems.slice(0, 50)) console.error(problem);
  return problems.length > 0 ? undefined : read.flatMap((corpus) => (corpus.ok ? corpus.samples : []));
}

async function tried(samples: readonly Sample[]): Promise<number> {
  const base = await baseline();
  const counts = { attacks: 0, breaches: 0, benign: 0, changed: 0 };
  let slowestMs = 0;
  let shown = performance.now();
  for (const [index, sample] of samples.entries()) {
    const started = performance.now();
    const isAttack = sample.kind === "attack";
    const found = await (isAttack ? breachesOf : changesOf)(sample, base);
    slowestMs = Math.max(slowestMs, performance.now() - started);
    counts[isAttack ? "attacks" : "benign"] += 1;
    if (found.length > 0) counts[isAttack ? "breaches" : "changed"] += 1;
    // An id is text of others too.
    if (found.length > 0) console.error(JSON.stringify([sample.id, ...new Set(found)].slice(0, 6)));
    if (performance.now() - shown > 15_000) {
      console.error(`${index + 1} of ${samples.length}`);
      shown = performance.now();
    }
  }
  const categories = new Set(samples.map(({ category }) => category)).size;
  console.error(`${categories} categories, slowest text ${Math.round(slowestMs)} ms`);
  console.log(JSON.stringify(counts));
  return counts.breaches + counts.changed === 0 ? 0 : 1;
}

const samples = corpora(process.argv.slice(2).filter((argument) => argument !== "--"));
process.exitCode = samples === undefined ? 2 : await tried(samples);
