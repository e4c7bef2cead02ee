import { type Deviation, deviationOf, type MetricKind, type Moments, type NodeMetric } from "./node-metric.ts";
import { medianOf } from "./robust-score.ts";
import { type Neighbours, neighboursOf, type ServiceGraph } from "../service-graph.ts";

/** What to rank: who calls whom, what was measured, and where it hurts. */
export interface RankingInput {
  readonly graph: ServiceGraph;
  readonly metrics: ReadonlyMap<string, readonly NodeMetric[]>;
  readonly symptom: { readonly node: string; readonly kind: MetricKind };
}

/** Robust standard deviations from which the symptom is followed through a node. */
const passingAt = 1;
const mostPasses = 30;

/** A node on the way from the symptom. */
export interface Visit {
  readonly node: string;
  /** From the symptom to this node. */
  readonly path: readonly string[];
  /** Share of its calls that the symptom is behind. */
  readonly reach: number;
  /** Its metric is as usual: the symptom does not come through it. */
  readonly closed: boolean;
  /** At the hot moments, per interval; where they were not measured, those of the caller. */
  readonly requests: number | undefined;
  readonly deviation: Deviation | undefined;
  /** Extra time or failures per interval at the hot moments, in the symptom's unit. */
  readonly amount: number;
  readonly callees: readonly { readonly node: string; readonly portion: number }[];
}

/** Visits what the symptom's node calls, and what that calls, through nodes that are off or not measured. */
export function walkFrom(input: RankingInput, moments: Moments): ReadonlyMap<string, Visit> {
  const neighbours = neighboursOf(input.graph);
  const traffic = new Map<string, number | undefined>();
  const trafficOf = (node: string): number | undefined => {
    if (!traffic.has(node)) traffic.set(node, requestsAt(input.metrics.get(node), moments));
    return traffic.get(node);
  };
  const visits = new Map<string, Visit>();
  const queue: { node: string; path: readonly string[]; inherited?: number | undefined }[] = [
    { node: input.symptom.node, path: [input.symptom.node] },
  ];
  for (const { node, path, inherited } of queue) {
    if (visits.has(node)) continue;
    const requests = trafficOf(node) ?? inherited;
    const deviation = deviationIn(input, node, moments, requests);
    const callees = calleesOf(node, neighbours, trafficOf);
    const closed = deviation !== undefined && deviation.score < passingAt && node !== input.symptom.node;
    const amount = amountOf(deviation, requests);
    visits.set(node, { node, path, reach: 0, closed, requests, deviation, amount, callees });
    if (closed) continue;
    queue.push(...callees.map((callee) => ({ node: callee.node, path: [...path, callee.node], inherited: requests })));
  }
  return withReach(visits, input.symptom.node);
}

/** Share of each node's calls that the symptom is behind, over all paths; settles quickly, circles included. */
function withReach(visits: ReadonlyMap<string, Visit>, symptom: string): ReadonlyMap<string, Visit> {
  let reach: ReadonlyMap<string, number> = new Map([[symptom, 1]]);
  for (let pass = 0; pass < mostPasses; pass += 1) {
    const next = reachAfter(reach, visits, symptom);
    const settled = [...next].every(([node, share]) => Math.abs(share - (reach.get(node) ?? 0)) < 1e-6);
    reach = next;
    if (settled) break;
  }
  return new Map([...visits].map(([node, visit]) => [node, { ...visit, reach: reach.get(node) ?? 0 }]));
}

function reachAfter(
  reach: ReadonlyMap<string, number>,
  visits: ReadonlyMap<string, Visit>,
  symptom: string,
): ReadonlyMap<string, number> {
  const next = new Map([[symptom, 1]]);
  const open = [...visits.values()].filter(({ closed }) => !closed);
  for (const { node, callees } of open) {
    const share = reach.get(node) ?? 0;
    for (const callee of callees.filter((called) => called.node !== symptom)) {
      next.set(callee.node, Math.min(1, (next.get(callee.node) ?? 0) + share * callee.portion));
    }
  }
  return next;
}

function deviationIn(
  { metrics, symptom }: RankingInput,
  node: string,
  moments: Moments,
  requests: number | undefined,
): Deviation | undefined {
  const metric = metrics.get(node)?.find(({ kind }) => kind === symptom.kind);
  return metric && deviationOf(metric, moments, requests);
}

function requestsAt(metrics: readonly NodeMetric[] | undefined, moments: Moments): number | undefined {
  const requests = metrics?.find(({ kind }) => kind === "requests");
  return requests && medianOf(moments.hot.map((index) => requests.abnormal[index] ?? Number.NaN));
}

/** Callees with the portion of their calls that comes from this caller: split by the callers' own traffic. */
function calleesOf(
  node: string,
  { callees, callers }: Neighbours,
  trafficOf: (node: string) => number | undefined,
): Visit["callees"] {
  return (callees.get(node) ?? []).map((callee) => {
    const rivals = (callers.get(callee) ?? []).map((caller) => trafficOf(caller) ?? 0);
    const all = rivals.reduce((sum, value) => sum + value, 0);
    const mine = trafficOf(node);
    return { node: callee, portion: mine === undefined || all === 0 ? 1 : mine / all };
  });
}

/** Small deviations may be noise: they count for less than their size. */
function amountOf(deviation: Deviation | undefined, requests: number | undefined): number {
  if (!deviation) return 0;
  const beyondNoise = deviation.excess * (deviation.score ** 2 / (deviation.score ** 2 + 1));
  const perRequest = deviation.kind === "latency" || deviation.kind === "availability";
  return perRequest ? beyondNoise * (requests ?? 1) : beyondNoise;
}
