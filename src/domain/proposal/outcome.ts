import type { Cause } from "../root-cause/cause.ts";
import type { Cost, Reserved } from "../remedy/cost.ts";
import type { Effect, Entry } from "../kubernetes/manifest-edit.ts";
import type { Ending } from "../incident/incident.ts";
import type { PastRecord } from "../backtest/record.ts";
import type { Proposal } from "./pull-request.ts";
import type { Remediation } from "../kubernetes/remediation.ts";
import type { Verification } from "./verification.ts";

/** The commit that a merged proposal became; the code host does not always say which. */
export type MergeCommit = { readonly kind: "known"; readonly sha: string } | { readonly kind: "unknown" };

/** Reads the stored form, in which an empty text stands for a commit that nobody named. */
export function mergeCommitOf(stored: string): MergeCommit {
  return stored === "" ? { kind: "unknown" } : { kind: "known", sha: stored };
}

/** What the story holds to be wrong. A cause that people or an earlier change name has no confidence. */
export interface OutcomeCause {
  readonly sentence: string;
  readonly citing: readonly string[];
  /** 0 to 1, of all witnesses together; lowered by what is missing. */
  readonly confidence?: number | undefined;
  /** What should have been known and is not, for people. */
  readonly missing?: readonly string[] | undefined;
  /** Every cause that was considered, best first. */
  readonly considered?: readonly Pick<Cause, "sentence" | "confidence" | "citing">[] | undefined;
}

/** Times are RFC 3339. */
interface OutcomeCourse {
  readonly openedAt?: string | undefined;
  readonly mergedAt?: string | undefined;
  /** Who merged it, or why it merged itself. */
  readonly mergedBecause?: string | undefined;
  readonly syncedAt?: string | undefined;
}

/** What happened to one incident, as far as it came. */
export interface IncidentOutcome {
  readonly ending: Ending;
  readonly because: string;
  readonly cause?: OutcomeCause | undefined;
  /** What such alerts mostly do when nobody does anything, in one sentence. */
  readonly selfHealing?: string | undefined;
  readonly remediation?: Remediation | undefined;
  readonly effect?: Effect | undefined;
  readonly entry?: Entry | undefined;
  readonly proposal?: Proposal | undefined;
  readonly mergedSha?: string | undefined;
  readonly syncedSha?: string | undefined;
  /** When it came how far; absent in what an older version put on record. */
  readonly course?: OutcomeCourse | undefined;
  /** What the change reserves more, and what that costs by the price book. */
  readonly reserved?: Reserved | undefined;
  readonly cost?: Cost | undefined;
  readonly verification?: Verification | undefined;
  /** In shadow mode: what would have been done against what people did. */
  readonly shadow?: PastRecord | undefined;
  readonly revert?: { readonly proposal: Proposal | undefined; readonly mergedSha: string | undefined } | undefined;
}
