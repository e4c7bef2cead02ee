import { onlyObjectText } from "./json-object.ts";
import { z } from "zod";
import type { Evidence } from "../evidence/evidence.ts";
import type { Incident } from "../incident/incident.ts";
import { parseStrictJson } from "../text/strict-json.ts";
import { estimateTokens } from "./prompt-budget.ts";
import { fitEvidence, oneLine } from "./prompt-evidence.ts";
import { workloadKey } from "../kubernetes/workload.ts";

/** The fixed texts that go to the model, one per stage. They are reviewed files, never put together from data. */
export interface Prompts {
  readonly diagnose: string;
  readonly repair: string;
}

/** Something to choose from. Code has enumerated it before the model is asked; the model answers with the id. */
interface Choice {
  readonly id: string;
  readonly sentence: string;
}

/** A remedy to choose from; `min` and `max` bound its number. Without both it takes no number. */
interface RemedyChoice extends Choice {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** What the question is made of. `delimiter` is drawn anew for each call, so that data cannot close its own fence. */
export interface QuestionInput {
  readonly incident: Incident;
  readonly evidence: readonly Evidence[];
  readonly causes: readonly Choice[];
  readonly remedies: readonly RemedyChoice[];
  readonly delimiter: string;
  /** What we know from earlier incidents, most useful first. Text of others: data. */
  readonly precedents?: readonly string[];
  /** Tokens that the prompt may take, by our own upper estimate. */
  readonly budgetTokens?: number;
}

/** The one question, and what is needed to check its answer. */
export interface Question {
  readonly prompt: string;
  /** JSON schema of the answer. */
  readonly schema: object;
  readonly estimatedTokens: number;
  readonly causes: readonly Choice[];
  readonly remedies: readonly RemedyChoice[];
  /** Ids of the evidence that the prompt shows; only these may be cited. */
  readonly shown: readonly string[];
  /** What did not fit, for people: nothing is cut silently. */
  readonly left: readonly string[];
}

/** What the model chose, checked against the question; or why its answer cannot be used. */
export type Answer =
  | {
      readonly kind: "answered";
      /** An id of the question, or "unknown". */
      readonly causeId: string;
      /** An id of the question, or "none". */
      readonly remedyId: string;
      /** Within the bounds of the chosen remedy; absent when it has none. */
      readonly number?: number;
      /** 0 to 1, the model's own word: never enough for anything alone. */
      readonly confidence: number;
      readonly citing: readonly string[];
      /** Free text of the model, masked and cut. Render it inert. */
      readonly explanation: string;
    }
  | { readonly kind: "unusable"; readonly because: string };

/** Beside the prompt, a context of 8192 tokens holds the rules, the schema and the answer. */
export const defaultBudgetTokens = 6000;
/** The answer's own budget in tokens, and its limit in characters. */
export const answerTokens = 700;
const longestAnswer = 8000;
const longestExplanation = 600;
const mostCited = 8;

/** Puts the one question. The same input gives the same text. */
export function questionOf(input: QuestionInput): Question {
  const { incident, causes, remedies, delimiter } = input;
  const head = headOf(input);
  const tail = "Choose one cause and one remedy from the lists above. Answer with one JSON object.";
  const budget = (input.budgetTokens ?? defaultBudgetTokens) - estimateTokens(`${head}\n${tail}`) - 40;
  const body = fitEvidence({
    evidence: input.evidence,
    precedents: input.precedents ?? [],
    words: [...Object.entries(incident.alert.annotations)].map(([key, value]) => `${key}: ${value}`),
    delimiter,
    budget,
  });
  const prompt = [head, body.text, tail].join("\n\n");
  return {
    prompt,
    schema: schemaOf(input, body.shown),
    estimatedTokens: estimateTokens(prompt),
    causes,
    remedies,
    shown: body.shown,
    left: body.left,
  };
}

function headOf({ incident, causes, remedies }: QuestionInput): string {
  return [
    `Incident-UID: ${incident.uid}`,
    `Trace: ${incident.traceId}`,
    `Alert ${oneLine(incident.alert.name, 100)} (severity ${oneLine(incident.severity, 40)}) fires for ${workloadKey(incident.workload)} since ${incident.startedAt}.`,
    "",
    "Possible causes",
    ...causes.map(({ id, sentence }) => `- cause ${JSON.stringify(id)}: ${oneLine(sentence, 300)}`),
    `- cause "unknown": the evidence does not tell.`,
    "",
    "Possible remedies",
    ...remedies.map(
      (remedy) => `- remedy ${JSON.stringify(remedy.id)}${rangeOf(remedy)}: ${oneLine(remedy.sentence, 300)}`,
    ),
    `- remedy "none": no change.`,
  ].join("\n");
}

function rangeOf({ min, max }: RemedyChoice): string {
  return min === undefined || max === undefined ? "" : ` (number from ${min} to ${max})`;
}

function schemaOf({ causes, remedies }: QuestionInput, shown: readonly string[]): object {
  const ids = (choices: readonly Choice[], none: string) => [...new Set([...choices.map(({ id }) => id), none])];
  return {
    type: "object",
    additionalProperties: false,
    required: ["cause", "remedy", "number", "confidence", "citing", "explanation"],
    properties: {
      cause: { type: "string", enum: ids(causes, "unknown") },
      remedy: { type: "string", enum: ids(remedies, "none") },
      // A number where none is asked for would spoil the answer.
      number: { type: remedies.some((remedy) => rangeOf(remedy) !== "") ? ["integer", "null"] : "null" },
      confidence: { type: "number", minimum: 0, maximum: 1 },
      citing: {
        type: "array",
        maxItems: mostCited,
        items: shown.length === 0 ? { type: "string" } : { type: "string", enum: shown },
      },
      // No maxLength: servers unroll it into hundreds of grammar rules. The answer's own token budget bounds it.
      explanation: { type: "string" },
    },
  };
}

// Closed: an unknown field is a sign that the model followed something else than our question.
const Given = z.strictObject({
  cause: z.string(),
  remedy: z.string(),
  number: z.number().int().nullish(),
  confidence: z.number().min(0).max(1),
  citing: z.array(z.string()).max(50),
  explanation: z.string().max(4000),
});

/** Reads the model's answer. Whatever is not exactly an answer to this question is unusable, with the reason. */
export function readAnswer(text: string, doneReason: string, question: Question): Answer {
  if (doneReason === "length") return unusable("the answer was cut: the model ran out of tokens");
  if (doneReason !== "stop")
    return unusable(`the model stopped for another reason than being done: ${oneLine(doneReason, 40)}`);
  if (text.trim() === "") return unusable("the answer is empty");
  if (text.length > longestAnswer) return unusable(`the answer is longer than ${longestAnswer} characters`);
  const json = parseStrictJson(onlyObjectText(text) ?? "");
  if (json.kind === "repeated") return unusable("the answer gives a field twice");
  const parsed = Given.safeParse(json.kind === "value" ? json.value : undefined);
  if (!parsed.success) return unusable(`the answer does not fit the schema: ${problemOf(parsed.error)}`);
  return checked(parsed.data, question);
}

function checked(given: z.infer<typeof Given>, question: Question): Answer {
  const remedy = question.remedies.find(({ id }) => id === given.remedy);
  if (given.cause !== "unknown" && !question.causes.some(({ id }) => id === given.cause)) {
    return unusable("the answer names a cause that was not listed");
  }
  if (given.remedy !== "none" && !remedy) return unusable("the answer names a remedy that was not listed");
  const misfit = misfitOf(given.number ?? undefined, remedy);
  if (misfit !== undefined) return unusable(misfit);
  const citing = [...new Set(given.citing)];
  if (citing.some((id) => !question.shown.includes(id))) {
    return unusable("the answer cites evidence that was not shown");
  }
  if (given.cause !== "unknown" && citing.length === 0) return unusable("the answer names a cause and cites nothing");
  return {
    kind: "answered",
    causeId: given.cause,
    remedyId: given.remedy,
    ...(given.number == null ? {} : { number: given.number }),
    confidence: given.confidence,
    citing,
    explanation: oneLine(given.explanation, longestExplanation),
  };
}

function misfitOf(number: number | undefined, remedy: RemedyChoice | undefined): string | undefined {
  const { min, max } = remedy ?? {};
  if (min === undefined || max === undefined) {
    return number === undefined ? undefined : "the answer gives a number to a remedy that takes none";
  }
  if (number === undefined) return "the answer gives no number to a remedy that needs one";
  return number >= min && number <= max ? undefined : `the answer's number is not between ${min} and ${max}`;
}

function problemOf(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue || (issue.path.length === 0 && issue.code === "invalid_type")) return "it is not one JSON object";
  // Only names of ours are repeated: the words of an unknown key are the model's.
  return issue.code === "unrecognized_keys"
    ? "it has fields that nobody asked for"
    : `${issue.path.join(".")} is not what was asked for`;
}

function unusable(because: string): Answer {
  return { kind: "unusable", because };
}
