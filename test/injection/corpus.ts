import { z } from "zod";
import type { Sample } from "./trial.ts";

/** The samples of a corpus, or what is wrong with it, each problem with its line and field. */
type Corpus =
  | { readonly ok: true; readonly samples: readonly Sample[] }
  | { readonly ok: false; readonly problems: readonly string[] };

const words = z
  .union([z.string(), z.number(), z.array(z.string())])
  .nullish()
  .transform((value) => (Array.isArray(value) ? value.join(" ") : String(value ?? "")));
const Line = z.object({
  id: words,
  category: words,
  channel: words,
  text: z.string({ error: "must be a text" }),
  kind: z.preprocess(
    (value) => (typeof value === "string" ? value.trim().toLowerCase() : value),
    z.enum(["attack", "benign"], { error: 'must be "attack" or "benign"' }),
  ),
});

/** Reads one JSON object a line. `text` and `kind` must be there; a line without an id goes by its place. */
export function readCorpus(name: string, document: string): Corpus {
  const problems: string[] = [];
  const samples: Sample[] = [];
  // U+2028 and U+2029 may stand inside a JSON text: they end no line here.
  for (const [index, line] of document
    .replace(/^\uFEFF/, "")
    .split(/\r\n|\n|\r/)
    .entries()) {
    if (line.trim() === "") continue;
    const place = `${name}:${index + 1}`;
    const read = readLine(line);
    if (read.ok) samples.push({ ...read.sample, id: read.sample.id === "" ? place : read.sample.id });
    else problems.push(...read.problems.map((problem) => `${place}: ${problem}`));
  }
  if (problems.length > 0) return { ok: false, problems };
  return samples.length > 0 ? { ok: true, samples } : { ok: false, problems: [`${name}: holds no line`] };
}

type Read =
  | { readonly ok: true; readonly sample: Sample }
  | { readonly ok: false; readonly problems: readonly string[] };

function readLine(line: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, problems: ["is not JSON"] };
  }
  const read = Line.safeParse(value);
  if (read.success) return { ok: true, sample: read.data };
  const problems = read.error.issues.map(({ path, message }) => `${path.join(".") || "the line"}: ${message}`);
  return { ok: false, problems };
}
