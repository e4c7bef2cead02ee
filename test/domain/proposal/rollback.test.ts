import { expect, test } from "vitest";
import type { Effect } from "../../../src/domain/kubernetes/manifest-edit.ts";
import { driftOf, remediationBack, rollbackOf } from "../../../src/domain/proposal/rollback.ts";
import type { OutcomeOnRecord } from "../../../src/domain/proposal/outcome.ts";
import { aPlan } from "../../plan.ts";
import { aRollback } from "../../rollback.ts";

const { remediation, effect } = aPlan(4);
const proposal = { number: 7 } as OutcomeOnRecord["proposal"];
const merged: OutcomeOnRecord = {
  ending: "recovered",
  because: "it is back",
  remediation,
  effect,
  proposal,
  mergedSha: "c",
};
const reverting = { number: 8 } as OutcomeOnRecord["proposal"];

test("a merged change can be reverted under its own pull request", () => {
  expect(rollbackOf(merged, 7)).toEqual({ remediation, effect });
});

test.each<[string, OutcomeOnRecord | undefined, number, RegExp]>([
  ["while its workflow goes on", undefined, 7, /still at work/],
  ["when it was never merged", { ...merged, mergedSha: undefined }, 7, /nothing of it was merged/],
  ["under another pull request of the incident", merged, 9, /only the change of #7 itself/],
  ["when its revert was merged", { ...merged, revert: { proposal: reverting, mergedSha: "d" } }, 7, /#8 reverted it/],
])("nothing is reverted %s", (_, outcome, pull, words) => {
  expect(rollbackOf(outcome, pull)).toMatch(words);
});

test("a commit that nobody named cannot be reverted by name; a field can", () => {
  const unnamed = { ...merged, mergedSha: "" };
  expect(rollbackOf(unnamed, 7)).toEqual({ remediation, effect });
  const change = { kind: "commit", sha: "a", scope: "workload", to: "" } as const;
  const reversal = { ...remediation, kind: "revert-commit", change } as const;
  expect(rollbackOf({ ...unnamed, remediation: reversal }, 7)).toMatch(/did not say which commit/);
  expect(rollbackOf({ ...merged, remediation: reversal }, 7)).toMatchObject({ mergedSha: "c" });
});

test("a revert that was not merged stands in nobody's way", () => {
  const outcome: OutcomeOnRecord = { ...merged, revert: { proposal: reverting, mergedSha: undefined } };
  expect(rollbackOf(outcome, 7)).toEqual({ remediation, effect });
});

test("the change back goes to the value before, and says who asked", () => {
  const back = remediationBack(aRollback());
  expect(back).toMatchObject({ kind: "revert", from: "4", to: "2", change: { kind: "replicas", to: 2 } });
  expect(back.sizing).toEqual(["back to 2, the value before pull request 7: ann asked for it"]);
});

const fromTo = (from: unknown, to: unknown): Effect => {
  const [change] = effect.changes;
  if (change === undefined) throw new Error("the plan changes nothing");
  return { ...effect, changes: [{ ...change, from, to }] };
};

test("a change back that starts from what was written undoes nothing else", () => {
  expect(driftOf(effect, fromTo(4, 2))).toBeUndefined();
});

test.each<[string, Effect, RegExp]>([
  ["somebody set another number since", fromTo(6, 2), /Git asks for 6 now, and the change wrote 4/],
  [
    "another field would change",
    { ...effect, changes: effect.changes.map((change) => ({ ...change, field: ["spec", "paused"], from: true })) },
    /Git asks for true now, and the change wrote nothing/,
  ],
])("it is refused where %s", (_, back, words) => {
  expect(driftOf(effect, back)).toMatch(words);
});
