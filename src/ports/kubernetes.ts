import type { Entry } from "../domain/kubernetes/manifest-edit.ts";
import type { FluxRelease } from "../domain/kubernetes/rendered.ts";
import type { ObjectType } from "../domain/incident/references.ts";
import type { AppliedRevision, Surroundings, WorkloadState } from "../domain/kubernetes/workload-state.ts";
import type { LiveWorkload, Workload } from "../domain/kubernetes/workload.ts";

/** What the cluster runs. Read only. */
export interface Cluster {
  workload(workload: Workload): Promise<WorkloadState | undefined>;
  /** Facts around a workload: events, rollout history, quotas. */
  surroundings(workload: Workload): Promise<Surroundings>;
  /** Where the desired state of the workload is read from, by the marks that the GitOps controller left on it. */
  entryOf(workload: LiveWorkload): Promise<Entry>;
  /** The commit that the GitOps controller applied last for this entry; undefined when it says nothing. */
  appliedRevision(entry: Entry): Promise<AppliedRevision>;
}

/** Where the values of a chart are decided that a controller installs. */
export interface ChartSources {
  /** The address of that repository; undefined where the cluster does not say. */
  declaredIn(entry: Entry): Promise<string | undefined>;
}

/** What Flux's source-controller holds for a chart. */
export interface ChartArtifact {
  /** Where the object says that the archive stands: a claim, to be checked. */
  readonly url: string;
  /** `sha256:…` of the archive. */
  readonly digest: string;
  /** `1.2.3`, `1.2.3+<commit>` or `1.2.3@sha256:<digest of the registry>`. */
  readonly revision: string;
}

/** The charts that Flux installed. Read only; throws like every adapter. */
export interface FluxCharts {
  /** The archive behind a HelmRelease; undefined where Flux names none. */
  artifactOf(release: FluxRelease): Promise<ChartArtifact | undefined>;
  /** The port at which a Service of the source-controller serves; undefined where that is no such Service. */
  sourcePort(service: FluxRelease): Promise<number | undefined>;
}

/** Objects that lead from what an alert names to the workload behind it. Read only; throws like every adapter. */
export interface ClusterObjects {
  /** Undefined = there is no such object. */
  find(
    type: ObjectType | "deployment" | "statefulset" | "daemonset" | "rollout" | "cronjob",
    at: { readonly namespace: string; readonly name: string },
  ): Promise<LinkedObject | undefined>;
  /** The pods of a namespace, those with these labels, or those that have this address in any namespace. */
  pods(of: PodQuery): Promise<readonly LinkedPod[]>;
}

export interface PodQuery {
  readonly namespace?: string;
  /** A selector as the API server reads it: `app=web,tier in (a,b)`. */
  readonly selector?: string;
  readonly address?: string;
}

/** What an object points at. */
export interface LinkedObject {
  /** The controller that made it. */
  readonly owner?: OwnerMark;
  /** What an autoscaler scales. */
  readonly target?: OwnerMark;
  /** The pods that it selects. */
  readonly selector?: string;
  /** The services behind an ingress. */
  readonly services?: readonly string[];
}

export interface OwnerMark {
  readonly kind: string;
  readonly name: string;
}

export interface LinkedPod {
  readonly namespace: string;
  readonly name: string;
  readonly owner?: OwnerMark;
  readonly containers: readonly string[];
  readonly claims: readonly string[];
}
