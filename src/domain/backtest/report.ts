import type { UnplacedAlerts } from "../incident/unplaced.ts";
import { workloadOfKey } from "../kubernetes/workload.ts";
import { isSame, type PastRecord } from "./record.ts";
import type { VerdictKind } from "./verdict.ts";

/** How one alert on one workload went. */
export interface ClassRow {
  readonly alert: string;
  readonly workload: string;
  /** The remedies that would have been proposed, most frequent first. */
  readonly remedies: readonly string[];
  /** The namespaces of what would have been changed. */
  readonly targets: readonly string[];
  readonly incidents: number;
  readonly diagnosed: number;
  readonly proposed: number;
  readonly verdicts: Readonly<Record<VerdictKind, number>>;
  /** The middle one of the leads over people's commits; undefined without any. */
  readonly leadMs: number | undefined;
  /** What people would have waited less, summed over the incidents in which they did the same later. */
  readonly savedMs: number;
  /** What the proposed changes add per month, summed; undefined without a price book. */
  readonly perMonth: number | undefined;
}

/** What was said of its own sureness, against what people did. */
export interface ConfidenceBand {
  readonly from: number;
  readonly to: number;
  /** Incidents in which people changed the workload, and one was proposed. */
  readonly compared: number;
  readonly said: number;
  readonly right: number;
}

/** What stood in the way, how often, and the line of configuration that helps. */
export interface Gap {
  readonly kind: "alert without workload" | "evidence missing" | "metric without data" | "refused" | "no remedy";
  readonly times: number;
  readonly what: string;
  readonly line: string;
}

/** What a backtest, or the weeks of shadow mode, come to. */
export interface BacktestReport {
  readonly from: string;
  readonly to: string;
  readonly incidents: number;
  readonly verdicts: Readonly<Record<VerdictKind, number>>;
  readonly leadMs: number | undefined;
  readonly savedMs: number;
  readonly currency: string | undefined;
  readonly classes: readonly ClassRow[];
  readonly calibration: readonly ConfidenceBand[];
  readonly gaps: readonly Gap[];
  /** Incidents that are not in it, because a source gave no answer. */
  readonly unanswered: number;
  readonly notes: readonly string[];
}

interface Reported {
  readonly records: readonly PastRecord[];
  readonly from: string;
  readonly to: string;
  readonly unplaced?: readonly UnplacedAlerts[];
  readonly unanswered?: number;
  readonly notes?: readonly string[];
}

/** Counts what was seen; every number can be added up from the records. */
export function reportOf({ records, from, to, unplaced = [], unanswered = 0, notes = [] }: Reported): BacktestReport {
  const leads = leadsOf(records);
  return {
    ...{ from, to, incidents: records.length, verdicts: verdictsOf(records), leadMs: median(leads) },
    savedMs: leads.reduce((sum, lead) => sum + lead, 0),
    currency: records.flatMap(({ would }) => (would.kind === "proposed" ? (would.currency ?? []) : []))[0],
    ...{
      classes: classesOf(records),
      calibration: bandsOf(records),
      gaps: gapsOf(records, unplaced),
      unanswered,
      notes,
    },
  };
}

function verdictsOf(records: readonly PastRecord[]): Record<VerdictKind, number> {
  const count = (kind: VerdictKind) => records.filter(({ verdict }) => verdict.kind === kind).length;
  return {
    ...{ agreed: count("agreed"), earlier: count("earlier"), different: count("different") },
    ...{ "healed-by-itself": count("healed-by-itself"), "no-remedy": count("no-remedy"), refused: count("refused") },
    "not-known": count("not-known"),
  };
}

function leadsOf(records: readonly PastRecord[]): readonly number[] {
  return records.flatMap(({ verdict: { kind, leadMs } }) =>
    kind === "earlier" && leadMs !== undefined ? [leadMs] : [],
  );
}

function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

function classesOf(records: readonly PastRecord[]): readonly ClassRow[] {
  return groupsOf(records, ({ alert, workload }) => `${alert}\n${workload}`)
    .map(classOf)
    .sort((a, b) => b.incidents - a.incidents || (a.alert < b.alert ? -1 : 1));
}

function groupsOf(records: readonly PastRecord[], keyOf: (record: PastRecord) => string): readonly PastRecord[][] {
  const groups = new Map<string, PastRecord[]>();
  for (const record of records) groups.set(keyOf(record), [...(groups.get(keyOf(record)) ?? []), record]);
  return [...groups.values()];
}

function classOf(records: readonly PastRecord[]): ClassRow {
  const proposed = records.flatMap(({ would }) => (would.kind === "proposed" ? [would] : []));
  const leads = leadsOf(records);
  const priced = proposed.flatMap(({ perMonth }) => perMonth ?? []);
  const byRemedy = new Map<string, number>();
  for (const { remedy } of proposed) byRemedy.set(remedy, (byRemedy.get(remedy) ?? 0) + 1);
  return {
    ...{ alert: records[0]?.alert ?? "", workload: records[0]?.workload ?? "", incidents: records.length },
    targets: [...new Set(proposed.map(({ target }) => workloadOfKey(target).namespace))].sort(),
    remedies: [...byRemedy].sort((a, b) => b[1] - a[1]).map(([remedy]) => remedy),
    diagnosed: records.filter(({ would }) => would.cause !== undefined).length,
    ...{ proposed: proposed.length, verdicts: verdictsOf(records), leadMs: median(leads) },
    savedMs: leads.reduce((sum, lead) => sum + lead, 0),
    perMonth: priced.length === 0 ? undefined : priced.reduce((sum, cost) => sum + cost, 0),
  };
}

const bounds = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

function bandsOf(records: readonly PastRecord[]): readonly ConfidenceBand[] {
  const compared = records.flatMap(({ would, verdict }) =>
    would.kind === "proposed" && (isSame(verdict) || verdict.kind === "different")
      ? [{ said: would.confidence, right: isSame(verdict) }]
      : [],
  );
  return bounds.slice(0, -1).flatMap((from, index) => {
    const to = bounds[index + 1] ?? 1;
    const inside = compared.filter(({ said }) => said >= from && (said < to || (to === 1 && said === 1)));
    if (inside.length === 0) return [];
    const said = inside.reduce((sum, one) => sum + one.said, 0) / inside.length;
    return [
      { from, to, compared: inside.length, said, right: inside.filter(({ right }) => right).length / inside.length },
    ];
  });
}

function gapsOf(records: readonly PastRecord[], unplaced: readonly UnplacedAlerts[]): readonly Gap[] {
  const alerts = unplaced.map(({ name, because, line, times }): Gap => {
    return { kind: "alert without workload", times, what: `${name}: ${because}`, line };
  });
  const missing = countsOf(records.flatMap((record) => [...new Set(record.missing)])).map(
    ([title, times]): Gap => ({ kind: "evidence missing", times, what: title, line: lineFor(title) }),
  );
  const empty = countsOf(records.flatMap((record) => [...new Set(record.empty)])).map(
    ([title, times]): Gap => ({ kind: "metric without data", times, what: title, line: lineFor(title) }),
  );
  const refusals = countsOf(reasonsOf(records, "refused")).map(
    ([what, times]): Gap => ({ kind: "refused", times, what, line: lineForRefusal(what) }),
  );
  const none = countsOf(reasonsOf(records, "no-remedy")).map(
    ([what, times]): Gap => ({ kind: "no remedy", times, what, line: lineForRefusal(what) }),
  );
  return [...alerts, ...refusals, ...none, ...empty, ...missing].sort((a, b) => b.times - a.times);
}

/** Reasons as kinds: what differs only by names of objects in brackets and by numbers stays apart, the rest is one. */
function reasonsOf(records: readonly PastRecord[], kind: "refused" | "no-remedy"): readonly string[] {
  return records.flatMap(({ would }) => (would.kind === kind ? [would.because] : []));
}

function countsOf(texts: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

const lines: readonly (readonly [RegExp, string])[] = [
  [/^events\b/, "none for the past: a running Rectify reads them while they are there"],
  [/^rollouts\b/, "kube-state-metrics: --metric-allowlist with kube_replicaset_owner and kube_replicaset_created"],
  [/^commit that the controller applied/, "none for the past: a running Rectify asks the controller"],
  [
    /^(state of the workload|what keeps pods|containers killed|quotas)/,
    "scrape kube-state-metrics into this Prometheus",
  ],
  [/^rule of the alert|^metric of the alert/, "load the alert's rule in the Prometheus that PROMETHEUS_URL names"],
  [
    /^(requests per second|share of requests|95th percentile)/,
    "metrics of the traffic: Linkerd, Istio, OpenTelemetry or http_requests_total",
  ],
  [/^(CPU used|memory of)/, "scrape cAdvisor (the kubelet's /metrics/cadvisor) into this Prometheus"],
  [/^(CPU requested|memory limit|restarts)/, "scrape kube-state-metrics into this Prometheus"],
  [/^log lines/, "LOKI_URL, with the labels namespace and pod on the streams"],
  [/^past firings/, "a retention of seven days at least: --storage.tsdb.retention.time"],
  [/^commits/, "the entry that deploys the workload must be in this repository and render"],
];

function lineFor(title: string): string {
  return lines.find(([shape]) => shape.test(title))?.[1] ?? "see `rectify doctor`";
}

const fixes: readonly (readonly [RegExp, string])[] = [
  [/namespace ([a-z0-9-]+) is not one that Rectify may change/, "namespaces: [$1]"],
  [/kind (\w+) is not allowed/, "kinds: [$1]"],
  [/(\d+) replicas are outside/, "maxReplicas: $1"],
  [/\.github\/rectify\.yml is missing/, "rectify config init > .github/rectify.yml"],
  [/kube-state-metrics has no/, "scrape kube-state-metrics into this Prometheus"],
  [/no entry of the repository made/, "rectify survey says which workloads this repository declares"],
  [/several entries of the repository made/, "CLUSTER_NAME, or KUBERNETES_URL to ask the live object"],
  [/no signal of .* presses/, "metrics of the workload: Linkerd, Istio, OpenTelemetry or http_requests_total"],
  [/guardrails require the model|model: required/, "model: optional"],
  [/^policy ([a-z0-9-]+): /, "the policy $1 in policies/"],
  // A refusal of the edit says itself, behind its kind, what would help.
  [/\([a-z]+(?:-[a-z]+)*\)\. (\S[\s\S]{10,300})/, "$1"],
];

/** The line of the guardrails, or of the installation, that would change it; empty where only a person can. */
function lineForRefusal(because: string): string {
  for (const [shape, fix] of fixes) {
    const match = shape.exec(because);
    if (match) return fix.replace("$1", match[1] ?? "");
  }
  return "";
}
