import type { Reserved } from "./domain/cost.ts";
import type { Lease } from "./domain/lease.ts";
import type { Rollback } from "./domain/rollback.ts";
import type { Workload } from "./domain/workload.ts";

/** Scale-ups that are kept until they expire. Each call is safe to repeat. */
export interface LeaseBook {
  begin(lease: Lease): Promise<void>;
  running(): Promise<readonly Lease[]>;
  renew(
    incident: string,
    renewal: Pick<Lease, "termSince" | "expires" | "because" | "latestPull" | "renewals">,
  ): Promise<void>;
  end(incident: string, because: string): Promise<void>;
}

/** One change of ours that is on the default branch. */
export interface MergedChange {
  readonly pull: number;
  readonly incident: string;
  readonly workload: Workload;
  /** What it reserves more; a revert has less than nothing. Undefined = unreadable. */
  readonly reserved: Reserved | undefined;
  /** RFC 3339. */
  readonly mergedAt: string;
}

/** Our merged changes, for budgets and cool-downs. Each call is safe to repeat. */
export interface ChangeBook {
  record(change: MergedChange): Promise<void>;
  /** What the changes in a namespace reserve that are still ours to count. */
  reservedIn(namespace: string): Promise<readonly (Reserved | undefined)[]>;
  /** People decided otherwise: the changes of this incident count no more. */
  settle(incident: string): Promise<void>;
}

/** The merged changes that people want back. */
export interface RollbackBook {
  /** False when one is under way for this pull request; the same comment may ask again. */
  ask(rollback: Omit<Rollback, "latestPull">): Promise<boolean>;
  end(pull: number, because: string): Promise<void>;
}
