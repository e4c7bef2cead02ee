import type { Incident } from "../../domain/incident/incident.ts";
import type { RemediationKind } from "../../domain/kubernetes/remediation.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import type { Lease } from "../../domain/proposal/lease.ts";
import type { Proposal } from "../../domain/proposal/pull-request.ts";
import type { ReviewState } from "../../domain/proposal/decision.ts";

/** What is being decided, and what a merge without a person still lacks. */
export interface Pending {
  readonly incident: Incident;
  readonly proposal: Proposal;
  /** The kind of what is proposed, or of what it reverts: its mode may be turned to shadow while it is open. */
  readonly remedy: RemediationKind;
  /** The workload that is changed; absent = the alerting one. */
  readonly target?: Workload;
  readonly selfMergeLacks: readonly string[];
  /** Who asked for exactly this number: their words count as approval of the effect that came of it. */
  readonly approvedBy: string | undefined;
  /** A remedy is pointless once the alert is gone; a revert is not. */
  readonly closesWhenResolved: boolean;
  /** What is wrong, in one sentence, for those who ask. */
  readonly cause?: string;
  /** The lease that the change ends: it is needed after all when an alert fires again. */
  readonly lease?: Lease | undefined;
  readonly canReplan: boolean;
  /** The change cannot be planned on the base that moved: only a person's number is planned anew. */
  readonly rebaseRefused?: boolean;
  /** What was run before the change was planned anew; absent at first. */
  readonly earlier?: CommandLog | undefined;
}

/** What people said so far, and the comments in which they said it: each is run once. */
export interface CommandLog {
  readonly listened: readonly number[];
  readonly standing: ReviewState;
  /** The effect that they saw, and the commit that carried it. */
  readonly effect: string;
  readonly headSha: string;
}
