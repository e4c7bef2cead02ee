import type { Evidence, Series } from "../evidence/evidence.ts";
import type { MetricKind, NodeMetric } from "./ranking/node-metric.ts";
import { stepOf } from "./change-point.ts";
import { type Ranking, rankCauses } from "./ranking/attribution.ts";
import { workloadOfLabels } from "../evidence/series.ts";
import { medianOf } from "./ranking/robust-score.ts";
import { callsOf, type ServiceGraph } from "./service-graph.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";

/** The ranking of an incident: the workloads behind the symptom, without the alerting one itself. */
export type SymptomRanking =
  | {
      readonly kind: "ranked";
      readonly metric: MetricKind;
      readonly ranking: Extract<Ranking, { kind: "ranked" }>;
      readonly downstream: readonly {
        readonly workload: Workload;
        readonly share: number;
        readonly from: readonly string[];
      }[];
    }
  | { readonly kind: "abstained"; readonly because: string };

/** What hurts users first. */
const symptomKinds: readonly MetricKind[] = ["latency", "availability", "errors"];
const leastNormal = 8;

/**
 * Ranks the causes over the graph and the metrics in the evidence. The incident begins where the symptom's series steps;
 * what lies before it by more than its own length is the normal period.
 */
export function rankSymptom(home: Workload, evidence: readonly Evidence[]): SymptomRanking {
  const items = evidence.filter(({ key }) => key === "calls" || key === "node-metrics");
  const from = items.filter(({ finding }) => finding.kind === "series").map(({ id }) => id);
  const calls = seriesOf(items, "calls");
  const measured = seriesOf(items, "node-metrics").flatMap((series) => {
    const workload = workloadOfLabels(series.labels, home);
    const kind = kindOf(series.labels.metric);
    const inverted = series.labels.metric === "error-share";
    return workload && kind ? [{ workload, kind, series: inverted ? availabilityOf(series) : series }] : [];
  });
  const graph: ServiceGraph = { calls: callsOf(calls, home), roles: {} };
  if (graph.calls.length === 0) return { kind: "abstained", because: "no service graph" };

  const workloads = new Map(measured.map(({ workload }) => [workloadKey(workload), workload]));
  const rankings = symptomKinds.flatMap((metric) => {
    const ranking = rankedBy(metric, home, measured, graph);
    return ranking?.kind === "ranked" ? [{ metric, ranking }] : [];
  });
  const best = rankings.sort((a, b) => leadOf(b.ranking) - leadOf(a.ranking))[0];
  if (!best) return { kind: "abstained", because: "nothing stands out over the service graph" };
  const downstream = best.ranking.causes.flatMap(({ node, score }) => {
    const workload = workloads.get(node);
    return workload && node !== workloadKey(home) ? [{ workload, share: score, from }] : [];
  });
  return { kind: "ranked", ...best, downstream };
}

interface Measured {
  readonly workload: Workload;
  readonly kind: MetricKind;
  readonly series: Series;
}

function rankedBy(
  kind: MetricKind,
  home: Workload,
  measured: readonly Measured[],
  graph: ServiceGraph,
): Ranking | undefined {
  const node = workloadKey(home);
  const own = measured.find((item) => item.kind === kind && workloadKey(item.workload) === node);
  const times = own?.series.points.map(([at]) => at) ?? [];
  const onset = own && stepOf(own.series);
  const first = times.findIndex((at) => at >= (onset?.at ?? Number.POSITIVE_INFINITY));
  if (first < 0) return undefined;
  // As many calm points as bad ones go with the incident, as far as a normal period remains.
  const start = Math.max(Math.min(leastNormal, first), 2 * first - times.length);
  const [normal, abnormal] = [times.slice(0, start), times.slice(start)];
  // Rates per second become counts per interval: the ranker asks how many failures there were.
  const seconds = intervalOf(times);
  const metrics = new Map<string, NodeMetric[]>();
  for (const { workload, kind: itsKind, series } of measured) {
    const values = new Map(series.points);
    const unit = itsKind === "requests" || itsKind === "errors" ? seconds : 1;
    const at = (time: number): number => (values.get(time) ?? Number.NaN) * unit;
    const metric = { kind: itsKind, normal: normal.map(at), abnormal: abnormal.map(at) };
    const key = workloadKey(workload);
    metrics.set(key, [...(metrics.get(key) ?? []), metric]);
  }
  return rankCauses({ graph, metrics, symptom: { node, kind } });
}

function intervalOf(times: readonly number[]): number {
  return medianOf(times.slice(1).map((time, index) => time - (times[index] ?? time))) ?? 1;
}

function leadOf(ranking: Ranking): number {
  return ranking.kind === "ranked" ? (ranking.causes[0]?.score ?? 0) : 0;
}

function seriesOf(items: readonly Evidence[], key: Evidence["key"]): readonly Series[] {
  return items.flatMap((item) => (item.key === key && item.finding.kind === "series" ? item.finding.series : []));
}

const kinds: readonly MetricKind[] = ["latency", "availability", "requests", "errors", "saturation"];

function availabilityOf({ labels, points }: Series): Series {
  return { labels, points: points.map(([at, share]) => [at, 1 - share] as const) };
}

function kindOf(name: string | undefined): MetricKind | undefined {
  if (name === "error-share") return "availability";
  return kinds.find((kind) => kind === name);
}
