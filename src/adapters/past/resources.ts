import type { ResourceField } from "../../domain/kubernetes/manifest-edit.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import type { WorkloadState } from "../../domain/kubernetes/workload-state.ts";
import { type Moment, samplesAt, selectorOf } from "./samples.ts";

/** The selector of a workload's pods by the names that Kubernetes gives them. */
export function podPattern({ kind, name }: Workload): string {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return `${escaped}${kind === "StatefulSet" ? "-[0-9]+" : "-[a-z0-9]+-[a-z0-9]{5}"}`;
}

/** What the one container asked for and might use; absent where there are several, as nobody could say which is meant. */
export async function resourcesThen(workload: Workload, moment: Moment): Promise<Pick<WorkloadState, "resources">> {
  const names = ["requests", "limits"].map((part) => `resource_${part}`);
  const base = selectorOf("kube_pod_container_", names, { namespace: workload.namespace });
  const query = `${base.slice(0, -1)},pod=~${JSON.stringify(podPattern(workload))}}`;
  const samples = await samplesAt(query, moment);
  const containers = new Set(samples.map(({ labels }) => labels.container ?? ""));
  if (containers.size !== 1) return {};
  const fields = samples.flatMap(({ name, labels, value }): [ResourceField, string][] => {
    const part = name.endsWith("limits") ? "limits" : "requests";
    if (labels.resource === "cpu") return [[`${part}.cpu`, coresText(value)]];
    return labels.resource === "memory" ? [[`${part}.memory`, bytesText(value)]] : [];
  });
  // While a rollout runs, pods of both sides are there.
  const isMixed = fields.some(([field, text]) => fields.some(([other, value]) => other === field && value !== text));
  return isMixed || fields.length === 0 ? {} : { resources: Object.fromEntries(fields) };
}

/** Exactly this amount, as people write it. */
function coresText(cores: number): string {
  return Number.isInteger(cores) ? String(cores) : `${Number((cores * 1000).toFixed(3))}m`;
}

function bytesText(bytes: number): string {
  const units = [
    ["Gi", 2 ** 30],
    ["Mi", 2 ** 20],
    ["Ki", 2 ** 10],
  ] as const;
  const [unit, factor] = units.find(([, size]) => bytes >= size && bytes % size === 0) ?? ["", 1];
  return `${bytes / factor}${unit}`;
}
