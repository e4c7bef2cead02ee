import type { Answer } from "./question.ts";
import type { Evidence } from "../evidence/evidence.ts";

/** What the guardrails say of the model: `required` = no change without its answer, `off` = it is never asked. */
type ModelRule = "required" | "optional" | "off";

/** One opinion: the cause and remedy it chose, how sure it is (0 to 1), and what it leans on. */
export interface Opinion {
  readonly causeId: string;
  readonly remedyId: string;
  readonly confidence: number;
  readonly citing: readonly string[];
}

/** What the model said, or why it said nothing. */
export type ModelSaid = Answer | { readonly kind: "absent"; readonly because: string };

/** The two independent opinions about one incident. `ranked` is undefined when the ranker found no cause. */
export interface Opinions {
  readonly ranked: Opinion | undefined;
  readonly said: ModelSaid;
  readonly rule: ModelRule;
  readonly evidence: readonly Evidence[];
}

/** What the opinions say together. */
export interface Agreement {
  readonly kind: "agree" | "disagree" | "one" | "none";
  /** The chosen cause and remedy; "unknown" and "none" when nobody knows. Where both speak it is the ranker's. */
  readonly causeId: string;
  readonly remedyId: string;
  readonly confidence: number;
  readonly citing: readonly string[];
  /** True when everything cited is text that others can write. */
  readonly taintedOnly: boolean;
  /** Why nothing may be proposed at all; undefined = the opinions do not stand against it. */
  readonly blocked: string | undefined;
  /** Why a person has to merge; empty = the opinions do not ask for one. */
  readonly needsPerson: readonly string[];
  /** What people are told about it, in sentences of ours. */
  readonly notes: readonly string[];
}

/** No two opinions are ever certain. */
const mostConfidence = 0.95;
/** Half of the model's own word: small models say 0.9 to everything. */
const modelWeight = 0.5;

/** Weighs ranker and model. The ranker decides, the model confirms or doubts; alone, the model needs a person. */
export function assessAgreement(opinions: Opinions): Agreement {
  const { ranked, said } = opinions;
  const model = opinionOf(said);
  if (ranked && model) return both(opinions, ranked, model);
  if (ranked) return alone(opinions, ranked, rankerAlone(opinions));
  if (model) {
    const reason = "only the model names a cause, the ranking found none";
    return alone(opinions, { ...model, confidence: model.confidence * modelWeight }, [reason]);
  }
  return alone(
    opinions,
    { causeId: "unknown", remedyId: "none", confidence: 0, citing: [] },
    ["nobody names a cause"],
    "none",
  );
}

function opinionOf(said: ModelSaid): Opinion | undefined {
  return said.kind === "answered" && said.causeId !== "unknown" ? said : undefined;
}

function both(opinions: Opinions, ranked: Opinion, model: Opinion): Agreement {
  const support = modelWeight * bounded(model.confidence);
  if (model.causeId === ranked.causeId && model.remedyId === ranked.remedyId) {
    const confidence = 1 - (1 - bounded(ranked.confidence)) * (1 - support);
    return settled(
      opinions,
      { ...ranked, confidence },
      { kind: "agree", needsPerson: [], notes: ["ranking and model name the same cause and remedy"] },
    );
  }
  const what = model.causeId === ranked.causeId ? "remedy" : "cause";
  const reason = `ranking and model disagree on the ${what}: ${differing(ranked, model, what)}`;
  const confidence = bounded(ranked.confidence) * (1 - support);
  return settled(opinions, { ...ranked, confidence }, { kind: "disagree", needsPerson: [reason], notes: [reason] });
}

function differing(ranked: Opinion, model: Opinion, what: "cause" | "remedy"): string {
  return what === "cause" ? `${ranked.causeId} and ${model.causeId}` : `${ranked.remedyId} and ${model.remedyId}`;
}

function rankerAlone({ said, rule }: Opinions): string[] {
  return rule === "off" ? [] : [silenceOf(said)];
}

/** A model that answers and finds no cause has answered. */
function blockOf({ said, rule }: Opinions): string | undefined {
  if (rule !== "required" || said.kind === "answered") return undefined;
  return `the guardrails require the model, and ${silenceOf(said)}`;
}

function silenceOf(said: ModelSaid): string {
  if (said.kind === "answered") return "the model found no cause";
  return said.kind === "absent"
    ? `the model gave no answer: ${said.because}`
    : `the model's answer was not used: ${said.because}`;
}

function alone(
  opinions: Opinions,
  opinion: Opinion,
  reasons: readonly string[],
  kind: "one" | "none" = "one",
): Agreement {
  return settled(opinions, opinion, { kind, needsPerson: reasons, notes: reasons });
}

function settled(
  opinions: Opinions,
  { causeId, remedyId, confidence, citing }: Opinion,
  verdict: Pick<Agreement, "kind" | "needsPerson" | "notes">,
): Agreement {
  const taintedOnly = isTainted(citing, opinions.evidence);
  const tainted = taintedOnly
    ? ["no measurement or object state supports the cause, only text that others can write"]
    : [];
  return {
    ...verdict,
    ...{ causeId, remedyId, citing, taintedOnly, blocked: blockOf(opinions) },
    confidence: Math.min(mostConfidence, bounded(confidence)),
    needsPerson: [...verdict.needsPerson, ...tainted],
    notes: [...verdict.notes, ...tainted],
  };
}

function bounded(confidence: number): number {
  return Number.isFinite(confidence) ? Math.min(1, Math.max(0, confidence)) : 0;
}

/** True unless at least one cited item is a machine signal: a measurement, or a state that the cluster itself reports. */
export function isTainted(citing: readonly string[], evidence: readonly Evidence[]): boolean {
  return !evidence.some((item) => citing.includes(item.id) && isMachineSignal(item));
}

function isMachineSignal({ source, finding }: Evidence): boolean {
  const machine = source === "prometheus" || source === "kubernetes" || source === "gitops";
  return machine && (finding.kind === "series" || finding.kind === "facts");
}
