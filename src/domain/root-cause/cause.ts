import type { RemediationKind } from "../kubernetes/remediation.ts";
import type { Load, ChangedPart, Change, Downstream, Signals } from "./signal-values.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";

/** The closed list of causes. */
export type CauseKind =
  | "saturated"
  | "saturation-predicted"
  | "cpu-throttled"
  | "out-of-memory"
  | "bad-change"
  | "quota-exhausted"
  | "downstream"
  | "autoscaler-at-max"
  /** The trouble arises in the workload, and nothing measured says why. */
  | "degraded"
  /** Only its callers see the workload slow or failing: the trouble lies between them. */
  | "link";

/** One possible cause. The sentence holds no text of others: names of objects, numbers and commit ids only. */
export interface Cause {
  /** Unique among the causes of one diagnosis. */
  readonly id: string;
  readonly kind: CauseKind;
  /** Where the remedy goes: not always the workload that the alert is about. */
  readonly workload: Workload;
  readonly sentence: string;
  /** 0 to 1; lowered by each source that gave no answer. */
  readonly confidence: number;
  /** Ids of the evidence that shows it. */
  readonly citing: readonly string[];
  /** What could help, best first; empty = nothing that Rectify may change. */
  readonly remedies: readonly RemediationKind[];
  /** Full sha, where a commit caused it. */
  readonly commit?: string | undefined;
}

/** The causes that the signals show, or why none does. */
export type SignalDiagnosis =
  | ({ readonly kind: "diagnosed"; readonly causes: readonly Cause[] } & Pick<Signals, "missing" | "unanswered">)
  | { readonly kind: "abstained"; readonly because: string };

/** A cause before its confidence is lowered by what is missing, unless it was measured with as little. */
type Draft = Omit<Cause, "id"> & { readonly measured?: true };

/** From which value on a signal counts. CPU: the share of the request from which queues grow fast. */
export const pressing = { utilisation: 0.8, throttling: 0.25, memory: 0.9 };
/** An error that starts later than this after a change has another reason. */
const longestLagMs = 30 * 60_000;
/** More traffic than this explains a symptom that a change would otherwise explain. */
const risingTraffic = 1.3;
/** Clocks differ, and a series has a resolution. */
const slackMs = 2 * 60_000;
const eachMissing = 0.9;
const leastConfidence = 0.2;
const reasonWeight = 0.5;

/** Maps signals to the closed list, best first. Abstains when no signal presses. */
export function diagnoseSignals(signals: Signals): SignalDiagnosis {
  const inside = [...changeCause(signals), ...loadCauses(signals.workload, signals.load)];
  const drafts = [
    ...quotaCause(signals),
    ...inside.map((draft) => lessenedBy(signals.downstream, draft)),
    ...ownCause(signals, inside.length > 0),
    ...predictedCause(signals),
    ...signals.downstream.map((downstream) => downstreamCause(signals, downstream)),
  ];
  const kept = eachMissing ** signals.missing.length;
  const causes = drafts
    .map(({ measured, ...draft }) => ({ draft, confidence: round(draft.confidence * (measured ? 1 : kept)), measured }))
    .filter(({ confidence, measured }) => measured || confidence >= leastConfidence)
    .map(({ draft, confidence }) => ({ ...draft, id: idOf(draft), confidence }))
    .sort((a, b) => b.confidence - a.confidence);
  const { missing: unknown, unanswered } = signals;
  if (causes.length > 0) return { kind: "diagnosed", causes, missing: unknown, unanswered };
  const missing = signals.missing.length === 0 ? "" : `; not known: ${signals.missing.join(", ")}`;
  return { kind: "abstained", because: `no signal of ${workloadKey(signals.workload)} presses${missing}` };
}

function quotaCause({ workload, quota }: Signals): Draft[] {
  if (!quota || quota.value === 0) return [];
  const sentence = `the quota of namespace ${workload.namespace} is used up: ${quota.value} times a pod of ${workload.name} was refused`;
  return [{ kind: "quota-exhausted", workload, sentence, confidence: 0.95, citing: quota.from, remedies: [] }];
}

/** How much a change of this part speaks for it: a number of replicas seldom breaks anything at once. */
const weightOfChange: Readonly<Record<ChangedPart, number>> = {
  image: 0.9,
  config: 0.85,
  resources: 0.8,
  replicas: 0.45,
};

function changeCause(signals: Signals): Draft[] {
  const onset = signals.onset?.value ?? signals.alert.value.startedAt;
  const onsetFrom = signals.onset?.from ?? signals.alert.from;
  const suspects = (signals.changes?.value ?? [])
    .map((change) => ({ change, lagMs: lagBetween(effectiveTime(change, signals), onset) }))
    .filter(({ lagMs }) => lagMs >= -slackMs && lagMs <= longestLagMs)
    .sort((a, b) => scoreOf(b) - scoreOf(a));
  const [first, second] = suspects;
  if (!first || !signals.changes) return [];
  // Two changes that fit equally well leave a doubt which of them it was.
  const doubt = second ? 1 - 0.3 * (scoreOf(second) / scoreOf(first)) : 1;
  const surge = (signals.traffic?.value ?? 1) >= risingTraffic ? 0.6 : 1;
  const { sha, what } = first.change;
  const { workload } = signals;
  return [
    {
      kind: "bad-change",
      workload,
      commit: sha,
      sentence: `commit ${sha.slice(0, 7)} changed the ${what} of ${workload.name}, and it began to hurt ${lagText(first.lagMs)}`,
      confidence: scoreOf(first) * doubt * surge,
      citing: [...new Set([...signals.changes.from, ...(signals.rollouts?.from ?? []), ...onsetFrom])],
      remedies: what === "image" ? ["revert", "image-rollback"] : ["revert"],
    },
  ];
}

/** A commit takes effect with its rollout: the first one after it, else (clocks differ) the last one just before. */
function effectiveTime(change: Change, { rollouts }: Signals): string {
  const near = (rollouts?.value ?? []).filter((at) => lagBetween(change.at, at) >= -slackMs).sort();
  return near.find((at) => lagBetween(change.at, at) >= 0) ?? near.at(-1) ?? change.at;
}

function scoreOf({ change, lagMs }: { change: Change; lagMs: number }): number {
  return weightOfChange[change.what] * (1 - 0.5 * Math.max(0, lagMs / longestLagMs));
}

function lagBetween(earlier: string, later: string): number {
  return Date.parse(later) - Date.parse(earlier);
}

function lagText(lagMs: number): string {
  return lagMs < 60_000 ? "at once" : `${Math.round(lagMs / 60_000)} min after it took effect`;
}

/** What presses on a workload by its own load. */
function loadCauses(workload: Workload, load: Load): Draft[] {
  const { utilisation, throttling, autoscaler } = load;
  const hot = utilisation !== undefined && utilisation.value >= pressing.utilisation;
  const atMax = autoscaler !== undefined && autoscaler.value.replicas >= autoscaler.value.max;
  const drafts: Draft[] = [];
  drafts.push(...memoryCause(workload, load));
  if (atMax && (hot || utilisation === undefined)) {
    const sentence = `the autoscaler of ${workload.name} stands at its maximum of ${autoscaler.value.max}`;
    const citing = [...autoscaler.from, ...(utilisation?.from ?? [])];
    const confidence = hot ? 0.85 : 0.4;
    drafts.push({ kind: "autoscaler-at-max", workload, sentence, confidence, citing, remedies: ["scale"] });
  }
  if (throttling && throttling.value >= pressing.throttling) {
    const sentence = `${workload.name} is held back by its CPU limit in ${percent(throttling.value)} of the periods`;
    const confidence = Math.min(0.85, 0.55 + throttling.value / 2);
    const remedies: RemediationKind[] = ["resources", "scale"];
    drafts.push({ kind: "cpu-throttled", workload, sentence, confidence, citing: throttling.from, remedies });
  }
  if (hot) {
    const sentence = `${workload.name} uses ${percent(utilisation.value)} of the CPU it requests`;
    const confidence = Math.min(0.8, 0.5 + (utilisation.value - pressing.utilisation));
    drafts.push({ kind: "saturated", workload, sentence, confidence, citing: utilisation.from, remedies: ["scale"] });
  }
  return drafts;
}

function memoryCause(workload: Workload, { memory, oomKills, restarts }: Load): Draft[] {
  const remedies: RemediationKind[] = ["resources"];
  if (oomKills && oomKills.value > 0) {
    const sentence = `${workload.name} was killed for memory ${oomKills.value} times`;
    const citing = [...oomKills.from, ...(memory?.from ?? [])];
    return [{ kind: "out-of-memory", workload, sentence, confidence: 0.88, citing, remedies }];
  }
  // Nobody counted the kills, but full memory and restarts together say the same.
  if (oomKills || !memory || memory.value < pressing.memory || !restarts || restarts.value < 1) return [];
  const sentence = `${workload.name} fills ${percent(memory.value)} of its memory limit and restarted ${restarts.value} times`;
  const citing = [...memory.from, ...restarts.from];
  return [{ kind: "out-of-memory", workload, sentence, confidence: 0.7, citing, remedies }];
}

/** What presses on the alerting workload explains less of it, the surer the trouble arises elsewhere. */
function lessenedBy(downstream: readonly Downstream[], draft: Draft): Draft {
  const elsewhere = downstream.reduce((most, { confidence }) => Math.max(most, confidence), 0);
  return { ...draft, confidence: draft.confidence * (1 - 0.5 * elsewhere) };
}

/** The trouble arises here, and nothing else says why. */
function ownCause({ workload, own }: Signals, isExplained: boolean): Draft[] {
  if (!own || isExplained) return [];
  const sentence = `the trouble arises in ${workload.name} itself: ${own.because[0] ?? "by what its neighbours show"}`;
  const { confidence, from: citing } = own;
  return [{ kind: "degraded", workload, sentence, confidence, citing, remedies: [], measured: true }];
}

function predictedCause({ workload, alert, load }: Signals): Draft[] {
  if (!alert.value.predictive) return [];
  const { utilisation } = load;
  // Once it is saturated, the prediction has come true and the other cause says more.
  if (utilisation && utilisation.value >= pressing.utilisation) return [];
  const now = utilisation ? `, now at ${percent(utilisation.value)} of the CPU it requests` : "";
  const sentence = `${workload.name} will be saturated if its trend goes on${now}`;
  const citing = [...alert.from, ...(utilisation?.from ?? [])];
  return [
    {
      kind: "saturation-predicted",
      workload,
      sentence,
      confidence: utilisation ? 0.75 : 0.5,
      citing,
      remedies: ["scale"],
    },
  ];
}

/** The alert is about one workload, the reason lies in another one that it depends on: the remedy goes there. */
function downstreamCause(signals: Signals, downstream: Downstream): Draft {
  const { workload, link, from, load, changes, because } = downstream;
  const reasons = [
    ...loadCauses(workload, load),
    ...changeCause({ ...signals, workload, changes, rollouts: undefined, traffic: undefined }),
  ];
  const [reason] = reasons.sort((a, b) => b.confidence - a.confidence);
  const alerting = signals.workload.name;
  const sign = because[0] ?? "by what its neighbours show";
  const where = link
    ? `the trouble lies between ${workload.name} and its callers, and ${alerting} depends on it: ${sign}`
    : `the trouble arises in ${workload.name}, which ${alerting} depends on: ${sign}`;
  return {
    kind: link && !reason ? "link" : "downstream",
    workload,
    sentence: reason ? `${where}; ${reason.sentence}` : where,
    // A reason of its own says the same a second time.
    confidence: 1 - (1 - downstream.confidence) * (1 - reasonWeight * (reason?.confidence ?? 0)),
    citing: [...new Set([...from, ...(reason?.citing ?? [])])],
    remedies: reason?.remedies ?? [],
    ...(reason?.commit === undefined ? {} : { commit: reason.commit }),
    measured: true,
  };
}

function idOf({ kind, workload }: Omit<Cause, "id">): string {
  return `${kind}:${workloadKey(workload)}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
