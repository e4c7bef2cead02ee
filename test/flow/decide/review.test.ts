import { expect, test } from "vitest";
import type { Decision } from "../../../src/domain/proposal/decision.ts";
import type { PullPlace } from "../../../src/domain/proposal/pull-request.ts";
import type { Pending } from "../../../src/flow/decide/pending.ts";
import {
  newsOf,
  nextReview,
  restsAfterRefusal,
  type Review,
  reviewAtFirst,
  type ReviewEvent,
  waitOf,
} from "../../../src/flow/decide/review.ts";

const rules = { pollMs: 1_000, lingerMs: 5_000, branch: "rectify/web" };
const pending = { proposal: { effect: "e" }, approvedBy: undefined } as Pending;
const after = (events: readonly ReviewEvent[], from: Review = reviewAtFirst(pending)) =>
  events.reduce((review, event) => nextReview(review, event, rules), from);

const merge: Decision = { kind: "merge", because: "approved by ann", approvedBy: ["ann"] };
const place: PullPlace = { base: "main", branch: "rectify/web", draft: false, defaultBranch: "main" };
const looked = (at: number, more: Partial<Extract<ReviewEvent, { kind: "looked" }>["look"]> = {}, idle = false) =>
  ({ kind: "looked", look: { decision: merge, at, place, ...more }, idle }) as const;
const standing = { approvals: [{ by: "ann", effect: "e" }], rejectedBy: undefined, held: false, refusal: "" };

test("who asked for exactly this number has approved what came of it", () => {
  expect(reviewAtFirst(pending).standing.approvals).toEqual([]);
  const asked = reviewAtFirst({ ...pending, approvedBy: "ann" });
  expect(asked.standing).toEqual(standing);
});

test("an approval is void after the place changed between two looks, and the state says so", () => {
  const approved = after([looked(0), { kind: "commands", standing }, looked(1_000)]);
  expect(approved.standing.approvals).toHaveLength(1);
  const moved = after([looked(2_000, { place: { ...place, draft: true } })], approved);
  expect(moved.standing).toMatchObject({ approvals: [], refusal: expect.stringContaining("void") });
});

test("of those whose words changed nothing, the next gets a reaction four polls later", () => {
  const first = after([looked(10_000, {}, true)]);
  expect(first.reactAfter).toBe(14_000);
  expect(after([looked(12_000, {}, true)], first).reactAfter).toBe(14_000);
  expect(after([looked(14_000, {}, true)], first).reactAfter).toBe(18_000);
  expect(after([looked(20_000)], first).reactAfter).toBe(14_000);
});

test("a merge that GitHub refused is asked for again after a quarter of an hour, or when something happens", () => {
  const refused = after([looked(0), { kind: "refused" }, looked(60_000)]);
  expect(restsAfterRefusal(refused, merge)).toBe(true);
  expect(restsAfterRefusal(refused, { kind: "close", ending: "declined", because: "no" })).toBe(false);
  expect(restsAfterRefusal(after([{ kind: "woken", message: { kind: "alert" } }], refused), merge)).toBe(false);
  expect(restsAfterRefusal(after([looked(15 * 60_000)], refused), merge)).toBe(false);
});

test("a new state is told at once, an answer when the budget has room, and what is known is not told again", () => {
  const quiet = after([looked(0)]);
  const first = newsOf(quiet, ["an approval"], rules);
  expect(first).toEqual({ waitsFor: ["an approval"], refusal: "", answerAfter: 0 });
  const told = after([{ kind: "told", told: first ?? quiet.told }], quiet);
  expect(newsOf(told, ["an approval"], rules)).toBeUndefined();
  const asked = after([{ kind: "commands", standing: { ...standing, refusal: "no" } }, looked(1_000)], told);
  expect(newsOf(asked, ["an approval"], rules)).toMatchObject({ refusal: "no", answerAfter: 5_000 });
  expect(newsOf(asked, [], rules)).toBeUndefined();
  const answered = after(
    [{ kind: "told", told: { waitsFor: ["an approval"], refusal: "no", answerAfter: 5_000 } }],
    asked,
  );
  const again = after([{ kind: "commands", standing: { ...standing, refusal: "still no" } }, looked(4_000)], answered);
  expect(newsOf(again, ["an approval"], rules)).toBeUndefined();
  expect(newsOf(after([looked(5_000)], again), ["an approval"], rules)).toMatchObject({ refusal: "still no" });
});

test("a quiet proposal is looked at ever more rarely, and one whose alert resolved when it is said to close", () => {
  const waits = [1, 2, 3].map((count) => after(Array(count).fill({ kind: "waits" })).pauseMs);
  expect(waits).toEqual([1_000, 2_000, 4_000]);
  expect(after([{ kind: "waits" }, { kind: "woken", message: { kind: "alert" } }, { kind: "waits" }]).pauseMs).toBe(
    1_000,
  );
  const resolved = after([looked(4_000, { resolvedAt: 0 }), { kind: "waits" }, { kind: "waits" }]);
  expect(waitOf(resolved, rules)).toBe(1_000);
  expect(waitOf({ ...resolved, resolvedAt: undefined }, rules)).toBe(2_000);
});
