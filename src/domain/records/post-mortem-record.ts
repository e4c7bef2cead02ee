import type { EvidenceSource } from "../evidence/evidence.ts";
import type { RemediationKind } from "../kubernetes/remediation.ts";
import type { Workload } from "../kubernetes/workload.ts";
import type { Cause } from "../root-cause/cause.ts";

/** What became of the remedy. Only `verified` is ever advice, only `failed` is ever a warning. */
export type Outcome = "draft" | "verified" | "failed" | "unclear" | "declined" | "not-tried";

/** The record of one incident. Its text fields are one line each, cut, and free of invisible characters. */
export interface PostMortem {
  readonly uid: string;
  readonly cluster: string;
  readonly alert: string;
  readonly severity: string;
  readonly workload: Workload;
  /** What was wrong, in one sentence; null when nobody could tell. */
  readonly cause: string | null;
  /** Ids of the evidence that shows the cause. */
  readonly citing: readonly string[];
  /** 0 to 1; null where nobody could say. */
  readonly confidence: number | null;
  /** Every cause that was considered, best first, with its confidence. */
  readonly considered: readonly Pick<Cause, "sentence" | "confidence" | "citing">[];
  /** What should have been known and was not. */
  readonly missing: readonly string[];
  /** What such alerts mostly do when nobody does anything; null where it was not asked. */
  readonly selfHealing: string | null;
  readonly remedy: AppliedRemedy | null;
  readonly outcome: Outcome;
  readonly because: string;
  readonly pullRequest: string | null;
  readonly revertedBy: string | null;
  /** RFC 3339: first firing, and when this version was written. */
  readonly startedAt: string;
  readonly writtenAt: string;
  /** From the sync to the first of the good looks; null unless verified. */
  readonly recoveredAfterMs: number | null;
  readonly evidence: readonly EvidenceLine[];
  /** A person disputed the record or asked to forget it: it is no precedent any more. */
  readonly withdrawn: Withdrawal | null;
}

export interface Withdrawal {
  readonly kind: "disputed" | "forgotten";
  readonly by: string;
  /** RFC 3339. */
  readonly at: string;
}

export interface AppliedRemedy {
  readonly kind: RemediationKind;
  /** As titles say it: `scale web from 2 to 5 replicas`. */
  readonly sentence: string;
  readonly from: string;
  readonly to: string;
}

export interface EvidenceLine {
  readonly id: string;
  readonly source: EvidenceSource;
  readonly title: string;
  readonly finding: string;
  /** Hex SHA-256 of the whole finding. */
  readonly hash: string;
}
