import type { Series } from "../evidence/evidence.ts";
import type { Call } from "../evidence/calls.ts";
import { type Workload, workloadOfKey } from "../kubernetes/workload.ts";

/**
 * `service` measures itself. `proxy` only passes calls on (load balancer, gateway, sidecar). `external` is seen by its
 * callers alone: it may be another view of a service that measures itself.
 */
export type NodeRole = "service" | "proxy" | "external";

/** Who calls whom. A node without a role is a service. */
export interface ServiceGraph {
  readonly calls: readonly Call[];
  readonly roles: Readonly<Record<string, NodeRole>>;
}

/** Callees by caller and callers by callee; a node that calls itself does not. */
export interface Neighbours {
  readonly callees: ReadonlyMap<string, readonly string[]>;
  readonly callers: ReadonlyMap<string, readonly string[]>;
}

export function neighboursOf(graph: ServiceGraph): Neighbours {
  const callees = new Map<string, Set<string>>();
  const callers = new Map<string, Set<string>>();
  for (const { caller, callee } of graph.calls) {
    if (caller === callee) continue;
    add(callees, caller, callee);
    add(callers, callee, caller);
  }
  return { callees: listed(callees), callers: listed(callers) };
}

/** The node and all that it calls, over any number of calls; everything may be called where nobody saw any call. */
export function isReachedFrom(node: string, graph: ServiceGraph, { callees } = neighboursOf(graph)) {
  const reached = new Set([node]);
  for (const each of reached) for (const callee of callees.get(each) ?? []) reached.add(callee);
  return (other: string): boolean => graph.calls.length === 0 || reached.has(other);
}

export function roleOf(graph: ServiceGraph, node: string): NodeRole {
  return Object.hasOwn(graph.roles, node) ? (graph.roles[node] ?? "service") : "service";
}

/** Declared calls as the series that `callsOf` reads; keys are `namespace/Kind/name`. */
export function dependencySeries(
  declared: Readonly<Record<string, readonly string[]>>,
  { namespace }: Workload,
  at: number,
): readonly Series[] {
  const mine = Object.entries(declared).filter(([caller]) => caller.startsWith(`${namespace}/`));
  return mine.flatMap(([caller, callees]) =>
    callees.map((callee) => ({
      labels: { ...endLabels(caller), ...endLabels(callee, "dst_") },
      points: [[at, 1]] as const,
    })),
  );
}

function endLabels(key: string, prefix = ""): Record<string, string> {
  const { namespace, kind, name } = workloadOfKey(key);
  return { [`${prefix}namespace`]: namespace, [`${prefix}${kind.toLowerCase()}`]: name };
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}

function listed(map: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, readonly string[]> {
  return new Map([...map].map(([key, values]) => [key, [...values]]));
}
