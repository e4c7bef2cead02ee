import type { Cited } from "./cited.ts";
import type { Suspect } from "./changes/suspects.ts";
import type { Symptom } from "./changes/symptoms.ts";
import type { Workload } from "../kubernetes/workload.ts";

/** What presses on one workload. Undefined = not measured. */
export interface Load {
  /** Cores used by cores requested, the newest value. */
  readonly utilisation?: Cited<number> | undefined;
  /** Share of CPU periods that were throttled, 0 to 1. */
  readonly throttling?: Cited<number> | undefined;
  /** Memory used by its limit, the highest value. */
  readonly memory?: Cited<number> | undefined;
  /** Containers killed for memory in the window. */
  readonly oomKills?: Cited<number> | undefined;
  readonly restarts?: Cited<number> | undefined;
  /** Replicas that run, and the most that the autoscaler may run. */
  readonly autoscaler?: Cited<{ readonly replicas: number; readonly max: number }> | undefined;
}

export type ChangedPart = "image" | "resources" | "replicas" | "config";

/** A commit that touched the workload. */
export interface Change {
  readonly sha: string;
  /** RFC 3339. */
  readonly at: string;
  readonly what: ChangedPart;
}

/** A workload that the ranking names, and how often such an answer was right. */
interface Located {
  readonly workload: Workload;
  readonly confidence: number;
  /** Only its callers see it off. */
  readonly link: boolean;
  /** Clearest sign first: names of ours, and numbers. */
  readonly because: readonly string[];
  readonly from: readonly string[];
}

/** Another workload than the alerting one. */
export interface Downstream extends Located {
  /** No call from the alerting workload to it was seen, though calls were. */
  readonly stranger?: boolean;
  readonly load: Load;
  readonly changes?: Cited<readonly Change[]> | undefined;
}

/** Everything that a diagnosis without a model looks at: plain values, each with its evidence. */
export interface Signals {
  readonly workload: Workload;
  readonly alert: Cited<{ readonly name: string; readonly startedAt: string; readonly predictive: boolean }>;
  readonly load: Load;
  /** When the alert's metric or the share of errors stepped up; RFC 3339. */
  readonly changePoint?: Cited<string> | undefined;
  /** Requests after the change point by requests before it. */
  readonly traffic?: Cited<number> | undefined;
  /** Pods of the workload were refused for want of quota: how often. */
  readonly quota?: Cited<number> | undefined;
  readonly changes?: Cited<readonly Change[]> | undefined;
  /** Times of rollouts in the window, RFC 3339. */
  readonly rollouts?: Cited<readonly string[]> | undefined;
  /** That the trouble arises in the alerting workload itself, as far as the ranking says so. */
  readonly own?: Located | undefined;
  readonly downstream: readonly Downstream[];
  /** Commits around the workload by their rendered effect, and what pods, events and logs show. */
  readonly suspects?: Cited<readonly Suspect[]> | undefined;
  readonly symptoms?: readonly Symptom[] | undefined;
  /** `Kind/name` of services that it was seen to call. */
  readonly callees?: ReadonlySet<string> | undefined;
  /** Ids of what the cluster itself says of its pods. */
  readonly states?: readonly string[] | undefined;
  /** What should have been known and is not, for people. */
  readonly missing: readonly string[];
  /** Of it, what was asked for and not answered, or only in part: there may be more than anyone saw. */
  readonly unanswered: readonly string[];
}
