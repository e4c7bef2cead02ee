import type { LiveWorkload } from "./workload.ts";

/** A workload on the cluster with the state of its rollout. */
export interface WorkloadState extends LiveWorkload {
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
  /** True when the controller has seen the newest spec. */
  readonly observed: boolean;
  readonly images: readonly string[];
}

/** True when every wanted replica runs the newest spec and is ready. */
export function isRolledOut(state: WorkloadState): boolean {
  return state.observed && state.updatedReplicas >= state.replicas && state.readyReplicas >= state.replicas;
}

/** What stands around a workload on the cluster. Texts of events can be written by others. */
export interface Surroundings {
  readonly events: readonly string[];
  readonly notes: readonly string[];
}

/** What the GitOps controller says of the commit it applied. */
export type AppliedRevision =
  | { readonly kind: "applied"; readonly sha: string }
  | { readonly kind: "unknown"; readonly because: string };
