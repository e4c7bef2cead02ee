import { expect, test } from "vitest";
import {
  approversText,
  renderReport,
  renderOutcome,
  renderReverted,
} from "../../../../src/domain/proposal/body/sticky.ts";
import type { OutcomeOnRecord } from "../../../../src/domain/proposal/outcome.ts";
import { liveMarkup } from "../../../live-markup.ts";

const rule: Parameters<typeof approversText>[0] = { users: [], teams: [], minimumPermission: "write", count: 1 };
const proposal = {
  ...{ number: 1, url: "https://github.com/acme/shop/pull/1", branch: "b", headSha: "a".repeat(40), effect: "e" },
  ...{ commitMessage: "", files: [], labels: [] },
};
const recovered: OutcomeOnRecord = {
  ending: "recovered",
  because: "the rollout is complete, no alert of the incident fires, and the metric is back (120 ms, was 1.95 s)",
  proposal,
  course: {
    openedAt: "2026-11-24T02:04:00.000Z",
    mergedAt: "2026-11-24T02:06:10.000Z",
    mergedBecause: "approved by wim",
    syncedAt: "2026-11-24T02:06:22.000Z",
  },
  verification: { kind: "recovered", because: "", afterMs: 46_000, measured: { before: 1950, after: 120, unit: "ms" } },
};

test("what waits repeats the head and names who may approve", () => {
  const report = renderReport({ state: "waiting", waitsFor: ["an approval"], head: "- HEAD", approvers: "Who may" });
  expect(report).toBe("**Waiting for**\n\n- an approval\n\n- HEAD\n\nWho may");
});

test("what is approved is not asked for again", () => {
  const head =
    "- **Hurts:** x\n- **Risk:** Medium: new. Still missing: an approval (no auto-merge: y).\n- **To approve**, comment `/approve`.";
  const report = renderReport({ state: "waiting", waitsFor: ["check ci"], approvedBy: ["wim"], head });
  expect(report).toContain("- **Hurts:** x\n- **Risk:** Medium: new.");
  expect(report).not.toMatch(/Still missing|To approve/);
  expect(renderReport({ state: "waiting", waitsFor: ["an approval"], approvedBy: [], head })).toContain("To approve");
});

test("what is approved and cannot be merged says both, while it waits and when it closes", () => {
  const waiting = renderReport({ state: "waiting", waitsFor: ["check ci"], approvedBy: ["wim", "ada"] });
  expect(waiting).toContain("**Approved by `wim`, `ada`, but not merged because it waits for**\n\n- check ci");
  expect(renderReport({ state: "closed", because: "the alert resolved before the merge", approvedBy: ["wim"] })).toBe(
    "**Approved by `wim`, but not merged because** the alert resolved before the merge",
  );
});

test.each([
  [rule, "Who may approve: everyone, with the permission `write` or more, and nobody who committed to this branch."],
  [
    { ...rule, users: ["wim"], teams: ["acme/sre"], count: 2 },
    "Who may approve: `wim`, members of `acme/sre`, with the permission `write` or more, and nobody who committed to this branch. 2 of them must.",
  ],
])("who may approve is told without calling anybody", (given, text) => {
  expect(approversText(given)).toBe(text);
  expect(liveMarkup(text)).toEqual([]);
});

test("the end says what happened: how long each part took, the value before and after, and the post-mortem", () => {
  const outcome = renderOutcome(recovered, "postmortems/2026-11-24-x.md");
  expect(outcome).toMatch(/^\*\*Recovered\*\*: The rollout is complete/);
  expect(outcome.split("\n- ").slice(1)).toEqual([
    "Proposed 2026-11-24 02:04 UTC",
    "Merged after 2 min 10 s: approved by wim",
    "Synced after 12 s",
    "Recovered after 46 s more",
    "The metric of the alert: 1.95 s → 120 ms",
    "[Post-mortem](https://github.com/acme/shop/blob/HEAD/postmortems/2026-11-24-x.md), which the next pull request completes",
  ]);
});

test("a change that was reverted names the pull request that reverted it", () => {
  const revert = { proposal: { ...proposal, number: 2 }, mergedSha: "b".repeat(40) };
  const outcome = renderOutcome({ ...recovered, ending: "reverted", revert, verification: undefined }, "p.md");
  expect(outcome).toContain("**Did not help and was reverted**");
  expect(outcome).toContain("- Reverted by #2");
  const refused = { proposal: revert.proposal, mergedSha: undefined };
  const left = renderOutcome({ ...recovered, ending: "unclear", revert: refused, verification: undefined }, "p.md");
  expect(left).toContain("- The revert #2 was not merged");
});

test("the pull request that reverted it says what happened, and no other ending does", () => {
  const revert = { proposal: { ...proposal, number: 2 }, mergedSha: "b".repeat(40), course: recovered.course };
  const told = renderReverted({ ...recovered, ending: "reverted", revert }, "p.md");
  expect(told?.split("\n- ")).toEqual([
    "**Reverted**: the cluster holds what was there before #1.\n\nWhat happened:\n",
    "Proposed 2026-11-24 02:04 UTC",
    "Merged after 2 min 10 s: approved by wim",
    "Synced after 12 s",
    "[Post-mortem](https://github.com/acme/shop/blob/HEAD/p.md), which the next pull request completes",
  ]);
  expect(renderReverted({ ...recovered, ending: "unclear", revert }, "p.md")).toBeUndefined();
  expect(renderReverted(recovered, "p.md")).toBeUndefined();
});

test("what an older version put on record is told without times", () => {
  const { course, ...old } = recovered;
  expect(course).toBeDefined();
  expect(renderOutcome({ ...old, verification: undefined, proposal: undefined }, "p.md")).toBe(
    "**Recovered**: The rollout is complete, no alert of the incident fires, and the metric is back (120 ms, was 1.95 s).",
  );
});

test("an address that is none becomes no link", () => {
  const url = "https://github.com/acme/shop/pull/1](https://evil.example)";
  expect(renderOutcome({ ...recovered, proposal: { ...proposal, url } }, "p.md")).not.toContain("evil");
});
