import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { LiveWorkload, Workload } from "../../domain/kubernetes/workload.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import type { WorkloadState } from "../../domain/kubernetes/workload-state.ts";
import { isRecord, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { Refused } from "../../ports/errors.ts";
import type { Cluster } from "../../ports/kubernetes.ts";
import { type Moment, type PastSample, samplesAt, selectorOf } from "./samples.ts";
import { resourcesThen } from "./resources.ts";
import { surroundingsThen } from "./surroundings.ts";

/** What Git wanted at that moment: where the workload comes from, and everything that comes from there. */
export interface Desired {
  readonly entry: Entry;
  readonly objects: readonly RenderedObject[];
}

interface PastCluster extends Moment {
  readonly lookbackMs: number;
  /** The one entry of that minute's tree that makes the workload; throws `Refused` where there is none, or several. */
  readonly desired: (workload: Workload) => Promise<Desired>;
}

/**
 * The cluster of a moment of the past: state and numbers by kube-state-metrics' series of then, labels, images and
 * autoscalers by what Git wanted then. What neither tells is refused, which makes it missing evidence.
 */
export function pastCluster(past: PastCluster): Cluster {
  return {
    workload: (workload) => stateThen(workload, past),
    surroundings: (workload) => surroundingsThen(workload, past),
    entryOf: async ({ kind, namespace, name }) => {
      const { entry } = await past.desired({ kind, namespace, name });
      return { ...entry, workload: { kind, namespace, name } };
    },
    appliedRevision: async () => ({
      kind: "unknown",
      because: "which commit the controller had applied then is not recorded",
    }),
  };
}

const words = {
  Deployment: {
    prefix: "kube_deployment_",
    wanted: "spec_replicas",
    rest: ["status_replicas_ready", "status_replicas_updated"],
  },
  StatefulSet: {
    prefix: "kube_statefulset_",
    wanted: "replicas",
    rest: ["status_replicas_ready", "status_replicas_updated"],
  },
} as const;

async function stateThen(workload: Workload, past: PastCluster): Promise<WorkloadState> {
  const { kind, namespace, name } = workload;
  if (kind !== "Deployment" && kind !== "StatefulSet") throw new Refused(`workloads of kind ${kind} are not supported`);
  const { prefix, wanted, rest } = words[kind];
  const generations = ["metadata_generation", "status_observed_generation"];
  const query = selectorOf(prefix, [wanted, ...rest, ...generations], { namespace, [kind.toLowerCase()]: name });
  const samples = await samplesAt(query, past);
  const of = (metric: string) => valueOf(samples, `${prefix}${metric}`);
  const replicas = of(wanted);
  if (replicas === undefined)
    throw new Refused(`kube-state-metrics has no ${prefix}${wanted} of ${workloadKey(workload)} at that time`);
  const desired = await past.desired(workload).catch(orNothing);
  const object = desired?.objects.find((one) => isOf(one, workload));
  const resources = await resourcesThen(workload, past);
  const scaledBy = await scaledByThen(workload, desired?.objects ?? [], past);
  return {
    ...{ kind, namespace, name, replicas, readyReplicas: of(rest[0]) ?? 0, updatedReplicas: of(rest[1]) ?? replicas },
    observed: (of("status_observed_generation") ?? 0) >= (of("metadata_generation") ?? 0),
    ...{ images: imagesOf(object), labels: textsOf(object?.metadata.labels), ...resources },
    annotations: textsOf(object?.metadata.annotations),
    ...(scaledBy === undefined ? {} : { scaledBy }),
  };
}

function orNothing(error: unknown): undefined {
  if (error instanceof Refused) return undefined;
  throw error;
}

function valueOf(samples: readonly PastSample[], name: string): number | undefined {
  return samples.find((sample) => sample.name === name)?.value;
}

export function isOf({ kind, metadata }: RenderedObject, workload: Workload): boolean {
  const here = metadata.namespace ?? "default";
  return kind === workload.kind && metadata.name === workload.name && here === workload.namespace;
}

function textsOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, text]) => (typeof text === "string" ? [[key, text]] : [])),
  );
}

function imagesOf(object: RenderedObject | undefined): string[] {
  const spec = object === undefined || !isRecord(object.spec) ? undefined : object.spec;
  const pod = isRecord(spec?.template) && isRecord(spec.template.spec) ? spec.template.spec : {};
  const containers: readonly unknown[] = Array.isArray(pod.containers) ? pod.containers : [];
  return containers.flatMap((one) => (isRecord(one) && typeof one.image === "string" ? [one.image] : []));
}

/** Who scales it, by its declared target: the numbers as they were, where they were exported. */
async function scaledByThen(
  { kind, namespace, name }: Workload,
  objects: readonly RenderedObject[],
  past: PastCluster,
): Promise<LiveWorkload["scaledBy"]> {
  const declared = objects.find((object) => targetOf(object)?.name === name && targetOf(object)?.kind === kind);
  const names = ["info", "spec_min_replicas", "spec_max_replicas"];
  const samples = await samplesAt(selectorOf("kube_horizontalpodautoscaler_", names, { namespace }), past);
  const told = samples.find(({ labels }) => labels.scaletargetref_kind === kind && labels.scaletargetref_name === name)
    ?.labels.horizontalpodautoscaler;
  const hpa = told ?? (declared?.kind === "HorizontalPodAutoscaler" ? declared.metadata.name : undefined);
  const own = samples.filter(({ labels }) => labels.horizontalpodautoscaler === hpa);
  const spec = isRecord(declared?.spec) ? declared.spec : {};
  const min = valueOf(own, "kube_horizontalpodautoscaler_spec_min_replicas");
  const max = valueOf(own, "kube_horizontalpodautoscaler_spec_max_replicas");
  if (declared?.kind === "ScaledObject") {
    const least = numberOr(spec.minReplicaCount, 0);
    return {
      kind: "ScaledObject",
      name: declared.metadata.name,
      min: min ?? least,
      max: max ?? numberOr(spec.maxReplicaCount, 100),
    };
  }
  if (hpa === undefined) return undefined;
  return {
    ...{ kind: "HorizontalPodAutoscaler", name: hpa, min: min ?? numberOr(spec.minReplicas, 1) },
    max: max ?? numberOr(spec.maxReplicas, 1),
  };
}

function targetOf({ kind, spec }: RenderedObject): { readonly kind: unknown; readonly name: unknown } | undefined {
  if (kind !== "HorizontalPodAutoscaler" && kind !== "ScaledObject") return undefined;
  const target = isRecord(spec) ? spec.scaleTargetRef : undefined;
  return isRecord(target) ? { kind: target.kind ?? "Deployment", name: target.name } : undefined;
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
