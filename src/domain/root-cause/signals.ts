import type { Cited } from "./cited.ts";
import type { Change, ChangedPart, Downstream, Load, Signals } from "./signal-values.ts";
import type { Evidence, EvidenceKey, Finding, Series } from "../evidence/evidence.ts";
import type { Incident } from "../incident/incident.ts";
import { ownerKeyOf, seriesOf } from "../evidence/series.ts";
import { stepOf } from "./change-point.ts";
import { suspectsIn } from "./changes/suspects.ts";
import { type Symptom, symptomsIn } from "./changes/symptoms.ts";
import { beganAt, rankSymptom, type SymptomRanking } from "./symptom.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";

/** What each key stands for, for people, when its source gave no answer. Keys that are not listed are nice to have. */
const wanted: Partial<Readonly<Record<EvidenceKey, string>>> = {
  "alert-metric": "the metric of the alert",
  "workload-state": "the state of the workload",
  "cpu-used": "CPU used",
  "cpu-requested": "CPU requested",
  events: "events",
  commits: "commits",
  rollouts: "rollouts",
  "node-metrics": "metrics of the services around it",
};

/** Reads the evidence of an incident as plain values. What is not there, or not readable, is missing: never a guess. */
export function signalsOf(
  incident: Incident,
  evidence: readonly Evidence[],
  ranking: SymptomRanking = rankSymptom(incident.workload, evidence),
): Signals {
  const { workload, alert } = incident;
  const suspects = ranking.kind === "ranked" ? ranking.suspects : [];
  const own = suspects.find((suspect) => workloadKey(suspect.workload) === workloadKey(workload));
  const downstream = suspects.filter((suspect) => suspect !== own);
  const changePoint = changePointOf(workload, evidence);
  const earlier = notLaterThan((beganAt(evidence) ?? Date.parse(incident.startedAt) / 1000) * 1000);
  return {
    workload,
    alert: {
      value: { name: alert.name, startedAt: incident.startedAt, predictive: isPredictive(incident, evidence) },
      from: idsOf(evidence, "alert", "alert-rule"),
    },
    load: loadOf(workload, workload, evidence),
    changePoint,
    traffic: trafficOf(workload, evidence, changePoint),
    quota: quotaOf(workload, evidence),
    changes: earlier(changesOf(evidence, workload, workload)),
    rollouts: rolloutsOf(evidence),
    own,
    downstream: downstream.map((found): Downstream => {
      const load = loadOf(found.workload, workload, evidence);
      return { ...found, load, changes: earlier(changesOf(evidence, found.workload, workload)) };
    }),
    suspects: earlier(suspectsIn(evidence)),
    symptoms: [...symptomsIn(evidence), ...silenceIn(workload, evidence)],
    callees: calleesOf(workload, evidence),
    states: idsOf(evidence, "pod-states", "workload-state"),
    missing: missingOf(evidence),
    unanswered: unansweredIn(evidence),
  };
}

/** What came once the alert's condition held already cannot have caused it, however well it fits. */
function notLaterThan(beganMs: number) {
  return <T extends { readonly at: string }>(cited: Cited<readonly T[]> | undefined): Cited<readonly T[]> | undefined =>
    cited && { ...cited, value: cited.value.filter(({ at }) => !(Date.parse(at) > beganMs)) };
}

/** An alert on a trend, by its rule or, where the rule is not known, by a label that people set. */
function isPredictive({ alert }: Incident, evidence: readonly Evidence[]): boolean {
  const rule = findingsOf(evidence, "alert-rule").find(({ finding }) => finding.kind === "facts");
  const query = rule?.finding.kind === "facts" ? rule.finding.facts.query : undefined;
  return typeof query === "string" ? /\bpredict_linear\s*\(/.test(query) : alert.labels.predictive === "true";
}

function loadOf(workload: Workload, home: Workload, evidence: readonly Evidence[]): Load {
  const read = (key: EvidenceKey) => seriesOf(evidence, { key, workload, home });
  const [used, requested] = [read("cpu-used"), read("cpu-requested")];
  const [memory, limit] = [read("memory-used"), read("memory-limit")];
  const throttled = read("cpu-throttled");
  const kills = read("oom-kills");
  const restarts = read("restarts");
  return {
    utilisation: shareOf(used?.newest, requested?.newest, [used, requested]),
    throttling: throttled && { value: throttled.newest, from: throttled.from },
    memory: shareOf(memory?.highest, limit?.newest, [memory, limit]),
    oomKills: kills && { value: Math.round(kills.newest), from: kills.from },
    restarts: restarts && { value: Math.round(restarts.newest), from: restarts.from },
    autoscaler: workloadKey(workload) === workloadKey(home) ? autoscalerOf(evidence) : undefined,
  };
}

type Read = { readonly from: readonly string[] } | undefined;

function shareOf(
  part: number | undefined,
  whole: number | undefined,
  reads: readonly Read[],
): Cited<number> | undefined {
  if (part === undefined || whole === undefined || whole <= 0) return undefined;
  return { value: part / whole, from: reads.flatMap((read) => read?.from ?? []) };
}

function autoscalerOf(evidence: readonly Evidence[]): Load["autoscaler"] {
  for (const { id, finding } of findingsOf(evidence, "workload-state")) {
    if (finding.kind !== "facts") continue;
    const { replicas, autoscalerMax } = finding.facts;
    if (typeof replicas !== "number" || typeof autoscalerMax !== "number") continue;
    return { value: { replicas, max: autoscalerMax }, from: [id] };
  }
  return undefined;
}

/** The earliest clear step up in what the alert measures or in the share of errors. */
function changePointOf(workload: Workload, evidence: readonly Evidence[]): Cited<string> | undefined {
  const steps = (["error-share", "alert-metric"] as const).flatMap((key) =>
    findingsOf(evidence, key).flatMap(({ id, finding }) =>
      finding.kind === "series"
        ? finding.series
            .filter(({ labels }) => ownerKeyOf(labels, workload) === workloadKey(workload))
            .flatMap((series) => stepUp(series, id))
        : [],
    ),
  );
  const first = steps.sort((a, b) => a.at - b.at)[0];
  return first && { value: new Date(first.at * 1000).toISOString(), from: [first.id] };
}

function stepUp(series: Series, id: string): { at: number; id: string }[] {
  const step = stepOf(series);
  return step && step.after > step.before ? [{ at: step.at, id }] : [];
}

function trafficOf(
  workload: Workload,
  evidence: readonly Evidence[],
  changePoint: Cited<string> | undefined,
): Cited<number> | undefined {
  const requests = seriesOf(evidence, { key: "requests", workload, home: workload });
  if (!requests || !changePoint) return undefined;
  const at = Date.parse(changePoint.value) / 1000;
  const before = meanOf(requests.points.filter(([time]) => time < at));
  const after = meanOf(requests.points.filter(([time]) => time >= at));
  if (before === undefined || after === undefined || before <= 0) return undefined;
  return { value: after / before, from: requests.from };
}

function meanOf(points: Series["points"]): number | undefined {
  if (points.length === 0) return undefined;
  return points.reduce((sum, [, value]) => sum + value, 0) / points.length;
}

/** Requests that came and come no more. */
function silenceIn(workload: Workload, evidence: readonly Evidence[]): Symptom[] {
  const requests = seriesOf(evidence, { key: "requests", workload, home: workload });
  if (!requests) return [];
  const usual = Math.max(...requests.points.map(([, value]) => value));
  return usual > 1 && requests.newest < usual * 0.05 ? [{ kind: "no-traffic", from: requests.from, texts: [] }] : [];
}

/** The workloads that it calls, as the mesh counts them or people declared them. */
function calleesOf({ name }: Workload, evidence: readonly Evidence[]): ReadonlySet<string> {
  const series = findingsOf(evidence, "calls").flatMap(({ finding }) =>
    finding.kind === "series" ? finding.series : [],
  );
  const mine = series.filter(({ labels }) => [labels.deployment, labels.source_workload, labels.client].includes(name));
  return new Set(
    mine.flatMap(({ labels }) => {
      const deployment = labels.dst_deployment ?? labels.destination_workload ?? labels.server;
      const names = deployment === undefined ? [] : [`Deployment/${deployment}`, `Service/${deployment}`];
      return labels.dst_statefulset === undefined ? names : [...names, `StatefulSet/${labels.dst_statefulset}`];
    }),
  );
}

/** Lines as the cluster adapter writes them: `Warning FailedCreate web-5d4f: … exceeded quota: …`. */
function quotaOf({ name }: Workload, evidence: readonly Evidence[]): Cited<number> | undefined {
  const events = findingsOf(evidence, "events").filter(({ finding }) => finding.kind === "text");
  if (events.length === 0) return undefined;
  const refused = events.map(({ id, finding }) => {
    const lines = finding.kind === "text" ? finding.lines : [];
    return { id, count: lines.filter((line) => isQuotaRefusal(line, name)).length };
  });
  const hits = refused.filter(({ count }) => count > 0);
  return {
    value: hits.reduce((sum, { count }) => sum + count, 0),
    from: (hits[0] ? hits : refused).map(({ id }) => id),
  };
}

function isQuotaRefusal(line: string, name: string): boolean {
  const [, reason, object = "", ...message] = line.split(" ");
  const owner = object.replace(/:$/, "");
  const mine = owner === name || (owner.startsWith(`${name}-`) && !owner.slice(name.length + 1).includes("-"));
  return reason === "FailedCreate" && mine && /\bexceeded quota\b/i.test(message.join(" "));
}

const parts: readonly ChangedPart[] = ["image", "resources", "replicas", "config"];

function changesOf(
  evidence: readonly Evidence[],
  workload: Workload,
  home: Workload,
): Cited<readonly Change[]> | undefined {
  const items = findingsOf(evidence, "commits").filter(({ finding }) => finding.kind === "facts");
  if (items.length === 0) return undefined;
  const value = items.flatMap(({ finding }) =>
    finding.kind === "facts" ? Object.entries(finding.facts).flatMap(([sha, said]) => changeOf(sha, said)) : [],
  );
  const wanted = workloadKey(workload);
  const mine = value
    .filter(({ of }) => (of.length === 0 ? workloadKey(home) === wanted : of.includes(wanted)))
    .map(({ of: _, ...change }) => change);
  return { value: mine, from: items.map(({ id }) => id) };
}

function changeOf(sha: string, said: string | number | boolean): (Change & { readonly of: readonly string[] })[] {
  const [at = "", word, ...of] = String(said).split(" ");
  const what = parts.find((part) => part === word);
  if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(sha) || what === undefined || Number.isNaN(Date.parse(at))) return [];
  return [{ sha, at, what, of }];
}

function rolloutsOf(evidence: readonly Evidence[]): Cited<readonly string[]> | undefined {
  const items = findingsOf(evidence, "rollouts").filter(({ finding }) => finding.kind === "facts");
  if (items.length === 0) return undefined;
  const times = items.flatMap(({ finding }) => (finding.kind === "facts" ? Object.values(finding.facts) : []));
  const value = times.filter((time): time is string => typeof time === "string" && !Number.isNaN(Date.parse(time)));
  return { value, from: items.map(({ id }) => id) };
}

/** Keys that nobody asked for, whose source gave no answer, an empty one, or only a part of one. */
function missingOf(evidence: readonly Evidence[]): string[] {
  const asked = findingsOf(evidence, "logs").length > 0 ? { ...wanted, logs: "log lines" } : wanted;
  const unheard = findingsOf(evidence, "log-patterns").some(({ finding }) => finding.kind === "missing");
  return (Object.entries(asked) as [EvidenceKey, string][])
    .flatMap(([key, words]) => {
      const answers = findingsOf(evidence, key).filter(({ finding }) => isAnswer(finding));
      if (answers.length === 0) return [words];
      return answers.some(({ finding }) => isPartial(finding)) ? [`a part of ${words}`] : [];
    })
    .concat(unheard ? ["log lines of what it calls"] : []);
}

/** Without these a change is made half blind, however their question ended. */
const needed: readonly EvidenceKey[] = ["alert-metric", "workload-state"];

/** Of what is missing, that which a source owed: an answer that is whole and empty is none of it. */
function unansweredIn(evidence: readonly Evidence[]): string[] {
  return (Object.entries(wanted) as [EvidenceKey, string][]).flatMap(([key, words]) => {
    const items = findingsOf(evidence, key);
    const failed = items.some(({ finding }) => finding.kind === "missing" || isPartial(finding));
    const absent = needed.includes(key) && !items.some(({ finding }) => isAnswer(finding));
    return failed || absent ? [words] : [];
  });
}

/** A note says what an answer lacks, unless it only tells that secrets were masked or how a query could be better. */
function isPartial(finding: Finding): boolean {
  const notes = finding.kind === "missing" ? [] : finding.notes;
  return notes.some((note) => !/^PromQL info:|\bsecrets were masked$/.test(note));
}

/** An empty list of events, commits or rollouts is an answer; an empty series is none. */
function isAnswer(finding: Finding): boolean {
  if (finding.kind === "missing") return false;
  return finding.kind !== "series" || finding.series.some(({ points }) => points.length > 0);
}

function findingsOf(evidence: readonly Evidence[], key: EvidenceKey): readonly Evidence[] {
  return evidence.filter((item) => item.key === key);
}

function idsOf(evidence: readonly Evidence[], ...keys: readonly EvidenceKey[]): string[] {
  return evidence
    .filter(({ key, finding }) => key && keys.includes(key) && finding.kind !== "missing")
    .map(({ id }) => id);
}
