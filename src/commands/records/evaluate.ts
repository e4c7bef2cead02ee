import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { ollamaModel } from "../../adapters/ollama/ollama.ts";
import { loadPrompts } from "../../adapters/ollama/prompts.ts";
import { type Environment, postMortemsIn } from "../repository/checkout.ts";
import { readCapsule } from "../../domain/records/capsule.ts";
import { readAnswer } from "../../domain/llm/question.ts";
import {
  type Admission,
  admissionOf,
  type Evaluation,
  evaluationOf,
  type ReplayedAnswer,
  renderEvaluations,
} from "../../domain/llm/evaluation.ts";
import { questionOfCapsule, type ReplayedQuestion } from "../../domain/records/replayed-question.ts";
import type { Told } from "../told.ts";
import { isKnownFailure } from "../../ports/errors.ts";

export interface EvaluationAsked {
  /** Files, or directories of `*.json`. */
  readonly capsules: readonly string[];
  readonly model: string;
  /** Another model, or the file of an earlier `--json`. */
  readonly baseline?: string;
  /** A checkout whose verified post-mortems say what was right. */
  readonly repository?: string;
  readonly json?: boolean;
}

/** Puts the questions of capsules to a model. Code 1 when nothing could be judged, or it is worse than the baseline. */
export async function evaluate(asked: EvaluationAsked, env: Environment): Promise<Told> {
  const host = env.OLLAMA_HOST;
  if (!host) return failed("OLLAMA_HOST: is missing: set the address of the model server");
  const { questions, problems } = await questionsOf(asked, env);
  if (questions.length === 0)
    return failed(...problems, "no capsule holds a question: name files from the incident pages");
  const candidate = await judge(asked.model, questions, { host, env });
  if ("problem" in candidate) return failed(candidate.problem);
  const baseline =
    asked.baseline === undefined ? undefined : await baselineOf(asked.baseline, questions, { host, env });
  if (baseline !== undefined && "problem" in baseline) return failed(baseline.problem);
  const admission = baseline && admissionOf(candidate, baseline);
  const evaluations = [...(baseline === undefined ? [] : [baseline]), candidate];
  const code = admission === undefined || admission.admitted ? 0 : 1;
  if (asked.json === true) return { lines: [JSON.stringify({ evaluations, admission, problems })], code };
  const verified = questions.filter(({ by }) => by === "verified").length;
  const labels = `What is right: ${verified} by verified post-mortems, ${questions.length - verified} by the ranking of that time.`;
  return { lines: [...problems, renderEvaluations(evaluations), labels, ...verdict(admission, asked.model)], code };
}

function verdict(admission: Admission | undefined, model: string): string[] {
  if (admission === undefined) return [];
  return admission.admitted ? [`${model} is admitted.`] : admission.against.map((reason) => `Not admitted: ${reason}.`);
}

async function questionsOf({ capsules, repository }: EvaluationAsked, env: Environment) {
  const source = repository === undefined ? undefined : await postMortemsIn(repository, env);
  const verified = new Map(
    (source?.entries ?? []).flatMap(({ uid, outcome }) => (outcome === "verified" ? [[uid, uid]] : [])),
  );
  const recordOf = (uid: string) => source?.records.find((one) => one.uid === uid && verified.has(uid));
  const questions: ReplayedQuestion[] = [];
  const problems: string[] = [];
  for (const path of capsules.flatMap(filesOf)) {
    const read = readCapsule(readFileSync(path, "utf8"));
    if (read.kind === "unreadable") {
      problems.push(`${path}: ${read.because}`);
      continue;
    }
    const delimiter = randomBytes(16).toString("hex");
    const question = questionOfCapsule(read.capsule, recordOf(read.capsule.incident.uid), delimiter);
    if (question === undefined) problems.push(`${path}: nothing to choose from, left out`);
    else questions.push(question);
  }
  return { questions, problems };
}

function filesOf(path: string): string[] {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith(".json"));
  return names.sort().map((name) => join(path, name));
}

interface Server {
  readonly host: string;
  readonly env: Environment;
}

type Judged = Evaluation | { readonly problem: string };

/** One question after the other, as in production. A call that fails counts as unusable, unless all of them do. */
async function judge(model: string, questions: readonly ReplayedQuestion[], { host, env }: Server): Promise<Judged> {
  const client = ollamaModel({ host, model, restMs: 0 });
  const system = loadPrompts().diagnose;
  const deadlineMs = Number(env.MODEL_DEADLINE_MS) || 60_000;
  const answers: ReplayedAnswer[] = [];
  let failures = 0;
  for (const { incident, question, expected } of questions) {
    const about = { system, prompt: question.prompt, schema: question.schema, deadlineMs, incident, traceId: "" };
    const started = performance.now();
    const answer = await client.ask(about).then(
      ({ text, doneReason }) => answerOf(readAnswer(text, doneReason, question)),
      (error: unknown) => {
        if (!isKnownFailure(error)) throw error;
        failures += 1;
        return { kind: "unusable", because: error.message } as const;
      },
    );
    answers.push({ incident, expected, answer, durationMs: performance.now() - started });
  }
  const first = answers[0]?.answer;
  if (failures === answers.length && first?.kind === "unusable") return { problem: `${model}: ${first.because}` };
  return evaluationOf(model, answers) ?? { problem: "no question was put" };
}

function answerOf(answer: ReturnType<typeof readAnswer>): ReplayedAnswer["answer"] {
  if (answer.kind === "unusable") return answer;
  if (answer.causeId === "unknown") return { kind: "abstained", because: "the evidence does not tell" };
  return { kind: "answered", cause: answer.causeId, remedy: answer.remedyId };
}

const Share = z.number().min(0).max(1);
const Recorded = z.object({
  model: z.string(),
  incidents: z.array(z.string()),
  accuracy: Share,
  wrong: Share,
  abstention: Share,
  unusable: Share,
  latencyMs: z.object({ p50: z.number(), p95: z.number(), p99: z.number() }),
});

/** The judgement to compare with: on file, or made now of the model of that name. */
async function baselineOf(baseline: string, questions: readonly ReplayedQuestion[], server: Server): Promise<Judged> {
  if (!existsSync(baseline)) return judge(baseline, questions, server);
  try {
    const read = z.object({ evaluations: z.array(Recorded).min(1) }).parse(JSON.parse(readFileSync(baseline, "utf8")));
    return read.evaluations.at(-1) ?? { problem: "unreachable" };
  } catch {
    return { problem: `${baseline} is not the output of rectify eval --json` };
  }
}

function failed(...lines: readonly string[]): Told {
  return { lines, code: 1 };
}
