import type { RequiredCheck } from "../guardrails/required-check.ts";
import { displacements, type ProposalFacts, type PullPlace } from "./pull-request.ts";

/** A person and the effect they saw. */
interface Approval {
  readonly by: string;
  readonly effect: string;
}

/** What people have said so far about one proposal. */
export interface ReviewState {
  readonly approvals: readonly Approval[];
  readonly rejectedBy: string | undefined;
  readonly held: boolean;
  /** The answer to the last command that changed nothing, for the sticky comment; empty when there is none. */
  readonly refusal: string;
}

/** Everything that a decision looks at. Undefined = the source gave no answer, which never helps a merge. */
export interface DecisionFacts {
  readonly effect: string;
  readonly headSha: string;
  readonly branch: string;
  readonly proposal: ProposalFacts;
  readonly standing: ReviewState;
  readonly alertFiring: boolean | undefined;
  /** Set while an alert that resolved may still come back, which makes it the same incident: when that ends, RFC 3339. */
  readonly closesAt?: string | undefined;
  /** Why the change is not wanted any more; undefined = it still is. */
  readonly overtaken?: string | undefined;
  /** A person has switched the class to shadow mode while the proposal was open. */
  readonly shadowed?: boolean;
  /** What a merge without a person still lacks; empty = nothing. */
  readonly selfMergeLacks: readonly string[];
  readonly approvalsNeeded: number;
  /** A freeze or another stop that people have declared. */
  readonly stopped: string | undefined;
  readonly overdue: boolean;
}

/** Merge, wait for what is missing, or close with the reason. */
export type Decision =
  | { readonly kind: "merge"; readonly because: string; readonly approvedBy: readonly string[] }
  | { readonly kind: "merged"; readonly sha: string; readonly because: string }
  /**
   * `moved` = the base changed, and the change can be planned again on it. `queued` = only the merge queue is waited
   * for; whatever else is waited for must not merge meanwhile.
   */
  | {
      readonly kind: "wait";
      readonly for: readonly string[];
      readonly moved?: boolean;
      readonly queued?: boolean;
      /** The people whose approvals are enough, where something else is missing. */
      readonly approvedBy?: readonly string[];
    }
  | {
      readonly kind: "close";
      readonly ending: "resolved-before-merge" | "declined";
      readonly because: string;
      readonly reason?: CloseReason;
      /** Who had approved it. */
      readonly approvedBy?: readonly string[];
    };

/** Why a proposal closes that nobody said no to: no answer in time, the change is not wanted any more, or shadow mode. */
export type CloseReason = "undecided" | "overtaken" | "shadowed";

const undecided = "nobody decided in time";
/** Why the end of a lease is not wanted any more. */
export const loadIsBack = "an alert fires again: the capacity is needed";

/** What becomes of a proposal whose class a person switches to shadow mode. */
export const switchedToShadow =
  "shadow mode was switched on for this class (guardrails: mode), so that Rectify merges nothing here: what this proposes is for people to do or to leave";

/** Why an incident that was only looked at is examined again. */
export const switchedToLive = "shadow mode was switched off for this class (guardrails: mode) while its alert fires";

/** The reason of a decision as it is on record: releases before this one said it by the sentence alone. */
export function closeReasonOf({
  reason,
  because,
}: {
  readonly reason?: CloseReason;
  readonly because: string;
}): CloseReason | undefined {
  return reason ?? (because === undecided ? "undecided" : because === loadIsBack ? "overtaken" : undefined);
}

/** Who may, what is missing. Approvals bind to the effect; a moved head is never merged. */
export function decisionFor(facts: DecisionFacts): Decision {
  const over = settledByOthers(facts);

  const valid = facts.standing.approvals.filter((approval) => approval.effect === facts.effect);
  const people = [...new Set(valid.map((approval) => approval.by))];
  const approved = people.length >= facts.approvalsNeeded;
  const by = approved && people.length > 0 ? { approvedBy: people } : {};
  if (over) return over.kind === "close" ? { ...over, ...by } : over;
  const unapproved = approved || facts.selfMergeLacks.length === 0 ? [] : approvalWanted(facts, people.length);
  const byItself = !approved && facts.selfMergeLacks.length === 0;
  const missing = [...obstaclesOf(facts, byItself), ...unapproved];
  const unmoved = facts.proposal.headSha === facts.headSha;
  const moved = facts.proposal.conflicting === true && unmoved;
  if (missing.length > 0) return { kind: "wait", for: missing, ...(moved ? { moved } : {}), ...by };
  const { queued, behind } = facts.proposal;
  if (queued !== undefined) return { kind: "wait", for: [`GitHub: it is ${queued}`], queued: true, ...by };
  if (behind === true)
    return { kind: "wait", for: ["the newest commit of the base, which the branch must hold"], moved: true, ...by };
  const because = approved
    ? `approved by ${people.join(", ")}`
    : "low risk, within the guardrails, required checks passed";
  return { kind: "merge", because, approvedBy: approved ? people : [] };
}

function settledByOthers(facts: DecisionFacts): Decision | undefined {
  const { proposal, standing, alertFiring, closesAt, overtaken, shadowed, overdue } = facts;
  if (proposal.state === "merged" && proposal.place.base !== proposal.place.defaultBranch) {
    return { kind: "close", ending: "declined", because: `merged by a person into ${proposal.place.base}` };
  }
  if (proposal.state === "merged") {
    const because = `merged by ${proposal.mergedBy ?? "a person"}`;
    return { kind: "merged", sha: proposal.mergedSha ?? "", because };
  }
  if (proposal.state === "closed") return { kind: "close", ending: "declined", because: "closed by a person" };
  if (standing.rejectedBy !== undefined)
    return { kind: "close", ending: "declined", because: `rejected by ${standing.rejectedBy}` };
  if (shadowed === true) return { kind: "close", ending: "declined", because: switchedToShadow, reason: "shadowed" };
  if (alertFiring === false && closesAt === undefined) {
    return { kind: "close", ending: "resolved-before-merge", because: "the alert resolved before the merge" };
  }
  if (overtaken !== undefined) return { kind: "close", ending: "declined", because: overtaken, reason: "overtaken" };
  if (overdue) return { kind: "close", ending: "declined", because: undecided, reason: "undecided" };
  return undefined;
}

/**
 * Approvals given so far, where base, head branch or draft state changed since the look before: none of them counts any
 * more, also after it was changed back.
 */
export function withoutVoided(
  standing: ReviewState,
  before: PullPlace | undefined,
  now: PullPlace,
  ours: string,
): ReviewState {
  const changed = before === undefined ? displacements(now, ours).length > 0 : placeKey(before) !== placeKey(now);
  if (!changed || standing.approvals.length === 0) return standing;
  return { ...standing, approvals: [], refusal: voided };
}

const voided = "base, head branch or draft state changed after the approval, which is void: approve it again";

function placeKey({ base, branch, draft }: PullPlace): string {
  return JSON.stringify([base, branch, draft]);
}

function obstaclesOf(facts: DecisionFacts, byItself: boolean): string[] {
  const { proposal, headSha, branch, standing, stopped, closesAt } = facts;
  const moved = proposal.headSha !== headSha;
  return [
    ...(moved ? [`a person pushed ${proposal.headSha.slice(0, 7)} to this branch: Rectify will not merge it`] : []),
    ...displacements(proposal.place, branch),
    ...(proposal.conflicting === true ? ["the base changed the same lines"] : []),
    ...(standing.held ? ["the end of the hold (/resume)"] : []),
    ...(stopped === undefined ? [] : [stopped]),
    ...(closesAt === undefined ? [] : [`the alert, which resolved: this closes at ${closesAt} unless it fires again`]),
    ...proposal.requiredChecks.flatMap((check) => checkWanted(check, byItself)),
    ...(proposal.failedChecks ?? []).map((name) => `check ${name} (failed, though nothing requires it)`),
  ];
}

/** A merge without a person keeps to our own, stricter count; one that people approved to the code host's. */
function checkWanted({ name, state, counted = state, because }: RequiredCheck, byItself: boolean): string[] {
  if (counted === "failed") return [`check ${name} (failed)`];
  const seen = byItself ? state : counted;
  if (seen === "passed") return [];
  const why = seen === "failed" ? "skipped or neutral" : because;
  return [`check ${name}${why === undefined ? "" : ` (${why})`}`];
}

function approvalWanted({ approvalsNeeded, selfMergeLacks }: DecisionFacts, given: number): string[] {
  const count = approvalsNeeded - given === 1 ? "an approval" : `${approvalsNeeded - given} approvals`;
  return [`${count} of this exact change (no auto-merge: ${selfMergeLacks.join("; ")})`];
}
