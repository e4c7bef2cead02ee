import type { Entry } from "../domain/kubernetes/manifest-edit.ts";
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
