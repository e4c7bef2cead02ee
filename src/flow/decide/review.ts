import { type Decision, type ReviewState, withoutVoided } from "../../domain/proposal/decision.ts";
import type { PullPlace } from "../../domain/proposal/pull-request.ts";
import type { Message } from "../../ports/workflow.ts";
import type { Timings } from "../../ports/timings.ts";
import { pauseAfter } from "../collect/pause-after.ts";
import type { Pending } from "./pending.ts";

// A merge that GitHub refused is a state: without news it is asked for again this much later.
const mergePauseMs = 15 * 60_000;
// People are answered once in so many polls at most, whatever they write: a minute with the ordinary timings.
const answerPolls = 4;

/** What the sticky comment says. */
export interface Told {
  readonly waitsFor: readonly string[];
  readonly refusal: string;
  /** Before this moment no command is answered again. */
  readonly answerAfter: number;
}

/** The verdict of one look, and when it was taken. A stored format. */
export interface Look {
  readonly decision: Decision;
  readonly at: number;
  /** When the alert was first seen to be resolved, of those looks that saw nothing else since; Unix milliseconds. */
  readonly resolvedAt?: number | undefined;
  /** Absent in what an older version put on record. */
  readonly place?: PullPlace;
}

/** All that is carried from one look at a proposal to the next. Moments are Unix milliseconds. */
export interface Review {
  /** What people said so far. */
  readonly standing: ReviewState;
  /** When the last look was taken. */
  readonly at: number;
  readonly resolvedAt: number | undefined;
  readonly place: PullPlace | undefined;
  readonly told: Told;
  /** Before this moment what changes nothing gets no reaction. */
  readonly reactAfter: number;
  /** When GitHub last refused to merge. */
  readonly refusedAt: number;
  readonly message: Message | undefined;
  readonly pauseMs: number;
}

/** What happens in one round, in this order. */
export type ReviewEvent =
  | { readonly kind: "commands"; readonly standing: ReviewState }
  /** `idle` = something was heard that changed nothing. */
  | { readonly kind: "looked"; readonly look: Look; readonly idle: boolean }
  | { readonly kind: "refused" }
  | { readonly kind: "told"; readonly told: Told }
  | { readonly kind: "waits" }
  | { readonly kind: "woken"; readonly message: Message | undefined };

/** How often is looked, and which branch is ours. */
interface ReviewRules extends Pick<Timings, "pollMs" | "lingerMs"> {
  readonly branch: string;
}

/** Approvals of another effect stay on record; they just do not count for this one. */
export function reviewAtFirst({ earlier, approvedBy, proposal }: Pending): Review {
  const before = earlier?.standing ?? { approvals: [], rejectedBy: undefined, held: false, refusal: "" };
  const approval = approvedBy === undefined ? undefined : { by: approvedBy, effect: proposal.effect };
  return {
    standing: approval ? { ...before, approvals: [...before.approvals, approval], refusal: "" } : before,
    ...{ at: 0, resolvedAt: undefined, place: undefined, message: undefined, pauseMs: 0 },
    told: { waitsFor: [], refusal: "", answerAfter: 0 },
    ...{ reactAfter: 0, refusedAt: Number.NEGATIVE_INFINITY },
  };
}

/** The state after an event; pure, so that a workflow that is replayed comes to the same. */
export function nextReview(review: Review, event: ReviewEvent, rules: ReviewRules): Review {
  switch (event.kind) {
    case "commands":
      return { ...review, standing: event.standing };
    case "looked":
      return afterLook(review, event, rules);
    case "refused":
      return { ...review, refusedAt: review.at };
    case "told":
      return { ...review, told: event.told };
    case "waits":
      return { ...review, pauseMs: pauseAfter(review.pauseMs, review.message, rules.pollMs) };
    case "woken":
      return { ...review, message: event.message };
  }
}

function afterLook(
  review: Review,
  { look, idle }: Extract<ReviewEvent, { kind: "looked" }>,
  { pollMs, branch }: ReviewRules,
): Review {
  const { at, place, resolvedAt } = look;
  const standing = place ? withoutVoided(review.standing, review.place, place, branch) : review.standing;
  const reactAfter = idle && at >= review.reactAfter ? at + answerPolls * pollMs : review.reactAfter;
  return { ...review, standing, at, place, resolvedAt, reactAfter };
}

/** True when a merge that GitHub refused is not asked for again yet, because nothing happened since. */
export function restsAfterRefusal({ message, at, refusedAt }: Review, decision: Decision): boolean {
  return decision.kind === "merge" && message === undefined && at - refusedAt < mergePauseMs;
}

/** What is to be written now: a new state at once, an answer when the budget of answers has room. */
export function newsOf(
  { told, standing, at }: Review,
  waitsFor: readonly string[],
  { pollMs }: ReviewRules,
): Told | undefined {
  const { refusal } = standing;
  const answers = refusal !== told.refusal;
  const isNew = waitsFor.join() !== told.waitsFor.join() || (answers && at >= told.answerAfter);
  if (waitsFor.length === 0 || !isNew) return undefined;
  return { waitsFor, refusal, answerAfter: answers ? at + answerPolls * pollMs : told.answerAfter };
}

/** How long to wait: an alert that stays away closes the proposal when it is said to, not some polls later. */
export function waitOf({ pauseMs, resolvedAt, at }: Review, { lingerMs }: ReviewRules): number {
  return resolvedAt === undefined ? pauseMs : Math.min(pauseMs, resolvedAt + lingerMs - at);
}
