import { describe, expect, test } from "vitest";
import { inReview, type ReviewWorld, failing } from "../../faults/review-world.ts";
import { forgeWrites } from "../../../src/lab/forge/writes.ts";

const approver = "wim";
const quiet = { mode: "shadow", dashboard: false };
const ofClass = { modes: [{ namespace: "shop-production", alert: "*", mode: "shadow" }] };
const ofRemedy = { modes: [{ remedy: "scale", mode: "shadow" }] };

const report = (world: ReviewWorld) => world.forge.comments(world.proposal.number)[0]?.body ?? "";
const writesOf = (world: ReviewWorld) => forgeWrites(world.forge).filter((line) => !line.includes("graphql"));

describe("a person switches to shadow mode while a proposal is open", () => {
  test.each([
    ["everything, without a dashboard", quiet],
    ["its class", ofClass],
    ["its remedy", ofRemedy],
  ])("%s: it is withdrawn with the reason, and nothing else is written", (_, guardrails) =>
    inReview({ latched: true }, async (world) => {
      await world.decides([{ kind: "pull-request" }]);
      await world.turnTo(guardrails);
      world.forge.resetCalls();
      const said = await world.says(approver, "/approve-scale");
      expect(await world.decides([said])).toMatchObject({
        ...{ kind: "close", ending: "declined", reason: "shadowed" },
        because: expect.stringContaining("shadow mode was switched on"),
      });
      expect([world.mergeCalls(), (await world.forge.pull(world.proposal.number)).state]).toEqual([0, "closed"]);
      expect(report(world)).toContain("**Closed**: shadow mode was switched on for this class");
      // The comment, the end of the pull request, its branch: no reaction, no second comment.
      expect(writesOf(world).map((line) => line.split(" ")[0])).toEqual(["PATCH", "PATCH", "DELETE"]);
      world.forge.resetCalls();
      expect(await world.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "close" });
      expect(writesOf(world)).toEqual([]);
    }),
  );

  test("after the switch back the same change is proposed anew, and what a person closed stays closed", () =>
    inReview({ latched: true }, async (world) => {
      // A switch back proposes what the switch had withdrawn.
      world.forge.excused.add("Z2");
      await world.turnTo(ofClass);
      expect(await world.decides([{ kind: "pull-request" }])).toMatchObject({ reason: "shadowed" });
      await world.turnTo({});
      const again = await world.session.host.publish(world.draft);
      expect(again.number).toBeGreaterThan(world.proposal.number);
      expect((await world.forge.pull(again.number)).state).toBe("open");
      await world.forge.closeBy("ada", again.number);
      expect((await world.session.host.publish(world.draft)).number).toBe(again.number);
    }));

  test("what stands in the merge queue is taken out of it", () =>
    inReview({ latched: true }, async (world) => {
      world.forge.change({ mergeQueue: "ruleset" });
      await world.decides([await world.says(approver, "/approve-scale")]);
      expect(world.forge.queued()).toEqual([world.proposal.number]);
      await world.turnTo(quiet);
      expect(await world.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "close", reason: "shadowed" });
      expect([world.forge.queued(), (await world.forge.pull(world.proposal.number)).state]).toEqual([[], "closed"]);
    }));

  test("guardrails that nobody can read take it out of the merge queue, too, and nothing is parked", () =>
    inReview({ latched: true }, async (world) => {
      world.forge.change({ mergeQueue: "ruleset" });
      await world.decides([await world.says(approver, "/approve-scale")]);
      await world.turnTo("mode: shadows\n");
      expect(await world.decides([{ kind: "pull-request" }])).toBeUndefined();
      expect([world.forge.queued(), (await world.forge.pull(world.proposal.number)).state]).toEqual([[], "open"]);
    }));

  test("where even that is refused, the end says that it is open and may still be merged", () =>
    inReview({ latched: true }, async (world) => {
      await world.turnTo(quiet);
      const answer = { status: 403, body: { message: "Resource not accessible by integration" } };
      world.forge.faults = ({ method }) => (method === "PATCH" ? { when: "before", answer } : undefined);
      const told = `#${world.proposal.number} could not be withdrawn and is still open`;
      expect(await world.decides([{ kind: "pull-request" }])).toMatchObject({
        ...{ kind: "close", reason: "shadowed" },
        because: expect.stringContaining(told),
      });
      expect(world.told.join("\n")).toContain(told);
    }));

  test("what GitHub has merged by then is merged, and people's own no stays theirs", () =>
    inReview({ latched: true }, async (world) => {
      await world.turnTo(quiet);
      await world.forge.mergeBy("ada", world.proposal.number);
      world.forge.resetCalls();
      expect(await world.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "merged" });
      await world.session.host.report(world.proposal, "what became of it");
      expect(writesOf(world)).toEqual([]);
    }));

  test("closed by a person: nothing more is written", () =>
    inReview({ latched: true }, async (world) => {
      await world.turnTo(quiet);
      await world.forge.closeBy("ada", world.proposal.number);
      world.forge.resetCalls();
      expect(await world.decides([{ kind: "pull-request" }])).toMatchObject({ because: "closed by a person" });
      expect(writesOf(world)).toEqual([]);
    }));

  test("what an earlier try had opened is not forgotten: it is withdrawn, and an older plan stays what it was", () =>
    inReview({ latched: true }, async (world) => {
      world.forge.excused.add("Z2");
      const draft = { ...world.draft, branch: "rectify/another" };
      world.forge.faults = failing("POST", /\/labels$/, { when: "before", answer: { status: 500, body: {} } });
      await expect(world.session.host.publish(draft)).rejects.toThrow();
      world.forge.faults = undefined;
      const opened = world.forge.pulls().find(({ number }) => number !== world.proposal.number);
      await world.turnTo(quiet);
      world.forge.resetCalls();
      const proposal = await world.session.host.publish(draft);
      expect(proposal).toMatchObject({ number: opened?.number, headSha: opened?.head.sha });
      expect(writesOf(world)).toEqual([]);
      await expect(world.session.host.publish({ ...draft, effect: "another effect" })).rejects.toThrow("shadow mode");
      const decided = await world.decides([{ kind: "pull-request" }], { pending: { proposal } });
      expect(decided).toMatchObject({ kind: "close", reason: "shadowed" });
      expect((await world.forge.pull(proposal.number)).state).toBe("closed");
    }));

  test("an opening that shadow mode overtakes leaves nothing open that is not known", () =>
    inReview({ latched: true }, async (world) => {
      await world.turnTo(quiet);
      const draft = { ...world.draft, branch: "rectify/another", incident: "6f1c2b1e-0000-5000-8000-000000000002" };
      await expect(world.session.host.publish(draft)).rejects.toThrow("shadow mode");
      expect(world.forge.pulls()).toHaveLength(1);
    }));
});
