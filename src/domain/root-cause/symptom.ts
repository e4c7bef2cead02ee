import type { Evidence, EvidenceKey, Series } from "../evidence/evidence.ts";
import { unitIn } from "../evidence/finding-text.ts";
import { ownerKeyOf, workloadOfLabels } from "../evidence/series.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";
import type { NodeSeries } from "./ranking/anomaly.ts";
import { confidencesOf, leastConfidence } from "./ranking/calibration.ts";
import type { MetricKind } from "./ranking/node-metric.ts";
import { asSeen, type RankedService, rankServices } from "./ranking/services.ts";
import { type Timeline, timelineOf, valuesOn, windowsOf } from "./ranking/timeline.ts";
import { callsOf } from "../evidence/calls.ts";
import { isReachedFrom, type NodeRole, type ServiceGraph } from "./service-graph.ts";
import { hintsIn } from "./hints.ts";

/** A workload that may be where the trouble arises: the alerting one, or one that it depends on. */
export interface Suspect {
  readonly workload: Workload;
  /** 1 = worse than the worst that the normal period of the whole system shows. */
  readonly score: number;
  /** How often such an answer was right, measured on known incidents. */
  readonly confidence: number;
  /** True when only its callers see it off: the trouble lies between them. */
  readonly link: boolean;
  /** True when calls were seen, and none leads from the alerting workload to it. */
  readonly stranger: boolean;
  readonly because: readonly string[];
  readonly from: readonly string[];
}

/** The workloads by how likely the trouble arises in them, or why nobody can tell. */
export type SymptomRanking =
  | { readonly kind: "ranked"; readonly suspects: readonly Suspect[] }
  | { readonly kind: "abstained"; readonly because: string; readonly suspects: readonly Suspect[] };

const mostSuspects = 5;
/** Without calls nobody knows whether what is off elsewhere has anything to do with this workload. */
const withoutCalls = 0.8;

/**
 * Ranks the workloads by all evidence: what callers and callees measure, resources against their own normal and their
 * limit, logs, events, rollouts and commits. Whatever of it is missing is missing; none of it is needed.
 */
export function rankSymptom(home: Workload, evidence: readonly Evidence[]): SymptomRanking {
  const measured = measuredIn(home, evidence);
  const timeline = timelineOf(measured.map(({ series }) => series));
  if (!timeline) return { kind: "abstained", because: "no metric has enough points", suspects: [] };
  const workloads = new Map(
    [home, ...measured.map(({ workload }) => workload)].map((each) => [workloadKey(each), each]),
  );
  const graph = graphOf(home, evidence);
  const began = beganAt(evidence);
  const ranked = rankServices({
    ...{ graph, series: seriesByNode(measured, timeline), symptom: workloadKey(home) },
    ...{ windows: windowsOf(timeline, began), hints: hintsIn(home, evidence, workloads, began) },
  });
  const isReached = isReachedFrom(workloadKey(home), graph);
  const suspects = suspectsOf(ranked, workloads, measured).map((each): Suspect => {
    const stranger = !isReached(workloadKey(each.workload));
    const unknown = stranger || graph.calls.length === 0;
    return { ...each, stranger, confidence: rounded(each.confidence * (unknown ? withoutCalls : 1)) };
  });
  const first = suspects[0];
  if (first && first.confidence >= leastConfidence) return { kind: "ranked", suspects };
  const most = first ? `: the most, at ${first.workload.name}, is ${first.score.toFixed(2)} of what would count` : "";
  return { kind: "abstained", because: `nothing is worse than in the worst of a normal period${most}`, suspects };
}

interface Measured {
  readonly workload: Workload;
  readonly what: string;
  readonly kind: MetricKind;
  readonly series: Series;
  /** Counts per second become counts per interval: the ranker asks how many there were. */
  readonly perSecond: boolean;
  readonly unit: string;
  readonly from: readonly string[];
}

interface Reading {
  readonly what: string;
  readonly kind: MetricKind;
  readonly perSecond?: boolean;
  /** A share of failures is read as the share that worked. */
  readonly inverted?: boolean;
}

/** What `metric` says in `node-metrics`. What callers see comes first: it is what their users feel. */
const byMetric: Readonly<Record<string, Reading>> = {
  "latency-seen": { what: `latency ${asSeen}`, kind: "latency" },
  latency: { what: "latency", kind: "latency" },
  "availability-seen": { what: `availability ${asSeen}`, kind: "availability" },
  "error-share-seen": { what: `availability ${asSeen}`, kind: "availability", inverted: true },
  availability: { what: "availability", kind: "availability" },
  "error-share": { what: "availability", kind: "availability", inverted: true },
  errors: { what: "errors", kind: "errors", perSecond: true },
  requests: { what: "requests", kind: "requests", perSecond: true },
  saturation: { what: "saturation", kind: "saturation" },
};

/** Load and signs by their own keys; `limit` turns bytes or cores into a share. */
const byKey: Partial<Readonly<Record<EvidenceKey, Reading & { readonly limit?: EvidenceKey }>>> = {
  "cpu-used": { what: "CPU", kind: "usage" },
  "cpu-throttled": { what: "share of throttled CPU periods", kind: "saturation" },
  "memory-used": { what: "memory", kind: "usage" },
  restarts: { what: "restarts", kind: "signs" },
  "log-errors": { what: "error lines in the log", kind: "signs", perSecond: true },
  "resource-use": { what: "use of a resource", kind: "usage" },
};

function measuredIn(home: Workload, evidence: readonly Evidence[]): readonly Measured[] {
  const all = evidence.flatMap(({ id, key, finding }): Measured[] => {
    if (finding.kind !== "series" || key === undefined) return [];
    return finding.series.flatMap((series) => {
      const meaning = key === "node-metrics" ? byMetric[series.labels.metric ?? ""] : byKey[key];
      const workload = workloadOfSeries(series, home);
      if (!meaning || !workload || series.points.length === 0) return [];
      const { what, kind, perSecond = false, inverted = false } = meaning;
      // What is counted for each interval is a rate no more; a share of what worked is a share as well.
      const unit = perSecond ? "" : inverted ? "share" : unitIn({ key, finding });
      const named = key === "resource-use" ? (series.labels.metric ?? what) : what;
      const read = inverted ? complementOf(series) : series;
      return [{ workload, what: named, kind, series: read, perSecond, unit, from: [id] }];
    });
  });
  const order = Object.values(byMetric).map(({ what }) => what);
  const rank = ({ what }: Measured) => (order.includes(what) ? order.indexOf(what) : order.length);
  return all.sort((a, b) => rank(a) - rank(b));
}

function workloadOfSeries({ labels }: Series, home: Workload): Workload | undefined {
  return workloadOfLabels(labels, home) ?? (ownerKeyOf(labels, home) === undefined ? undefined : home);
}

function complementOf({ labels, points }: Series): Series {
  return { labels, points: points.map(([at, share]) => [at, 1 - share] as const) };
}

function seriesByNode(measured: readonly Measured[], timeline: Timeline): ReadonlyMap<string, readonly NodeSeries[]> {
  const byNode = new Map<string, NodeSeries[]>();
  for (const { workload, what, kind, series, perSecond, unit } of measured) {
    const values = valuesOn(timeline, series, perSecond ? timeline.step : 1);
    const key = workloadKey(workload);
    const list = byNode.get(key) ?? [];
    byNode.set(key, list);
    list.push({ what, kind, values, ...(unit === "" ? {} : { unit }) });
  }
  return byNode;
}

/** A node that only passes calls on, or that is seen by its callers alone, says so in the label `role`. */
function graphOf(home: Workload, evidence: readonly Evidence[]): ServiceGraph {
  const series = evidence.flatMap(({ key, finding }) =>
    finding.kind === "series" && (key === "calls" || key === "node-metrics")
      ? finding.series.map((one) => ({ key, one }))
      : [],
  );
  const calls = callsOf(
    series.filter(({ key }) => key === "calls").map(({ one }) => one),
    home,
  );
  const roles = series.flatMap(({ one }): [string, NodeRole][] => {
    const workload = workloadOfLabels(one.labels, home);
    const { role } = one.labels;
    return workload && (role === "proxy" || role === "external") ? [[workloadKey(workload), role]] : [];
  });
  return { calls, roles: Object.fromEntries(roles) };
}

/** When the alert's condition began to hold: its start less the rule's `for`; unix seconds. */
export function beganAt(evidence: readonly Pick<Evidence, "key" | "finding">[]): number | undefined {
  const fact = (key: EvidenceKey, name: string) =>
    evidence.flatMap((item) =>
      item.key === key && item.finding.kind === "facts" ? [item.finding.facts[name]] : [],
    )[0];
  const started = Date.parse(String(fact("alert", "startsAt")));
  const held = Number(fact("alert-rule", "forSeconds") ?? 0);
  return Number.isNaN(started) ? undefined : started / 1000 - (Number.isFinite(held) ? held : 0);
}

function suspectsOf(
  ranked: readonly RankedService[],
  workloads: ReadonlyMap<string, Workload>,
  measured: readonly Measured[],
): readonly Omit<Suspect, "stranger">[] {
  const confidences = confidencesOf(ranked.map(({ score }) => score));
  return ranked.slice(0, mostSuspects).flatMap(({ node, score, link, because, from: hinted }, index) => {
    const workload = workloads.get(node);
    if (!workload) return [];
    const from = measured.filter((each) => workloadKey(each.workload) === node).flatMap((each) => each.from);
    const confidence = confidences[index] ?? 0;
    return [{ workload, score: rounded(score), confidence, link, because, from: [...new Set([...from, ...hinted])] }];
  });
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
