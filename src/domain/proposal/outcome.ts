import type { Cause } from "../root-cause/cause.ts";
import type { Cost, Reserved } from "../remedy/cost.ts";
import type { Effect, Entry } from "../kubernetes/manifest-edit.ts";
import type { Ending } from "../incident/incident.ts";
import type { PastRecord } from "../backtest/record.ts";
import type { CloseReason } from "./decision.ts";
import type { Proposal } from "./pull-request.ts";
import type { Remediation } from "../kubernetes/remediation.ts";
import type { Verification } from "./verification.ts";

/** The commit that a merged proposal became; the code host does not always say which. */
export type MergeCommit = { readonly kind: "known"; readonly sha: string } | { readonly kind: "unknown" };

/** Reads the stored form, in which an empty text stands for a commit that nobody named. */
export function mergeCommitOf(stored: string): MergeCommit {
  return stored === "" ? { kind: "unknown" } : { kind: "known", sha: stored };
}

/** What the incident is held to be caused by. A cause that people or an earlier change name has no confidence. */
export interface OutcomeCause {
  readonly sentence: string;
  readonly citing: readonly string[];
  /** 0 to 1, of all opinions together; lowered by what is missing. */
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

/** What is known before anything is planned. */
interface Examined {
  readonly cause?: OutcomeCause | undefined;
  /** What such alerts mostly do when nobody does anything, in one sentence. */
  readonly selfHealing?: string | undefined;
}

/** A change that was planned. */
export interface PlannedChange extends Examined {
  readonly remediation: Remediation;
  readonly effect: Effect;
  readonly entry: Entry;
  /** What the change reserves more, and what that costs by the price book. */
  readonly reserved?: Reserved | undefined;
  readonly cost?: Cost | undefined;
}

interface ProposedChange extends PlannedChange {
  readonly proposal: Proposal;
}

export interface MergedChange extends ProposedChange {
  readonly mergedSha: string;
  /** When it came how far; absent in what an older version put on record. */
  readonly course?: OutcomeCourse | undefined;
}

export interface SyncedChange extends MergedChange {
  readonly syncedSha: string;
}

export interface VerifiedChange extends SyncedChange {
  readonly verification: Verification;
}

/** How far the change back came. */
interface Reverting {
  readonly revert: {
    readonly proposal: Proposal | undefined;
    readonly mergedSha: string | undefined;
    /** Absent in what an older version put on record. */
    readonly course?: OutcomeCourse | undefined;
  };
}

/** Set where the pull request was closed though nobody said no. */
interface Closed {
  readonly closed?: CloseReason | undefined;
}

/** In shadow mode: what would have been done against what people did. */
interface Shadowed {
  readonly shadow: PastRecord;
}

/** Everything that any ending has on record, by the stored names. */
interface Parts extends VerifiedChange, Reverting, Closed, Shadowed {}

type Sofar = { readonly [Part in keyof Parts]?: Parts[Part] | undefined };

/** An outcome of which nothing is promised, for those who show what is there; without an ending it is a draft. */
export interface OutcomeSoFar extends Sofar {
  readonly ending?: Ending | undefined;
  readonly because?: string | undefined;
}

/** An outcome as it is read back: older versions stored fewer parts, so nothing else is promised. */
export interface OutcomeOnRecord extends OutcomeSoFar {
  readonly ending: Ending;
  readonly because: string;
}

/** Exactly these parts, and none of the others. */
type Ended<Name extends Ending, Has> = Has & {
  readonly [Part in Exclude<keyof Parts, keyof Has>]?: undefined;
} & {
  readonly ending: Name;
  readonly because: string;
};

/** The same for whatever is there. */
type Some<Has> = { readonly [Part in keyof Has]?: Has[Part] | undefined };

/** Nothing of it was merged. */
export type UnmergedOutcome =
  | Ended<"refused", Some<PlannedChange>>
  | Ended<"escalated", Some<PlannedChange>>
  | Ended<"resolved-before-merge", PlannedChange & Some<Pick<ProposedChange, "proposal">> & Closed>
  | Ended<"declined", ProposedChange & Closed>;

/** Whoever had to answer did not, or said no: whatever was done by then is on record. */
export type ParkedOutcome = Ended<"parked", Sofar>;

/** Nothing was written: it was looked on. */
export type ShadowOutcome = Ended<"shadow", Some<PlannedChange> & Shadowed>;

/** It was merged, and nobody saw the cluster hold it. */
export type MergedOutcome =
  | Ended<"not-synced", MergedChange>
  | (ParkedOutcome & { readonly [Part in "proposal" | "mergedSha"]: MergedChange[Part] });

/** What happened to one incident: each ending has the parts that it cannot be without. */
export type IncidentOutcome =
  | UnmergedOutcome
  | ParkedOutcome
  | Ended<"no-change", Examined>
  | ShadowOutcome
  | MergedOutcome
  | Ended<"recovered", VerifiedChange>
  | Ended<"unclear", VerifiedChange & Some<Reverting>>
  | Ended<"reverted", VerifiedChange & Reverting>;
