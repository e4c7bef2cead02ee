import { describe, expect, test } from "vitest";
import { Unavailable } from "../../../src/ports/errors.ts";
import { inReview, type ReviewWorld } from "../../faults/review-world.ts";
import { ci } from "../../lab/forge-shop.ts";

const approver = "wim";
const nothingSaid = { approvals: [], rejectedBy: undefined, held: false, refusal: "" };

test("an open issue labelled rectify-freeze stops an approved merge, and its end lets it go on", () =>
  inReview({}, async (world) => {
    const issue = await world.forge.openIssue(approver, { title: "Hands off" });
    await world.forge.label(issue, ["rectify-freeze"], approver);
    const said = await world.says(approver, "/approve-scale");
    expect(await world.decides([said])).toBeUndefined();
    expect(world.mergeCalls()).toBe(0);
    await world.forge.closeBy(approver, issue);
    expect(await world.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "merged" });
  }));

test("an approval that was written before the change was planned anew does not count for the new effect", () =>
  inReview({}, async (world) => {
    await world.says(approver, "/approve-scale");
    const earlier = { listened: [], standing: nothingSaid, effect: "the effect before", headSha: "a".repeat(40) };
    expect(await world.decides([{ kind: "pull-request" }], { pending: { earlier } })).toBeUndefined();
    expect(world.mergeCalls()).toBe(0);
  }));

test("a number is heard once: it is not planned again after the plan that it led to", () =>
  inReview({}, async (world) => {
    await world.says(approver, "/approve-scale 5");
    const first = await world.decides([]);
    expect(first).toMatchObject({ kind: "replan", replicas: 5, by: approver });
    if (first?.kind !== "replan") return;
    expect(await world.decides([], { pending: { earlier: first.commandLog } })).toBeUndefined();
  }));

test("a hold outlives a new plan", () =>
  inReview({}, async (world) => {
    await world.says(approver, "/hold");
    await world.says(approver, "/approve-scale 5");
    const first = await world.decides([]);
    expect(first).toMatchObject({ kind: "replan", commandLog: { standing: { held: true } } });
  }));

test("the word of the person who asked for the number counts for the effect that came of it", () =>
  inReview({}, async (world) => {
    const earlier = { listened: [], standing: nothingSaid, effect: "the effect before", headSha: "a".repeat(40) };
    expect(await world.decides([], { pending: { earlier, approvedBy: approver } })).toMatchObject({ kind: "merged" });
  }));

const report = (world: ReviewWorld) => world.forge.comments(world.proposal.number)[0]?.body ?? "";

test("a review that the branch's protection requires is counted by GitHub and asked for in its words", () =>
  inReview({ shop: { requiredReviews: 1 } }, async (world) => {
    expect(await world.decides([await world.says(approver, "/approve-scale")])).toBeUndefined();
    expect(report(world)).toContain("1 approving review is required");
    await world.forge.review("ada", world.proposal.number, "APPROVED");
    expect(await world.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "merged" });
  }));

test("two of a team must approve where the guardrails say so", () =>
  inReview(
    {
      shop: { teams: { "acme/sre": ["wim", "max"] } },
      guardrails: { approvers: { "approve-scale": { teams: ["acme/sre"], count: 2 } } },
    },
    async (world) => {
      const said = [];
      for (const login of ["wim", "ada", "wim"]) said.push(await world.says(login, "/approve-scale"));
      expect(await world.decides(said)).toBeUndefined();
      expect(report(world)).toContain("you are not among the approvers");
      expect(await world.decides([await world.says("max", "/approve-scale")])).toMatchObject({ kind: "merged" });
    },
  ));

const autoMerging = { autoMerge: "low-risk", requiredChecks: [] };
const ready = { pending: { selfMergeLacks: [] } };
/** A quarter of an hour, a day away from now. */
const closed = [{ days: [dayIn(3)], from: "11:00", to: "11:15", timeZone: "Europe/Berlin" }];

test.each([
  ["what lacks nothing is auto-merged", autoMerging, "merged"],
  ["not after the permission was revoked", { autoMerge: "never" }, "the guardrails allow no auto-merge"],
  ["not outside the windows", { ...autoMerging, windows: closed }, "11:00–11:15 Europe/Berlin"],
  [
    "an exempt severity needs no window",
    { ...autoMerging, windows: closed, windowExemptSeverities: ["critical"] },
    "merged",
  ],
  ["not in a freeze", { ...autoMerging, freeze: true }, "the end of the freeze"],
  [
    "another remedy's shadow is not its own",
    { ...autoMerging, modes: [{ remedy: "resources", mode: "shadow" }] },
    "merged",
  ],
])("%s", (_what, guardrails, expected) =>
  inReview({ guardrails }, async (world) => {
    const decided = await world.decides([{ kind: "pull-request" }], ready);
    if (expected === "merged") expect(decided).toMatchObject({ kind: "merged" });
    else expect([decided, report(world)]).toEqual([undefined, expect.stringContaining(expected)]);
  }),
);

test("in Watchtower mode an open proposal is kept, merges only by a person's word", async () => {
  await inReview({ guardrails: autoMerging }, async (world) => {
    expect(await world.decides([{ kind: "pull-request" }], { ...ready, watching: true })).toBeUndefined();
    expect(report(world)).toContain("Watchtower mode: no auto-merge");
    expect(world.mergeCalls()).toBe(0);
    const said = await world.says(approver, "/approve-scale");
    expect(await world.decides([said], { ...ready, watching: true })).toMatchObject({ kind: "merged" });
  });
});

test.each([
  ["Alertmanager gives no answer", new Unavailable("Alertmanager: no answer")],
  ["it is not on Alertmanager's list, and nobody saw it end", []],
])("while nobody knows whether the alert still fires, as %s, only a person merges", (_, answer) =>
  inReview({ guardrails: autoMerging }, async (world) => {
    const alerts = {
      active: async () => {
        if (answer instanceof Unavailable) throw answer;
        return answer;
      },
    };
    expect(await world.decides([{ kind: "pull-request" }], { ...ready, alerts })).toBeUndefined();
    expect([report(world), world.mergeCalls()]).toEqual([expect.stringContaining("nobody knows whether the alert"), 0]);
    const said = await world.says(approver, "/approve-scale");
    expect(await world.decides([said], { ...ready, alerts })).toMatchObject({ kind: "merged" });
  }),
);

test("without a required check nothing is auto-merged, and the fix is told", () =>
  inReview({ guardrails: autoMerging, shop: { requiredChecks: [] } }, async (world) => {
    expect(await world.decides([{ kind: "pull-request" }], ready)).toBeUndefined();
    expect(report(world)).toContain("let its protection or a ruleset require one");
    expect(await world.decides([await world.says(approver, "/approve-scale")], ready)).toMatchObject({
      kind: "merged",
    });
  }));

test("/retry plans the change anew, and what was approved stays approved while the effect is the same", () =>
  inReview({ green: false }, async (world) => {
    await world.says(approver, "/approve-scale");
    await world.says(approver, "/retry");
    const first = await world.decides([]);
    expect(first).toMatchObject({ kind: "replan", replicas: undefined, by: "" });
    if (first?.kind !== "replan") return;
    await world.forge.reportCheck({ sha: world.proposal.headSha, name: "ci", appId: ci, conclusion: "success" });
    expect(await world.decides([], { pending: { earlier: first.commandLog } })).toMatchObject({ kind: "merged" });
  }));

test("/stop is heard as a hold", () =>
  inReview({}, async (world) => {
    await world.says(approver, "/stop");
    expect(await world.decides([await world.says(approver, "/approve-scale")])).toBeUndefined();
    expect(report(world)).toContain("/resume");
  }));

test("a reader may neither hold nor retry, and is told once a minute at most", () =>
  inReview({}, async (world) => {
    const said = [];
    for (const word of ["/hold", "/retry", "/reject", "/resume"]) said.push(await world.says("rob", word));
    world.forge.resetCalls();
    expect(await world.decides(said)).toBeUndefined();
    const writes = world.forge.calls.filter(({ method }) => method === "POST" || method === "PATCH");
    expect(writes.filter(({ path }) => path.endsWith("/reactions"))).toHaveLength(1);
    expect(await world.decides([await world.says(approver, "/approve-scale")])).toMatchObject({ kind: "merged" });
  }));

test.each([
  ["/explain", "rectify explain"],
  ["/help", "/rollback (proposes to revert a merged change)"],
  ["/aprove-scale", "did you mean /approve-scale?"],
  ["/rollback", "nothing is merged that could be rolled back"],
])("%s is answered in the sticky comment", (body, words) =>
  inReview({}, async (world) => {
    expect(await world.decides([await world.says(approver, body)])).toBeUndefined();
    expect(report(world)).toContain(words);
  }),
);

function dayIn(days: number): string {
  const at = new Date(Date.now() + days * 86_400_000);
  return ["sun", "mon", "tue", "wed", "thu", "fri", "sat"][at.getUTCDay()] ?? "";
}

const halfCycleMs = 150_000;

test("A13: an alert that comes and goes twelve times in an hour is one proposal, which is never auto-merged", () =>
  inReview({ green: false, guardrails: autoMerging }, async (world) => {
    const alert = { turnsMs: Array<number>(22).fill(halfCycleMs) };
    expect(await world.decides([], { ...ready, quietLooks: 24, alert, pollMs: halfCycleMs })).toBeUndefined();
    // Only now nothing else stops it.
    await world.forge.reportCheck({ sha: world.proposal.headSha, name: "ci", appId: ci, conclusion: "success" });
    expect(await world.decides([{ kind: "pull-request" }], ready)).toBeUndefined();
    expect(report(world)).toContain("flapping: the alert began to fire 12 times within the hour");
    expect([world.mergeCalls(), world.forge.pulls().map(({ state }) => state)]).toEqual([0, ["open"]]);
    const edits = world.forge.calls.filter(({ method, path }) => method === "PATCH" && path.includes("/comments/"));
    expect(edits.length).toBeLessThanOrEqual(60);
    expect(await world.decides([await world.says(approver, "/approve-scale")], ready)).toMatchObject({
      kind: "merged",
    });
  }));

test("a proposal whose alert resolved says when it closes, and closes then", () =>
  inReview({ green: false }, async (world) => {
    const alert = { turnsMs: [60_000] };
    expect(await world.decides([], { quietLooks: 4, alert })).toBeUndefined();
    expect(report(world)).toMatch(/the alert, which resolved: this closes at \S+Z unless it fires again/);
    expect(await world.decides([], { quietLooks: 20 })).toMatchObject({
      ...{ kind: "close", ending: "resolved-before-merge" },
    });
  }));

test("nothing merges while the alert is resolved; when it fires again in time, what was approved merges", () =>
  inReview({}, async (world) => {
    await world.says(approver, "/approve-scale");
    expect(await world.decides([], { alert: { turnsMs: [0, halfCycleMs] } })).toBeUndefined();
    expect(report(world)).toContain("the alert, which resolved");
    expect(world.mergeCalls()).toBe(0);
    expect(await world.decides([], { quietLooks: 20 })).toMatchObject({ kind: "merged" });
  }));

test.each([
  [
    "the base",
    async (world: ReviewWorld) => world.forge.turnPull(world.proposal.number, { base: "elsewhere" }),
    "the base main",
  ],
  [
    "the draft state",
    async (world: ReviewWorld) => world.forge.turnPull(world.proposal.number, { draft: true }),
    "draft state",
  ],
])("%s that was changed after the approval voids it, also once it is changed back", (_what, turn, words) =>
  inReview({ green: false }, async (world) => {
    await world.forge.push({ "x.txt": "x" }, { message: "x", author: "wim", branch: "elsewhere" });
    const said = await world.says(approver, "/approve-scale");
    let looks = 0;
    const look = world.session.host.look;
    Object.assign(world.session.host, {
      look: async (proposal: Parameters<typeof look>[0]) => {
        looks += 1;
        if (looks === 4) await turn(world);
        if (looks === 6) {
          expect(report(world)).toContain(words);
          await world.forge.turnPull(world.proposal.number, { base: "main", draft: false });
          const ok = { sha: world.proposal.headSha, name: "ci", appId: ci, conclusion: "success" } as const;
          await world.forge.reportCheck(ok);
        }
        return look(proposal);
      },
    });
    expect(await world.decides([said], { quietLooks: 8 })).toBeUndefined();
    expect(looks).toBeGreaterThan(7);
    expect(world.mergeCalls()).toBe(0);
    expect(report(world)).toContain("approve it again");
    expect(await world.decides([await world.says(approver, "/approve-scale")])).toMatchObject({ kind: "merged" });
  }),
);

test("a base that is changed between the last look and the merge merges nothing", () =>
  inReview({}, async (world) => {
    await world.forge.push({ "x.txt": "x" }, { message: "x", author: "wim", branch: "elsewhere" });
    await world.forge.turnPull(world.proposal.number, { base: "elsewhere" });
    expect(await world.session.host.merge(world.proposal, [approver])).toMatchObject({ kind: "not-yet" });
    expect(world.mergeCalls()).toBe(0);
  }));

test("a person who may not be asked about is answered, and the workflow goes on", () =>
  inReview({}, async (world) => {
    world.forge.faults = ({ path }) =>
      path.includes("/collaborators/rob") ? { when: "before", answer: { status: 451 } } : undefined;
    expect(await world.decides([await world.says("rob", "/hold")])).toBeUndefined();
    expect(report(world)).toContain("could not be verified: try again later");
    expect(await world.decides([await world.says(approver, "/approve-scale")])).toMatchObject({ kind: "merged" });
  }));

test.each([403, 410, 451])(
  "a comment that GitHub does not show again (%i) is answered, and counts for nothing",
  (status) =>
    inReview({}, async (world) => {
      const said = await world.says(approver, "/approve-scale");
      await world.says("wim", "/deploy production");
      world.forge.faults = ({ method, path }) =>
        method === "GET" && /issues\/comments\/\d+$/.test(path) ? { when: "before", answer: { status } } : undefined;
      expect(await world.decides([said])).toBeUndefined();
      expect(report(world)).toContain("To the last command: the comment could not be verified: try again later");
      expect(world.told.join("\n")).not.toContain("deleted");
      expect(world.mergeCalls()).toBe(0);
      const reactions = world.session.audit.filter(({ action }) => action === "react");
      expect(reactions.map(({ detail }) => detail)).toMatchObject([{ comment: said.comment, content: "confused" }]);
      world.forge.faults = undefined;
      // For that comment only: the next one is heard.
      expect(await world.decides([await world.says(approver, "/approve-scale")])).toMatchObject({ kind: "merged" });
    }),
);

test.each([
  ["a status that a person's CI set", { context: "jenkins", state: "success" }, "merged"],
  ["a status that is not there yet", { context: "jenkins", state: "pending" }, "check jenkins"],
  ["a status that failed", { context: "jenkins", state: "failure" }, "check jenkins (failed)"],
] as const)("a required status, approved by a person: %s", (_what, status, expected) =>
  inReview({ shop: { rulesetChecks: [{ name: "jenkins" }] } }, async (world) => {
    await world.forge.reportStatus({ ...status, sha: world.proposal.headSha, by: "ada" });
    const decided = await world.decides([await world.says(approver, "/approve-scale")]);
    if (expected === "merged") expect(decided).toMatchObject({ kind: "merged" });
    else expect([decided, report(world)]).toEqual([undefined, expect.stringContaining(expected)]);
  }),
);

test("a status that anybody may set lets nothing auto-merge", () =>
  inReview({ guardrails: autoMerging, shop: { rulesetChecks: [{ name: "jenkins" }] } }, async (world) => {
    await world.forge.reportStatus({ sha: world.proposal.headSha, context: "jenkins", state: "success", by: "ada" });
    expect(await world.decides([{ kind: "pull-request" }], ready)).toBeUndefined();
    expect(report(world)).toContain("name its App");
  }));

test.each([
  ["a person's approval is enough for a check that was skipped", [], "merged"],
  ["but not where the guardrails name it", [{ name: "ci", app: ci }], "check ci (skipped or neutral)"],
] as const)("%s", (_what, requiredChecks, expected) =>
  inReview({ green: false, guardrails: { requiredChecks } }, async (world) => {
    await world.forge.reportCheck({ sha: world.proposal.headSha, name: "ci", appId: ci, conclusion: "skipped" });
    const decided = await world.decides([await world.says(approver, "/approve-scale")]);
    if (expected === "merged") expect(decided).toMatchObject({ kind: "merged" });
    else expect([decided, report(world)]).toEqual([undefined, expect.stringContaining(expected)]);
  }),
);

test("a check that failed holds an approved merge back, though nothing requires it", () =>
  inReview({}, async (world) => {
    await world.forge.reportCheck({ sha: world.proposal.headSha, name: "lint", appId: 5, conclusion: "failure" });
    expect(await world.decides([await world.says(approver, "/approve-scale")])).toBeUndefined();
    expect(report(world)).toContain("check lint (failed, though nothing requires it)");
  }));

test("the merge queue is followed, and left when people hold the change", () =>
  inReview({ shop: { settings: { mergeQueue: "ruleset" } } }, async (world) => {
    const said = await world.says(approver, "/approve-scale");
    expect(await world.decides([said])).toBeUndefined();
    expect(world.forge.queued()).toEqual([world.proposal.number]);
    expect(await world.decides([said, await world.says(approver, "/hold")])).toBeUndefined();
    expect(world.forge.queued()).toEqual([]);
  }));

test("what the merge queue merged is not told as a person's merge", () =>
  inReview({ shop: { settings: { mergeQueue: "ruleset" } } }, async (world) => {
    const said = await world.says(approver, "/approve-scale");
    expect(await world.decides([said])).toBeUndefined();
    await world.forge.finishQueued(world.proposal.number, "merged");
    const decided = await world.decides([{ kind: "pull-request" }]);
    expect(decided).toMatchObject({ kind: "merged", because: "merged by github-merge-queue[bot]" });
  }));

test("an approved change whose branch must be up to date is planned anew on the newest base", () =>
  inReview({ shop: { settings: { strict: true } } }, async (world) => {
    await world.forge.push({ "other.txt": "1\n" }, { message: "other", author: "ada" });
    const said = await world.says(approver, "/approve-scale");
    const decided = await world.decides([said], { quietLooks: 2 });
    expect(decided).toMatchObject({ kind: "replan", by: "", replicas: undefined });
    expect(world.mergeCalls()).toBe(0);
  }));

const twoWords = { approvers: { "approve-scale": { users: ["wim"] }, "approve-revert": { users: ["ada"], count: 2 } } };
const revert = { labels: ["rectify", "risk/low", "revert-commit"] };

describe("/approve has the permission of the command that names the remedy", () => {
  test("a scaling is approved by those who may /approve-scale, and by nobody else", () =>
    inReview({ guardrails: twoWords }, async (world) => {
      expect(await world.decides([await world.says("ada", "/approve")])).toBeUndefined();
      expect(report(world)).toContain("you are not among the approvers in the guardrails");
      expect(await world.decides([await world.says("wim", "/approve")])).toMatchObject({ kind: "merged" });
      expect(world.audit.map(({ action }) => action)).toContain("command approve-scale");
    }));

  test("the revert of a commit is approved by those who may /approve-revert, by neither word of others", () =>
    inReview({ guardrails: twoWords, draft: revert }, async (world) => {
      for (const word of ["/approve", "/approve-scale"]) {
        expect(await world.decides([await world.says("wim", word)])).toBeUndefined();
      }
      expect(report(world)).toContain("this proposal reverts a commit: /approve approves it");
      expect(world.mergeCalls()).toBe(0);
    }));

  test("and needs as many people as that command", () =>
    inReview({ guardrails: { approvers: { "approve-revert": { count: 2 } } }, draft: revert }, async (world) => {
      const one = await world.says("wim", "/approve");
      const again = await world.says("wim", "/approve-revert");
      expect(await world.decides([one, again])).toBeUndefined();
      expect(report(world)).toContain("an approval of this exact change");
      expect(await world.decides([one, again, await world.says("ada", "/approve")])).toMatchObject({ kind: "merged" });
    }));

  test("nobody approves a branch to which they committed", () =>
    inReview({}, async (world) => {
      world.session.people.committersOf = async () => ["wim"];
      expect(await world.decides([await world.says("wim", "/approve")])).toBeUndefined();
      expect(report(world)).toContain("nobody approves their own change");
    }));
});

test("the sticky comment repeats the head, names who may approve, and says what holds an approved change back", () =>
  inReview({ green: false, draft: { head: "- **Hurts:** it hurts" }, guardrails: twoWords }, async (world) => {
    expect(await world.decides([{ kind: "pull-request" }])).toBeUndefined();
    expect(report(world)).toContain("- **Hurts:** it hurts");
    expect(report(world)).toContain("Who may approve: `wim`, with the permission `write` or more");
    expect(await world.decides([await world.says("wim", "/approve")])).toBeUndefined();
    expect(report(world)).toMatch(/\*\*Approved by `wim`, but not merged because it waits for\*\*\n\n- check ci/);
  }));

test("from an approval to the merge each step asks GitHub once", () =>
  inReview({}, async (world) => {
    const said = await world.says(approver, "/approve-scale");
    world.forge.resetCalls();
    expect(await world.decides([said])).toMatchObject({ kind: "merged" });
    const asked = world.forge.calls.map(({ method, path }) => `${method} ${path}`);
    // Of the two dozen before, those that asked for more than the step needed are gone; the look before the merge stays.
    expect(asked.length).toBeLessThanOrEqual(19);
    const merge = asked.findIndex((call) => /^PUT .*\/merge$/.test(call));
    const look = asked.findLastIndex((call, at) => at < merge && /^GET .*\/pulls\/\d+$/.test(call));
    expect(merge - look).toBeLessThanOrEqual(3);
    expect(look).toBeGreaterThan(0);
  }));

test("the sticky comment names the code owners of the changed files, and calls nobody", () =>
  inReview({ green: false }, async (world) => {
    const owners = { message: "owners", author: "ada" };
    await world.forge.push({ ".github/CODEOWNERS": "* @acme/all\n/apps/ @acme/sre @wim\n" }, owners);
    expect(await world.decides([{ kind: "pull-request" }])).toBeUndefined();
    expect(report(world)).toContain("Code owners of the files: `acme/sre`, `wim`.");
    expect(report(world)).not.toContain("@acme");
  }));
