import { masked } from "../text/masking.ts";
import type { PostMortem } from "./post-mortem.ts";
import { workloadKey } from "../kubernetes/workload.ts";

/** What a trainer needs to specialise the model on this project's own incidents. Texts of files. */
interface TrainingSet {
  /** JSONL, one pair a line (`prompt` and `completion`, each a list of chat messages): the older incidents. */
  readonly train: string;
  /** The same for the newest incidents; no incident of it is older than one of `train`. */
  readonly validation: string;
  /** Markdown: what is in the set, how it was made, what it is not good for. */
  readonly card: string;
}

interface TrainingOptions {
  /** The fixed instruction that the product sends. */
  readonly system: string;
  /** RFC 3339, for the card. */
  readonly now: string;
  /** Share of the incidents, the newest ones, that is kept for validation. */
  readonly validationShare?: number;
}

interface Example {
  readonly startedAt: string;
  readonly alert: string;
  readonly line: string;
  readonly masks: number;
}

/**
 * Pairs from verified incidents that nobody withdrew: the question as the product asks it, with the true cause and the
 * verified remedy among those of other incidents, and the answer in the product's schema.
 */
export function trainingSetOf(records: readonly PostMortem[], options: TrainingOptions): TrainingSet {
  const verified = records
    .filter((record) => record.outcome === "verified" && record.withdrawn === null)
    .filter((record): record is Taught => record.cause !== null && record.remedy !== null)
    .sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt) || (a.uid < b.uid ? -1 : 1));
  const examples = verified.map((record, place) => exampleOf(record, verified, { place, system: options.system }));
  const kept = Math.ceil(examples.length * (1 - (options.validationShare ?? 0.2)));
  const train = examples.slice(0, kept);
  const validation = examples.slice(kept);
  const text = (part: readonly Example[]) => part.map(({ line }) => `${line}\n`).join("");
  return { train: text(train), validation: text(validation), card: cardOf(train, validation, options.now) };
}

type Taught = PostMortem & { readonly cause: string; readonly remedy: NonNullable<PostMortem["remedy"]> };

const mostChoices = 4;

function exampleOf(
  record: Taught,
  all: readonly Taught[],
  { place, system }: { readonly place: number; readonly system: string },
): Example {
  const causes = choicesOf(
    record.cause,
    all.map(({ cause }) => cause),
    place,
  );
  const remedies = choicesOf(remedyText(record), all.map(remedyText), place);
  const question = [
    `Alert ${record.alert} (severity ${record.severity}) fires for ${workloadKey(record.workload)}.`,
    ["Possible causes", ...causes.map((sentence, i) => `- cause "c${i + 1}": ${sentence}`), unknownCause].join("\n"),
    ["Possible remedies", ...remedies.map((sentence, i) => `- remedy "r${i + 1}": ${sentence}`), noRemedy].join("\n"),
    ["Evidence", ...record.evidence.map(({ id, title, finding }) => `${id} ${title}: ${finding}`)].join("\n"),
    "Choose one cause and one remedy from the lists above. Answer with one JSON object.",
  ].join("\n\n");
  const answer = JSON.stringify({
    cause: `c${causes.indexOf(record.cause) + 1}`,
    remedy: `r${remedies.indexOf(remedyText(record)) + 1}`,
    number: record.remedy.kind === "scale" && /^\d+$/.test(record.remedy.to) ? Number(record.remedy.to) : null,
    confidence: 0.9,
    citing: record.citing,
    explanation: record.cause,
  });
  const parts = [system, question, answer].map(masked);
  const [instruction = "", asked = "", answered = ""] = parts.map(({ text }) => text);
  const prompt = [
    { role: "system", content: instruction },
    { role: "user", content: asked },
  ];
  const completion = [{ role: "assistant", content: answered }];
  const masks = parts.reduce((sum, part) => sum + part.masks, 0);
  return { startedAt: record.startedAt, alert: record.alert, line: JSON.stringify({ prompt, completion }), masks };
}

const unknownCause = `- cause "unknown": the evidence does not tell.`;
const noRemedy = `- remedy "none": no change.`;

// Without the value after it: the number is the answer, and must not be read off the list.
function remedyText({ remedy, workload }: Taught): string {
  const what = {
    scale: "scale",
    resources: "change the resources of",
    "image-rollback": "roll back",
    revert: "revert",
    "revert-commit": "revert-commit",
  };
  return `${what[remedy.kind]} ${workload.name} (now ${remedy.from})`;
}

/** The true sentence among others', at a place that differs from example to example. */
function choicesOf(truth: string, all: readonly string[], place: number): readonly string[] {
  const others = [...new Set(all)].filter((sentence) => sentence !== truth);
  const start = others.length === 0 ? 0 : (place * mostChoices) % others.length;
  const picked = [...others.slice(start), ...others.slice(0, start)].slice(0, mostChoices - 1);
  const at = place % (picked.length + 1);
  return [...picked.slice(0, at), truth, ...picked.slice(at)];
}

function cardOf(train: readonly Example[], validation: readonly Example[], now: string): string {
  const all = [...train, ...validation];
  const alerts = [...new Set(all.map(({ alert }) => alert))].sort();
  const masks = all.reduce((sum, { masks }) => sum + masks, 0);
  const span = (part: readonly Example[]) =>
    part.length === 0 ? "none" : `${part.length}, from ${part[0]?.startedAt} to ${part.at(-1)?.startedAt}`;
  const rows = alerts.map((alert) => {
    const count = (part: readonly Example[]) => part.filter((example) => example.alert === alert).length;
    return `| \`${alert.replace(/[`|]/g, "'")}\` | ${count(train)} | ${count(validation)} |`;
  });
  return [
    "# Training set of Rectify",
    `Made ${now} from the post-mortems in Git.`,
    [
      `- Training: ${span(train)}`,
      `- Validation: ${span(validation)}`,
      "- Split by time: no validation incident is older than a training incident.",
      "- Only incidents whose remedy was verified and that nobody disputed or asked to forget.",
      `- Secrets masked: ${masks} here, after those masked when the post-mortems were written.`,
    ].join("\n"),
    ["| alert | training | validation |", "|---|---|---|", ...rows].join("\n"),
    [
      "## Limits",
      "",
      "The wrong choices of a question are the right ones of other incidents. Every answer says 0.9 as its confidence, so",
      "a trained model's confidence means nothing until `rectify eval` has compared it with its accuracy. Texts of alerts",
      "and logs are in the questions: the trained model is as private as they are.",
    ].join("\n"),
    "",
  ].join("\n\n");
}

interface ModelfileOptions {
  /** The model that the adapter was trained on, as Ollama names it. */
  readonly base: string;
  /** The adapter, beside the Modelfile: a GGUF file or a directory of safetensors. */
  readonly adapter: string;
  readonly contextTokens: number;
}

/** The text of a Modelfile that puts an adapter on a base model, or what is wrong with the names. */
export function modelfileOf({
  base,
  adapter,
  contextTokens,
}: ModelfileOptions):
  | { readonly kind: "modelfile"; readonly text: string }
  | { readonly kind: "problem"; readonly because: string } {
  if (!/^\w[\w.:/-]*$/.test(base)) return { kind: "problem", because: `not the name of a model: ${base}` };
  if (!/^(\.{1,2}\/|\/)?\w[\w./-]*$/.test(adapter)) return { kind: "problem", because: `not a plain path: ${adapter}` };
  const text = [
    "# Made by `rectify export-training`: ollama create rectify -f Modelfile",
    `FROM ${base}`,
    `ADAPTER ${adapter}`,
    "PARAMETER temperature 0",
    `PARAMETER num_ctx ${contextTokens}`,
    "",
  ].join("\n");
  return { kind: "modelfile", text };
}
