import type { Neighbours } from "../service-graph.ts";
import type { Anomaly } from "./anomaly.ts";
import type { MetricKind } from "./node-metric.ts";

/** Everything that was found about the nodes, before one is weighed against the other. */
export interface Observed {
  readonly anomalies: ReadonlyMap<string, readonly Anomaly[]>;
  /** Requests per interval in the window; undefined = not measured. */
  readonly requests: ReadonlyMap<string, number | undefined>;
  readonly neighbours: Neighbours;
  /** The strength that the worst of the whole system's normal windows reaches. */
  readonly threshold: number;
}

/** What a caller keeps of a trouble that its callees explain in full. */
const leastKept = 0.1;
const passedOn: readonly MetricKind[] = ["latency", "availability", "errors"];
const failing: readonly MetricKind[] = ["availability", "errors"];

/**
 * Which share of an anomaly is the node's own, 0 to 1: a caller is slow or fails because of what it calls. A callee
 * whose failures nobody measured excuses its caller as far as it is off itself and is called often enough.
 */
export function excuseOf(node: string, anomaly: Anomaly, observed: Observed): number {
  if (!passedOn.includes(anomaly.kind) || anomaly.excess <= 0) return 1;
  const callees = observed.neighbours.callees.get(node) ?? [];
  const below = callees.reduce((sum, callee) => sum + amountFrom(callee, node, anomaly.kind, observed), 0);
  const hidden = failing.includes(anomaly.kind)
    ? callees.map((callee) => hiddenIn(callee, node, anomaly, observed)).reduce((most, part) => Math.max(most, part), 0)
    : 0;
  const own = Math.max(0, 1 - below / anomaly.excess) * (1 - hidden);
  return leastKept + (1 - leastKept) * own;
}

/** What one callee adds for each request of this caller, in the unit of the caller's own measurement. */
function amountFrom(callee: string, caller: string, kind: MetricKind, observed: Observed): number {
  const same = (observed.anomalies.get(callee) ?? []).filter((anomaly) => anomaly.kind === kind);
  const worst = same.reduce<Anomaly | undefined>(
    (most, each) => (most && most.excess >= each.excess ? most : each),
    undefined,
  );
  if (!worst || worst.strength < 0.5) return 0;
  const calls = callsPerRequest(callee, caller, observed);
  // Seldom called is still waited for by those who call it; a failure counts once for each request.
  return worst.excess * (kind === "latency" ? Math.max(1, calls ?? 1) : Math.min(1, calls ?? 1));
}

function hiddenIn(callee: string, caller: string, anomaly: Anomaly, observed: Observed): number {
  const theirs = observed.anomalies.get(callee) ?? [];
  if (theirs.some(({ kind }) => failing.includes(kind))) return 0;
  const own = theirs.filter(({ kind, what }) => kind !== "calls" || what !== lostByIt);
  const strength = own.reduce((most, each) => Math.max(most, each.strength), 0);
  const calls = Math.min(1, callsPerRequest(callee, caller, observed) ?? 0);
  const failed = anomaly.kind === "availability" ? anomaly.excess : 0;
  return failed > 0 ? Math.min(1, calls / failed) * Math.min(1, strength / observed.threshold) : 0;
}

/** Names the measurement that a node is called less than its callers are: it may be the victim. */
export const lostByIt = "calls for each request of its callers";

/** Calls to the callee for each request of the caller; callers share a callee by their own traffic. */
function callsPerRequest(callee: string, caller: string, { requests, neighbours }: Observed): number | undefined {
  const [mine, theirs] = [requests.get(caller), requests.get(callee)];
  if (!mine || theirs === undefined) return undefined;
  const rivals = (neighbours.callers.get(callee) ?? []).reduce((sum, rival) => sum + (requests.get(rival) ?? 0), 0);
  return rivals > 0 ? theirs / rivals : theirs / mine;
}
