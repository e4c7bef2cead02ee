import type { Random } from "./random.ts";
import { type Call, type Load, quantiles, type Served, serve } from "./service-model.ts";

/** One workload during one tick, its callees counted. */
export interface Flow extends Served {
  readonly name: string;
  /** Requests per second that arrived. */
  readonly offered: number;
  /** Calls per second to each callee, and how they ended. */
  readonly outbound: readonly { readonly callee: string; readonly rate: number }[];
}

type LoadOf = (workload: string, offered: number) => Load;

/**
 * Lets one tick of requests run through the graph: load flows from callers to callees, latency and errors flow back.
 * A call into a circle is left out.
 */
export function runTraffic(
  graph: { readonly workloads: readonly string[]; readonly calls: readonly Call[] },
  external: (workload: string) => number,
  loadOf: LoadOf,
  random: Random,
): ReadonlyMap<string, Flow> {
  const order = callersFirst(graph.workloads, graph.calls);
  const position = new Map(order.map((name, index) => [name, index]));
  const callsOf = (caller: string) =>
    graph.calls.filter(
      (call) => call.caller === caller && (position.get(call.callee) ?? -1) > (position.get(caller) ?? -1),
    );
  const offered = new Map(order.map((name) => [name, external(name)]));
  const flows = new Map<string, Flow>();
  for (const name of order) {
    const arriving = offered.get(name) ?? 0;
    const own = serve(loadOf(name, arriving));
    const outbound = callsOf(name).map(({ callee, perRequest }) => {
      const rate = own.served * perRequest;
      offered.set(callee, (offered.get(callee) ?? 0) + rate);
      return { callee, rate };
    });
    flows.set(name, { ...own, name, offered: arriving, outbound });
  }
  for (const name of [...order].reverse()) {
    const flow = flows.get(name);
    if (flow) flows.set(name, withCallees(flow, callsOf(name), flows, random));
  }
  return flows;
}

function withCallees(flow: Flow, calls: readonly Call[], flows: ReadonlyMap<string, Flow>, random: Random): Flow {
  if (calls.length === 0) return flow;
  const latencyMs = [...flow.latencyMs];
  let succeeded = 1 - flow.failedShare;
  for (const { callee, perRequest } of calls) {
    const below = flows.get(callee);
    if (!below) continue;
    const touched = Math.min(1, perRequest);
    succeeded *= 1 - below.failedShare * touched;
    // A caller below one call per request meets the callee in that share of its requests only.
    const sum = Math.max(1, Math.round(perRequest));
    for (let index = 0; index < quantiles; index += 1) {
      if (random() >= touched) continue;
      const drawn = below.latencyMs[Math.floor(random() * quantiles)] ?? 0;
      latencyMs[index] = (latencyMs[index] ?? 0) + drawn * sum;
    }
  }
  return { ...flow, latencyMs: latencyMs.sort((a, b) => a - b), failedShare: 1 - succeeded };
}

/** Every caller before its callees. */
function callersFirst(workloads: readonly string[], calls: readonly Call[]): string[] {
  const order: string[] = [];
  const state = new Set<string>();
  const known = new Set(workloads);
  const visit = (name: string) => {
    if (state.has(name)) return;
    state.add(name);
    for (const call of calls) if (call.caller === name && known.has(call.callee)) visit(call.callee);
    order.push(name);
  };
  for (const name of workloads) visit(name);
  return order.reverse();
}
