import { parseQuantity } from "./quantity.ts";
import { isRecord, objectKey, type RenderedObject } from "./rendered.ts";

/** A rendered workload as a quota sees it: how many pods of which size. */
export interface Scale {
  readonly object: string;
  readonly namespace: string;
  readonly podLabels: Readonly<Record<string, unknown>>;
  /** Replicas at least and at most: the bounds of an autoscaler, or the number itself. */
  readonly least: number;
  readonly most: number;
  /** What one pod reserves, by the names of quotas (`requests.cpu`); undefined when a quantity is unreadable. */
  readonly perPod: Readonly<Record<string, number>> | undefined;
}

/** What all workloads of a namespace may reserve at most. */
interface RequestedResources {
  readonly amounts: Readonly<Record<string, number>>;
  readonly uncounted: readonly string[];
}

const scalable = new Set(["Deployment", "StatefulSet", "ReplicaSet", "Rollout"]);
const uncountable = new Set(["DaemonSet", "Job", "CronJob", "Pod", "ReplicationController"]);

/** Replicas and pod size of a workload; undefined for anything else. A HelmRelease is read by the usual value names. */
export function scaleOf(object: RenderedObject, all: readonly RenderedObject[]): Scale | undefined {
  const spec = isRecord(object.spec) ? object.spec : {};
  if (object.kind === "HelmRelease") return helmScale(object, spec);
  if (!scalable.has(object.kind)) return undefined;
  const template = isRecord(spec.template) ? spec.template : {};
  const metadata = isRecord(template.metadata) ? template.metadata : {};
  const own = typeof spec.replicas === "number" ? spec.replicas : 1;
  const bounds = autoscalerOf(object, all);
  return {
    object: objectKey(object),
    namespace: object.metadata.namespace ?? "default",
    podLabels: isRecord(metadata.labels) ? metadata.labels : {},
    least: bounds?.least ?? own,
    most: bounds?.most ?? own,
    perPod: podSize(isRecord(template.spec) ? template.spec : {}),
  };
}

/** The sum over the namespace of a quota, at the most replicas that autoscalers may ask for. */
export function requestedBy(
  quota: RenderedObject,
  rendered: readonly RenderedObject[],
  scales: readonly Scale[],
): RequestedResources {
  const namespace = quota.metadata.namespace ?? "default";
  const here = scales.filter((scale) => scale.namespace === namespace);
  const amounts: Record<string, number> = {};
  for (const { most, perPod = {} } of here) {
    amounts.pods = (amounts.pods ?? 0) + most;
    for (const [name, amount] of Object.entries(perPod)) amounts[name] = (amounts[name] ?? 0) + most * amount;
  }
  const counted = new Set(here.filter((scale) => scale.perPod !== undefined).map((scale) => scale.object));
  const uncounted = rendered.filter(
    (object) =>
      (object.metadata.namespace ?? "default") === namespace &&
      (uncountable.has(object.kind) || scalable.has(object.kind) || object.kind === "HelmRelease") &&
      !counted.has(objectKey(object)),
  );
  return {
    amounts,
    uncounted: uncounted.map((object) => `quota ${namespace}/${quota.metadata.name} without ${objectKey(object)}`),
  };
}

/** As JSON for the annotation: whole pods, cores as millicores, bytes. */
export function renderReserved({ amounts }: RequestedResources): string {
  const entries = Object.entries(amounts).map(([name, amount]) => [
    name,
    name.endsWith("cpu") ? `${Math.ceil(Number((amount * 1000).toPrecision(12)))}m` : String(Math.ceil(amount)),
  ]);
  return JSON.stringify(Object.fromEntries(entries));
}

function autoscalerOf(object: RenderedObject, all: readonly RenderedObject[]) {
  for (const scaler of all) {
    const spec = isRecord(scaler.spec) ? scaler.spec : {};
    const target = isRecord(spec.scaleTargetRef) ? spec.scaleTargetRef : {};
    const kind = target.kind ?? "Deployment";
    const sameNamespace = (scaler.metadata.namespace ?? "default") === (object.metadata.namespace ?? "default");
    if (!sameNamespace || target.name !== object.metadata.name || kind !== object.kind) continue;
    if (scaler.kind === "HorizontalPodAutoscaler") return bounds(spec.minReplicas, spec.maxReplicas, [1, 1]);
    // KEDA's own defaults.
    if (scaler.kind === "ScaledObject") return bounds(spec.minReplicaCount, spec.maxReplicaCount, [0, 100]);
  }
  return undefined;
}

function bounds(least: unknown, most: unknown, defaults: readonly [number, number]) {
  return {
    least: typeof least === "number" ? least : defaults[0],
    most: typeof most === "number" ? most : defaults[1],
  };
}

function helmScale(object: RenderedObject, spec: Readonly<Record<string, unknown>>): Scale | undefined {
  const values = isRecord(spec.values) ? spec.values : {};
  if (typeof values.replicaCount !== "number" || !isRecord(values.resources)) return undefined;
  return {
    object: objectKey(object),
    namespace: object.metadata.namespace ?? "default",
    podLabels: {},
    least: values.replicaCount,
    most: values.replicaCount,
    perPod: podSize({ containers: [{ resources: values.resources }] }),
  };
}

/** Sums over the containers; what a container does not name counts as nothing, as a quota would. */
function podSize(pod: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> | undefined {
  const sums: Record<string, number> = {};
  for (const [name, quantity] of (Array.isArray(pod.containers) ? pod.containers : []).flatMap(quantitiesOf)) {
    const amount = parseQuantity(quantity);
    if (amount === undefined) return undefined;
    sums[name] = (sums[name] ?? 0) + amount;
  }
  // A quota counts `cpu` and `memory` as requests (kubernetes.io/docs/concepts/policy/resource-quotas).
  return {
    ...sums,
    ...("requests.cpu" in sums ? { cpu: sums["requests.cpu"] } : {}),
    ...("requests.memory" in sums ? { memory: sums["requests.memory"] } : {}),
  };
}

function quantitiesOf(container: unknown): [string, unknown][] {
  const resources = isRecord(container) && isRecord(container.resources) ? container.resources : {};
  return ["requests", "limits"].flatMap((side) =>
    Object.entries(isRecord(resources[side]) ? resources[side] : {}).map(([name, quantity]): [string, unknown] => [
      `${side}.${name}`,
      quantity,
    ]),
  );
}
