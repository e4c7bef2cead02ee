import type { Resource } from "../repository/resource.ts";
import { named } from "./scalers.ts";
import type { EntryBuild } from "./entry-build.ts";

/** Custom resources whose operator takes a workload's replicas from one field, by the name it gives the workload. */
const replicaFields: Readonly<
  Record<string, readonly { readonly workload: (name: string) => string; readonly path: readonly string[] }[]>
> = {
  Prometheus: [{ workload: (name) => `prometheus-${name}`, path: ["spec", "replicas"] }],
  Alertmanager: [{ workload: (name) => `alertmanager-${name}`, path: ["spec", "replicas"] }],
  ThanosRuler: [{ workload: (name) => `thanos-ruler-${name}`, path: ["spec", "replicas"] }],
  RabbitmqCluster: [{ workload: (name) => `${name}-server`, path: ["spec", "replicas"] }],
  Kafka: [
    { workload: (name) => `${name}-kafka`, path: ["spec", "kafka", "replicas"] },
    { workload: (name) => `${name}-zookeeper`, path: ["spec", "zookeeper", "replicas"] },
  ],
};

/** The custom resource and field that an operator copies into the workload's replicas, when this is certain. */
export function operatorField(
  entryBuild: EntryBuild,
): { readonly resource: Resource; readonly path: readonly string[] } | undefined {
  const { workload, change } = entryBuild.question;
  if (change.kind !== "replicas" || workload.ownerReferences?.length !== 1) return undefined;
  for (const owner of workload.ownerReferences) {
    const field = replicaFields[owner.kind]?.find((one) => one.workload(owner.name) === workload.name);
    const [resource, other] = named(entryBuild, owner.kind, owner.name);
    if (field && resource && !other && !resource.deletedBy) return { resource, path: field.path };
  }
  return undefined;
}
