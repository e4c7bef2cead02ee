import { expect, test } from "vitest";
import { atDesk } from "../faults/desk.ts";

const approver = "wim";
const nothingSaid = { approvals: [], rejectedBy: undefined, held: false, refusal: "" };

test("an open issue labelled rectify-freeze stops an approved merge, and its end lets it go on", () =>
  atDesk({}, async (desk) => {
    const issue = await desk.forge.openIssue(approver, { title: "Hands off" });
    await desk.forge.label(issue, ["rectify-freeze"], approver);
    const said = await desk.says(approver, "/approve-scale");
    expect(await desk.decides([said])).toBeUndefined();
    expect(desk.mergeCalls()).toBe(0);
    await desk.forge.closeBy(approver, issue);
    expect(await desk.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "merged" });
  }));

test("an approval that was written before the change was planned anew does not count for the new effect", () =>
  atDesk({}, async (desk) => {
    await desk.says(approver, "/approve-scale");
    const earlier = { listened: [], standing: nothingSaid, effect: "the effect before" };
    expect(await desk.decides([{ kind: "pull-request" }], { pending: { earlier } })).toBeUndefined();
    expect(desk.mergeCalls()).toBe(0);
  }));

test("a number is heard once: it is not planned again after the plan that it led to", () =>
  atDesk({}, async (desk) => {
    await desk.says(approver, "/approve-scale 5");
    const first = await desk.decides([]);
    expect(first).toMatchObject({ kind: "replan", replicas: 5, by: approver });
    if (first?.kind !== "replan") return;
    expect(await desk.decides([], { pending: { earlier: first.hearings } })).toBeUndefined();
  }));

test("a hold outlives a new plan", () =>
  atDesk({}, async (desk) => {
    await desk.says(approver, "/hold");
    await desk.says(approver, "/approve-scale 5");
    const first = await desk.decides([]);
    expect(first).toMatchObject({ kind: "replan", hearings: { standing: { held: true } } });
  }));

test("the word of the person who asked for the number counts for the effect that came of it", () =>
  atDesk({}, async (desk) => {
    const earlier = { listened: [], standing: nothingSaid, effect: "the effect before" };
    expect(await desk.decides([], { pending: { earlier, approvedBy: approver } })).toMatchObject({ kind: "merged" });
  }));
