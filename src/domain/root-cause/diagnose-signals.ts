import { percent } from "../text/percent.ts";
import type { RemediationKind } from "../kubernetes/remediation.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";
import type { Cause, Draft } from "./cause.ts";
import { changeCause, weighingOf } from "./changes/change-cause.ts";
import { conditionCauses } from "./changes/conditions.ts";
import { suspectCauses } from "./changes/suspects.ts";
import type { Downstream, Load, Signals } from "./signal-values.ts";

/** The causes that the signals show, or why none does. */
export type SignalDiagnosis =
  | ({ readonly kind: "diagnosed"; readonly causes: readonly Cause[] } & Pick<Signals, "missing" | "unanswered">)
  | { readonly kind: "abstained"; readonly because: string };

/** From which value on a signal counts. CPU: the share of the request from which queues grow fast. */
const pressing = { utilisation: 0.8, throttling: 0.25, memory: 0.9 };
const eachMissing = 0.9;
const leastConfidence = 0.2;
const reasonWeight = 0.5;

/** Maps signals to the closed list, best first. Abstains when no signal presses. */
export function diagnoseSignals(signals: Signals): SignalDiagnosis {
  const suspects = suspectCauses(weighingOf(signals));
  const changed = signals.suspects === undefined ? changeCause(signals) : [];
  const conditions = conditionCauses(signals);
  const inside = [...changed, ...loadCauses(signals.workload, signals.load)];
  const predicted = predictedCause(signals);
  const drafts: Draft[] = [
    ...(suspects.some(({ name }) => name === "quota") ? [] : quotaCause(signals)),
    ...suspects,
    ...inside.map((draft) => lessenedBy(signals.downstream, draft)),
    ...conditions,
    ...predicted,
    ...ownCause(signals, inside.length + suspects.length + conditions.length + predicted.length > 0),
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
  const elsewhere = downstream
    .filter(({ stranger }) => !stranger)
    .reduce((most, { confidence }) => Math.max(most, confidence), 0);
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

/** The signals as that workload would show them: commits that changed it itself, and none of the alerting pods' signs. */
function elsewhere(signals: Signals, { workload, load, changes }: Downstream): Signals {
  const { suspects, alert, changePoint, missing, unanswered } = signals;
  const itself = `${workload.kind}/${workload.name}`;
  const value = (suspects?.value ?? []).flatMap((suspect) => {
    const parts = suspect.parts.filter(({ object }) => object === itself);
    return parts.length === 0
      ? []
      : [{ ...suspect, parts: parts.map((part) => ({ ...part, relation: "self" as const })) }];
  });
  return {
    ...{ workload, load, changes, alert, changePoint, missing, unanswered, own: undefined, downstream: [] },
    ...{ traffic: undefined, quota: undefined, rollouts: undefined, suspects: suspects && { ...suspects, value } },
  };
}

/** The alert is about one workload, the reason lies in another one that it depends on: the remedy goes there. */
function downstreamCause(signals: Signals, downstream: Downstream): Draft {
  const { workload, link, stranger, from, load, changes, because } = downstream;
  const reasons = [
    ...loadCauses(workload, load),
    ...changeCause({ ...signals, workload, changes, rollouts: undefined, traffic: undefined }),
    ...suspectCauses(weighingOf(elsewhere(signals, downstream))),
  ];
  const [reason] = reasons.sort((a, b) => b.confidence - a.confidence);
  const alerting = signals.workload.name;
  const sign = because[0] ?? "by what its neighbours show";
  const place = link
    ? `the trouble lies between ${workload.name} and its callers`
    : `the trouble arises in ${workload.name}`;
  const tie = stranger
    ? `, though no call from ${alerting} to it was seen`
    : `${link ? ", and" : ", which"} ${alerting} depends on${link ? " it" : ""}`;
  const where = `${place}${tie}: ${sign}`;
  return {
    kind: link && !reason ? "link" : "downstream",
    workload,
    sentence: reason ? `${where}; ${reason.sentence}` : where,
    // A reason of its own says the same a second time.
    confidence: 1 - (1 - downstream.confidence) * (1 - reasonWeight * (reason?.confidence ?? 0)),
    citing: [...new Set([...from, ...(reason?.citing ?? [])])],
    remedies: reason?.remedies ?? [],
    ...(reason?.commit === undefined ? {} : { commit: reason.commit }),
    ...(stranger ? { stranger } : {}),
    measured: true,
  };
}

function idOf({ kind, workload, commit, name }: Omit<Cause, "id">): string {
  const which = commit?.slice(0, 7) ?? (kind === "cluster-condition" ? name : undefined);
  return `${kind}:${workloadKey(workload)}${which === undefined || name === undefined ? "" : `:${which}`}`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
