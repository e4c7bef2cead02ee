import type { OwnerMark } from "../../../ports/kubernetes.ts";
import type { Metrics } from "../../../ports/monitoring.ts";
import type { Clock } from "../../../ports/runtime.ts";

interface Asked {
  readonly metrics: Pick<Metrics, "range">;
  readonly clock: Clock;
}

// A pod that is gone is remembered as long as an alert about it may still fire.
const memoryMs = 60 * 60_000;

/** Who owned a pod that is gone, as kube-state-metrics told it; undefined when nobody told, or told differently. */
export async function ownerSeen(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  asked: Asked,
): Promise<OwnerMark | undefined> {
  const of = `namespace=${JSON.stringify(namespace)},pod=${JSON.stringify(name)}`;
  const owner = await newestLabels(`max by (owner_kind, owner_name) (kube_pod_owner{${of}})`, asked);
  const set = owner?.owner_kind === "ReplicaSet" ? owner.owner_name : undefined;
  if (set === undefined) return markOf(owner);
  const above = `namespace=${JSON.stringify(namespace)},replicaset=${JSON.stringify(set)}`;
  const grand = await newestLabels(`max by (owner_kind, owner_name) (kube_replicaset_owner{${above}})`, asked);
  return markOf(grand) ?? markOf(owner);
}

/** The pod behind a scrape target, by what Prometheus put on its series. */
export async function targetSeen(
  { instance, job }: { readonly instance: string; readonly job: string },
  asked: Asked,
): Promise<{ readonly namespace: string; readonly name: string } | undefined> {
  const of = `instance=${JSON.stringify(instance)},job=${JSON.stringify(job)}`;
  const found = await newestLabels(`max by (namespace, pod) (up{${of}})`, asked);
  if (!found?.namespace || !found.pod) return undefined;
  return { namespace: found.namespace, name: found.pod };
}

function markOf(labels: Readonly<Record<string, string>> | undefined): OwnerMark | undefined {
  const { owner_kind: kind, owner_name: name } = labels ?? {};
  return !kind || !name || kind === "<none>" ? undefined : { kind, name };
}

/** Labels of the only series; where there are several, nobody knows which one is meant. */
async function newestLabels(query: string, { metrics, clock }: Asked) {
  const to = clock.now();
  const { series } = await metrics.range(query, new Date(to.getTime() - memoryMs), to);
  return series.length === 1 ? series[0]?.labels : undefined;
}
