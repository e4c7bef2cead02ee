import { type Workload, workloadKey } from "../kubernetes/workload.ts";
import type { Series } from "./evidence.ts";
import { workloadOfLabels } from "./series.ts";

/** Both ends are workload keys. */
export interface Call {
  readonly caller: string;
  readonly callee: string;
}

/** Workload names without a kind: Istio's metrics, and OpenTelemetry's service graph. */
const pairs = [
  ["source_workload", "destination_workload"],
  ["client", "server"],
] as const;

/**
 * Reads calls from request rates that carry both ends as labels: Linkerd's `deployment` and `dst_deployment` (or
 * `statefulset`), or one of the pairs above, taken as Deployments. Ends are workload keys; `home` gives the namespace
 * that labels leave out. A pair without a request in the window is left out.
 */
export function callsOf(series: readonly Series[], home: Workload): readonly Call[] {
  return series.flatMap(({ labels, points }) => {
    if (!points.some(([, value]) => value > 0)) return [];
    const caller = workloadOfLabels(labels, home) ?? named(labels, 0, home);
    const callee = workloadOfLabels(labels, home, "dst_") ?? named(labels, 1, home);
    return caller && callee ? [{ caller: workloadKey(caller), callee: workloadKey(callee) }] : [];
  });
}

const namespaces = ["source_workload_namespace", "destination_workload_namespace"] as const;

function named(labels: Readonly<Record<string, string>>, end: 0 | 1, home: Workload): Workload | undefined {
  const name = pairs.map((pair) => labels[pair[end]]).find(Boolean);
  return name ? { kind: "Deployment", namespace: labels[namespaces[end]] ?? home.namespace, name } : undefined;
}
