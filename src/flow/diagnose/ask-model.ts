import type { Cause } from "../../domain/root-cause/cause.ts";
import { type Answer, questionOf, readAnswer } from "../../domain/llm/question.ts";
import type { Evidence } from "../../domain/evidence/evidence.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { renderRemediation } from "../../domain/kubernetes/remediation.ts";
import type { Remedy } from "../../domain/remedy/remedy.ts";
import type { ModelAnswer } from "../../ports/model.ts";
import type { Ports } from "../../ports/ports.ts";
import { Refused, Unavailable } from "../../ports/errors.ts";

/** What the model said, or why it said nothing. */
export type ModelWord =
  | (Extract<Answer, { kind: "answered" }> & Pick<ModelAnswer, "model" | "digest" | "durationMs">)
  | { readonly kind: "unusable"; readonly because: string }
  /** It gave no answer at all. `mayReturn`: the same question may have one later. */
  | { readonly kind: "absent"; readonly because: string; readonly mayReturn: boolean };

interface Asking {
  readonly incident: Incident;
  readonly evidence: readonly Evidence[];
  readonly causes: readonly Cause[];
  /** One for each cause, in their order. */
  readonly remedies: readonly Remedy[];
  /** What earlier incidents came to. */
  readonly precedents: readonly string[];
  readonly guardrails: Guardrails;
}

/** How the remedy of the cause at this place is named to the model. */
export function remedyIdOf(index: number): string {
  return `R${index + 1}`;
}

type Asked = Pick<Ports, "model" | "prompts" | "random" | "timings">;

/** One question among enumerated causes and remedies; one more try when the answer cannot be used; never a failure. */
export async function askModel(asking: Asking, ports: Asked): Promise<ModelWord> {
  const { model, prompts, timings } = ports;
  if (asking.guardrails.model === "off") return absent("the guardrails turn the model off");
  if (model === undefined) return absent("no model is configured");
  const { incident, evidence, causes, precedents } = asking;
  const remedies = asking.remedies.flatMap((remedy, index) =>
    remedy.kind === "change" ? [{ id: remedyIdOf(index), sentence: renderRemediation(remedy.remediation) }] : [],
  );
  const question = questionOf({ incident, evidence, causes, remedies, precedents, delimiter: ports.random() });
  const ask = (system: string) =>
    model.ask({
      ...{ system, prompt: question.prompt, schema: question.schema, deadlineMs: timings.modelDeadlineMs },
      ...{ incident: incident.uid, traceId: incident.traceId },
    });
  try {
    let because = "";
    for (const system of [prompts.diagnose, `${prompts.diagnose}\n\n${prompts.repair}`]) {
      const { text, doneReason, ...costs } = await ask(system);
      const answer = readAnswer(text, doneReason, question);
      if (answer.kind === "answered") return { ...answer, ...pick(costs) };
      because = answer.because;
    }
    return { kind: "unusable", because };
  } catch (error) {
    if (error instanceof Unavailable) return absent(error.message, true);
    if (error instanceof Refused) return absent(error.message);
    throw error;
  }
}

function absent(because: string, mayReturn = false): ModelWord {
  return { kind: "absent", because, mayReturn };
}

function pick({ model, digest, durationMs }: Pick<ModelAnswer, "model" | "digest" | "durationMs">) {
  return { model, digest, durationMs };
}
