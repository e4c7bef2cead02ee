import type { ResourceField } from "./manifest-edit.ts";
import type { LiveWorkload } from "./workload.ts";

/** A workload on the cluster with the state of its rollout. */
export interface WorkloadState extends LiveWorkload {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  /** True when the controller has seen the newest spec. */
  readonly observed: boolean;
  readonly images: readonly string[];
  /** What its container asks for and may use; absent where it has several, for then nobody can say which one is meant. */
  readonly resources?: Partial<Readonly<Record<ResourceField, string>>>;
}

/** True when every wanted replica runs the newest spec and is ready. */
export function isRolledOut(state: WorkloadState): boolean {
  return state.observed && state.updatedReplicas >= state.replicas && state.readyReplicas >= state.replicas;
}

/** What stands around a workload on the cluster. Texts of events can be written by others. */
export interface Surroundings {
  readonly events: readonly string[];
  /** Time of each rollout (RFC 3339) by its revision. */
  readonly rollouts: Readonly<Record<string, string>>;
  readonly quotas: readonly QuotaUse[];
  /** What the nodes under its pods complain of: `node-1: MemoryPressure`. */
  readonly nodePressures: readonly string[];
  readonly terminations: readonly Termination[];
  /** What keeps its pods from running, by `pod` or `pod/container`; texts of the kubelet and the scheduler. */
  readonly podStates?: Readonly<Record<string, string>>;
  /** The autoscaler that steers it, as it reports itself. */
  readonly autoscaler?: AutoscalerReport;
  /** What could not be read, or only in part. */
  readonly notes: readonly string[];
  /** Of the notes those that say which list gave no answer, and why. */
  readonly refused?: readonly string[];
}

/** One limit of a ResourceQuota, in Kubernetes quantities. */
export interface QuotaUse {
  readonly quota: string;
  /** `requests.cpu`, `pods`, … */
  readonly resource: string;
  readonly used: string;
  readonly hard: string;
}

/** How a container ended the last time. */
export interface Termination {
  readonly pod: string;
  readonly container: string;
  /** `OOMKilled`, `Error`, … */
  readonly reason: string;
  readonly exitCode: number;
  readonly restarts: number;
  /** RFC 3339. */
  readonly at?: string;
}

export interface AutoscalerReport {
  readonly name: string;
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  /** Its own word for what holds it: `TooManyReplicas` at the maximum; undefined when nothing does. */
  readonly limitedBy?: string;
}

/** What the GitOps controller says of the commit it applied. */
export type AppliedRevision =
  | {
      readonly kind: "applied";
      readonly sha: string;
      /** The commit of the chart, where that comes from Git on its own way. */
      readonly chartSha?: string;
      /** Why nothing newer comes, in the controller's own words. */
      readonly because?: string;
    }
  | { readonly kind: "unknown"; readonly because: string };
