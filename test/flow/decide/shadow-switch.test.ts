import { describe, expect, test } from "vitest";
import { atDesk, type Desk, failing } from "../../faults/desk.ts";
import { forgeWrites } from "../../../src/lab/forge/writes.ts";

const approver = "wim";
const quiet = { mode: "shadow", dashboard: false };
const ofClass = { modes: [{ namespace: "shop-production", alert: "*", mode: "shadow" }] };
const ofRemedy = { modes: [{ remedy: "scale", mode: "shadow" }] };

const report = (desk: Desk) => desk.forge.comments(desk.proposal.number)[0]?.body ?? "";
const writesOf = (desk: Desk) => forgeWrites(desk.forge).filter((line) => !line.includes("graphql"));

describe("a person switches to shadow mode while a proposal is open", () => {
  test.each([
    ["everything, without a dashboard", quiet],
    ["its class", ofClass],
    ["its remedy", ofRemedy],
  ])("%s: it is withdrawn with the reason, and nothing else is written", (_, guardrails) =>
    atDesk({ latched: true }, async (desk) => {
      await desk.decides([{ kind: "pull-request" }]);
      await desk.turnTo(guardrails);
      desk.forge.resetCalls();
      const said = await desk.says(approver, "/approve-scale");
      expect(await desk.decides([said])).toMatchObject({
        ...{ kind: "close", ending: "declined", reason: "shadowed" },
        because: expect.stringContaining("shadow mode was switched on"),
      });
      expect([desk.mergeCalls(), (await desk.forge.pull(desk.proposal.number)).state]).toEqual([0, "closed"]);
      expect(report(desk)).toContain("**Closed**: shadow mode was switched on for this class");
      // The comment, the end of the pull request, its branch: no reaction, no second comment.
      expect(writesOf(desk).map((line) => line.split(" ")[0])).toEqual(["PATCH", "PATCH", "DELETE"]);
      desk.forge.resetCalls();
      expect(await desk.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "close" });
      expect(writesOf(desk)).toEqual([]);
    }),
  );

  test("after the switch back the same change is proposed anew, and what a person closed stays closed", () =>
    atDesk({ latched: true }, async (desk) => {
      // A switch back proposes what the switch had withdrawn.
      desk.forge.excused.add("Z2");
      await desk.turnTo(ofClass);
      expect(await desk.decides([{ kind: "pull-request" }])).toMatchObject({ reason: "shadowed" });
      await desk.turnTo({});
      const again = await desk.session.host.publish(desk.draft);
      expect(again.number).toBeGreaterThan(desk.proposal.number);
      expect((await desk.forge.pull(again.number)).state).toBe("open");
      await desk.forge.closeBy("ada", again.number);
      expect((await desk.session.host.publish(desk.draft)).number).toBe(again.number);
    }));

  test("what stands in the merge queue is taken out of it", () =>
    atDesk({ latched: true }, async (desk) => {
      desk.forge.change({ mergeQueue: "ruleset" });
      await desk.decides([await desk.says(approver, "/approve-scale")]);
      expect(desk.forge.queued()).toEqual([desk.proposal.number]);
      await desk.turnTo(quiet);
      expect(await desk.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "close", reason: "shadowed" });
      expect([desk.forge.queued(), (await desk.forge.pull(desk.proposal.number)).state]).toEqual([[], "closed"]);
    }));

  test("guardrails that nobody can read take it out of the merge queue, too, and nothing is parked", () =>
    atDesk({ latched: true }, async (desk) => {
      desk.forge.change({ mergeQueue: "ruleset" });
      await desk.decides([await desk.says(approver, "/approve-scale")]);
      await desk.turnTo("mode: shadows\n");
      expect(await desk.decides([{ kind: "pull-request" }])).toBeUndefined();
      expect([desk.forge.queued(), (await desk.forge.pull(desk.proposal.number)).state]).toEqual([[], "open"]);
    }));

  test("where even that is refused, the end says that it is open and may still be merged", () =>
    atDesk({ latched: true }, async (desk) => {
      await desk.turnTo(quiet);
      const answer = { status: 403, body: { message: "Resource not accessible by integration" } };
      desk.forge.faults = ({ method }) => (method === "PATCH" ? { when: "before", answer } : undefined);
      const told = `#${desk.proposal.number} could not be withdrawn and is still open`;
      expect(await desk.decides([{ kind: "pull-request" }])).toMatchObject({
        ...{ kind: "close", reason: "shadowed" },
        because: expect.stringContaining(told),
      });
      expect(desk.told.join("\n")).toContain(told);
    }));

  test("what GitHub has merged by then is merged, and people's own no stays theirs", () =>
    atDesk({ latched: true }, async (desk) => {
      await desk.turnTo(quiet);
      await desk.forge.mergeBy("ada", desk.proposal.number);
      desk.forge.resetCalls();
      expect(await desk.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "merged" });
      await desk.session.host.report(desk.proposal, "what became of it");
      expect(writesOf(desk)).toEqual([]);
    }));

  test("closed by a person: nothing more is written", () =>
    atDesk({ latched: true }, async (desk) => {
      await desk.turnTo(quiet);
      await desk.forge.closeBy("ada", desk.proposal.number);
      desk.forge.resetCalls();
      expect(await desk.decides([{ kind: "pull-request" }])).toMatchObject({ because: "closed by a person" });
      expect(writesOf(desk)).toEqual([]);
    }));

  test("what an earlier try had opened is not forgotten: it is withdrawn, and an older plan stays what it was", () =>
    atDesk({ latched: true }, async (desk) => {
      desk.forge.excused.add("Z2");
      const draft = { ...desk.draft, branch: "rectify/another" };
      desk.forge.faults = failing("POST", /\/labels$/, { when: "before", answer: { status: 500, body: {} } });
      await expect(desk.session.host.publish(draft)).rejects.toThrow();
      desk.forge.faults = undefined;
      const opened = desk.forge.pulls().find(({ number }) => number !== desk.proposal.number);
      await desk.turnTo(quiet);
      desk.forge.resetCalls();
      const proposal = await desk.session.host.publish(draft);
      expect(proposal).toMatchObject({ number: opened?.number, headSha: opened?.head.sha });
      expect(writesOf(desk)).toEqual([]);
      await expect(desk.session.host.publish({ ...draft, effect: "another effect" })).rejects.toThrow("shadow mode");
      const decided = await desk.decides([{ kind: "pull-request" }], { pending: { proposal } });
      expect(decided).toMatchObject({ kind: "close", reason: "shadowed" });
      expect((await desk.forge.pull(proposal.number)).state).toBe("closed");
    }));

  test("an opening that shadow mode overtakes leaves nothing open that is not known", () =>
    atDesk({ latched: true }, async (desk) => {
      await desk.turnTo(quiet);
      const draft = { ...desk.draft, branch: "rectify/another", incident: "6f1c2b1e-0000-5000-8000-000000000002" };
      await expect(desk.session.host.publish(draft)).rejects.toThrow("shadow mode");
      expect(desk.forge.pulls()).toHaveLength(1);
    }));
});
