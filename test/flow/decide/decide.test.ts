import { describe, expect, test } from "vitest";
import { Unavailable } from "../../../src/ports/errors.ts";
import { atDesk, type Desk } from "../../faults/desk.ts";
import { ci } from "../../lab/forge-shop.ts";

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
    const earlier = { listened: [], standing: nothingSaid, effect: "the effect before", headSha: "a".repeat(40) };
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
    const earlier = { listened: [], standing: nothingSaid, effect: "the effect before", headSha: "a".repeat(40) };
    expect(await desk.decides([], { pending: { earlier, approvedBy: approver } })).toMatchObject({ kind: "merged" });
  }));

const report = (desk: Desk) => desk.forge.comments(desk.proposal.number)[0]?.body ?? "";

test("a review that the branch's protection requires is counted by GitHub and asked for in its words", () =>
  atDesk({ shop: { requiredReviews: 1 } }, async (desk) => {
    expect(await desk.decides([await desk.says(approver, "/approve-scale")])).toBeUndefined();
    expect(report(desk)).toContain("1 approving review is required");
    await desk.forge.review("ada", desk.proposal.number, "APPROVED");
    expect(await desk.decides([{ kind: "pull-request" }])).toMatchObject({ kind: "merged" });
  }));

test("two of a team must approve where the guardrails say so", () =>
  atDesk(
    {
      shop: { teams: { "acme/sre": ["wim", "max"] } },
      guardrails: { approvers: { "approve-scale": { teams: ["acme/sre"], count: 2 } } },
    },
    async (desk) => {
      const said = [];
      for (const login of ["wim", "ada", "wim"]) said.push(await desk.says(login, "/approve-scale"));
      expect(await desk.decides(said)).toBeUndefined();
      expect(report(desk)).toContain("you are not among the approvers");
      expect(await desk.decides([await desk.says("max", "/approve-scale")])).toMatchObject({ kind: "merged" });
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
  atDesk({ guardrails }, async (desk) => {
    const decided = await desk.decides([{ kind: "pull-request" }], ready);
    if (expected === "merged") expect(decided).toMatchObject({ kind: "merged" });
    else expect([decided, report(desk)]).toEqual([undefined, expect.stringContaining(expected)]);
  }),
);

test("in Watchtower mode an open proposal is kept, merges only by a person's word", async () => {
  await atDesk({ guardrails: autoMerging }, async (desk) => {
    expect(await desk.decides([{ kind: "pull-request" }], { ...ready, watching: true })).toBeUndefined();
    expect(report(desk)).toContain("Watchtower mode: no auto-merge");
    expect(desk.mergeCalls()).toBe(0);
    const said = await desk.says(approver, "/approve-scale");
    expect(await desk.decides([said], { ...ready, watching: true })).toMatchObject({ kind: "merged" });
  });
});

test.each([
  ["Alertmanager gives no answer", new Unavailable("Alertmanager: no answer")],
  ["it is not on Alertmanager's list, and nobody saw it end", []],
])("while nobody knows whether the alert still fires, as %s, only a person merges", (_, answer) =>
  atDesk({ guardrails: autoMerging }, async (desk) => {
    const alerts = {
      active: async () => {
        if (answer instanceof Unavailable) throw answer;
        return answer;
      },
    };
    expect(await desk.decides([{ kind: "pull-request" }], { ...ready, alerts })).toBeUndefined();
    expect([report(desk), desk.mergeCalls()]).toEqual([expect.stringContaining("nobody knows whether the alert"), 0]);
    const said = await desk.says(approver, "/approve-scale");
    expect(await desk.decides([said], { ...ready, alerts })).toMatchObject({ kind: "merged" });
  }),
);

test("without a required check nothing is auto-merged, and the fix is told", () =>
  atDesk({ guardrails: autoMerging, shop: { requiredChecks: [] } }, async (desk) => {
    expect(await desk.decides([{ kind: "pull-request" }], ready)).toBeUndefined();
    expect(report(desk)).toContain("let its protection or a ruleset require one");
    expect(await desk.decides([await desk.says(approver, "/approve-scale")], ready)).toMatchObject({ kind: "merged" });
  }));

test("/retry plans the change anew, and what was approved stays approved while the effect is the same", () =>
  atDesk({ green: false }, async (desk) => {
    await desk.says(approver, "/approve-scale");
    await desk.says(approver, "/retry");
    const first = await desk.decides([]);
    expect(first).toMatchObject({ kind: "replan", replicas: undefined, by: "" });
    if (first?.kind !== "replan") return;
    await desk.forge.reportCheck({ sha: desk.proposal.headSha, name: "ci", appId: ci, conclusion: "success" });
    expect(await desk.decides([], { pending: { earlier: first.hearings } })).toMatchObject({ kind: "merged" });
  }));

test("/stop is heard as a hold", () =>
  atDesk({}, async (desk) => {
    await desk.says(approver, "/stop");
    expect(await desk.decides([await desk.says(approver, "/approve-scale")])).toBeUndefined();
    expect(report(desk)).toContain("/resume");
  }));

test("a reader may neither hold nor retry, and is told once a minute at most", () =>
  atDesk({}, async (desk) => {
    const said = [];
    for (const word of ["/hold", "/retry", "/reject", "/resume"]) said.push(await desk.says("rob", word));
    desk.forge.resetCalls();
    expect(await desk.decides(said)).toBeUndefined();
    const writes = desk.forge.calls.filter(({ method }) => method === "POST" || method === "PATCH");
    expect(writes.filter(({ path }) => path.endsWith("/reactions"))).toHaveLength(1);
    expect(await desk.decides([await desk.says(approver, "/approve-scale")])).toMatchObject({ kind: "merged" });
  }));

test.each([
  ["/explain", "rectify explain"],
  ["/help", "/rollback (proposes to revert a merged change)"],
  ["/aprove-scale", "did you mean /approve-scale?"],
  ["/rollback", "nothing is merged that could be rolled back"],
])("%s is answered in the sticky comment", (body, words) =>
  atDesk({}, async (desk) => {
    expect(await desk.decides([await desk.says(approver, body)])).toBeUndefined();
    expect(report(desk)).toContain(words);
  }),
);

function dayIn(days: number): string {
  const at = new Date(Date.now() + days * 86_400_000);
  return ["sun", "mon", "tue", "wed", "thu", "fri", "sat"][at.getUTCDay()] ?? "";
}

const halfCycleMs = 150_000;

test("A13: an alert that comes and goes twelve times in an hour is one proposal, which is never auto-merged", () =>
  atDesk({ green: false, guardrails: autoMerging }, async (desk) => {
    const alert = { turnsMs: Array<number>(22).fill(halfCycleMs) };
    expect(await desk.decides([], { ...ready, quietLooks: 24, alert, pollMs: halfCycleMs })).toBeUndefined();
    // Only now nothing else stops it.
    await desk.forge.reportCheck({ sha: desk.proposal.headSha, name: "ci", appId: ci, conclusion: "success" });
    expect(await desk.decides([{ kind: "pull-request" }], ready)).toBeUndefined();
    expect(report(desk)).toContain("flapping: the alert began to fire 12 times within the hour");
    expect([desk.mergeCalls(), desk.forge.pulls().map(({ state }) => state)]).toEqual([0, ["open"]]);
    const edits = desk.forge.calls.filter(({ method, path }) => method === "PATCH" && path.includes("/comments/"));
    expect(edits.length).toBeLessThanOrEqual(60);
    expect(await desk.decides([await desk.says(approver, "/approve-scale")], ready)).toMatchObject({ kind: "merged" });
  }));

test("a proposal whose alert resolved says when it closes, and closes then", () =>
  atDesk({ green: false }, async (desk) => {
    const alert = { turnsMs: [60_000] };
    expect(await desk.decides([], { quietLooks: 4, alert })).toBeUndefined();
    expect(report(desk)).toMatch(/the alert, which resolved: this closes at \S+Z unless it fires again/);
    expect(await desk.decides([], { quietLooks: 20 })).toMatchObject({
      ...{ kind: "close", ending: "resolved-before-merge" },
    });
  }));

test("nothing merges while the alert is resolved; when it fires again in time, what was approved merges", () =>
  atDesk({}, async (desk) => {
    await desk.says(approver, "/approve-scale");
    expect(await desk.decides([], { alert: { turnsMs: [0, halfCycleMs] } })).toBeUndefined();
    expect(report(desk)).toContain("the alert, which resolved");
    expect(desk.mergeCalls()).toBe(0);
    expect(await desk.decides([], { quietLooks: 20 })).toMatchObject({ kind: "merged" });
  }));

test.each([
  ["the base", async (desk: Desk) => desk.forge.turnPull(desk.proposal.number, { base: "elsewhere" }), "the base main"],
  ["the draft state", async (desk: Desk) => desk.forge.turnPull(desk.proposal.number, { draft: true }), "draft state"],
])("%s that was changed after the approval voids it, also once it is changed back", (_what, turn, words) =>
  atDesk({ green: false }, async (desk) => {
    await desk.forge.push({ "x.txt": "x" }, { message: "x", author: "wim", branch: "elsewhere" });
    const said = await desk.says(approver, "/approve-scale");
    let looks = 0;
    const look = desk.session.host.look;
    Object.assign(desk.session.host, {
      look: async (proposal: Parameters<typeof look>[0]) => {
        looks += 1;
        if (looks === 4) await turn(desk);
        if (looks === 6) {
          expect(report(desk)).toContain(words);
          await desk.forge.turnPull(desk.proposal.number, { base: "main", draft: false });
          const ok = { sha: desk.proposal.headSha, name: "ci", appId: ci, conclusion: "success" } as const;
          await desk.forge.reportCheck(ok);
        }
        return look(proposal);
      },
    });
    expect(await desk.decides([said], { quietLooks: 8 })).toBeUndefined();
    expect(looks).toBeGreaterThan(7);
    expect(desk.mergeCalls()).toBe(0);
    expect(report(desk)).toContain("approve it again");
    expect(await desk.decides([await desk.says(approver, "/approve-scale")])).toMatchObject({ kind: "merged" });
  }),
);

test("a base that is changed between the last look and the merge merges nothing", () =>
  atDesk({}, async (desk) => {
    await desk.forge.push({ "x.txt": "x" }, { message: "x", author: "wim", branch: "elsewhere" });
    await desk.forge.turnPull(desk.proposal.number, { base: "elsewhere" });
    expect(await desk.session.host.merge(desk.proposal, [approver])).toMatchObject({ kind: "not-yet" });
    expect(desk.mergeCalls()).toBe(0);
  }));

test("a person who may not be asked about is answered, and the workflow goes on", () =>
  atDesk({}, async (desk) => {
    desk.forge.faults = ({ path }) =>
      path.includes("/collaborators/rob") ? { when: "before", answer: { status: 451 } } : undefined;
    expect(await desk.decides([await desk.says("rob", "/hold")])).toBeUndefined();
    expect(report(desk)).toContain("could not be verified: try again later");
    expect(await desk.decides([await desk.says(approver, "/approve-scale")])).toMatchObject({ kind: "merged" });
  }));

test.each([403, 410, 451])(
  "a comment that GitHub does not show again (%i) is answered, and counts for nothing",
  (status) =>
    atDesk({}, async (desk) => {
      const said = await desk.says(approver, "/approve-scale");
      await desk.says("wim", "/deploy production");
      desk.forge.faults = ({ method, path }) =>
        method === "GET" && /issues\/comments\/\d+$/.test(path) ? { when: "before", answer: { status } } : undefined;
      expect(await desk.decides([said])).toBeUndefined();
      expect(report(desk)).toContain("To the last command: the comment could not be verified: try again later");
      expect(desk.told.join("\n")).not.toContain("deleted");
      expect(desk.mergeCalls()).toBe(0);
      const reactions = desk.session.audit.filter(({ action }) => action === "react");
      expect(reactions.map(({ detail }) => detail)).toMatchObject([{ comment: said.comment, content: "confused" }]);
      desk.forge.faults = undefined;
      // For that comment only: the next one is heard.
      expect(await desk.decides([await desk.says(approver, "/approve-scale")])).toMatchObject({ kind: "merged" });
    }),
);

test.each([
  ["a status that a person's CI set", { context: "jenkins", state: "success" }, "merged"],
  ["a status that is not there yet", { context: "jenkins", state: "pending" }, "check jenkins"],
  ["a status that failed", { context: "jenkins", state: "failure" }, "check jenkins (failed)"],
] as const)("a required status, approved by a person: %s", (_what, status, expected) =>
  atDesk({ shop: { rulesetChecks: [{ name: "jenkins" }] } }, async (desk) => {
    await desk.forge.reportStatus({ ...status, sha: desk.proposal.headSha, by: "ada" });
    const decided = await desk.decides([await desk.says(approver, "/approve-scale")]);
    if (expected === "merged") expect(decided).toMatchObject({ kind: "merged" });
    else expect([decided, report(desk)]).toEqual([undefined, expect.stringContaining(expected)]);
  }),
);

test("a status that anybody may set lets nothing auto-merge", () =>
  atDesk({ guardrails: autoMerging, shop: { rulesetChecks: [{ name: "jenkins" }] } }, async (desk) => {
    await desk.forge.reportStatus({ sha: desk.proposal.headSha, context: "jenkins", state: "success", by: "ada" });
    expect(await desk.decides([{ kind: "pull-request" }], ready)).toBeUndefined();
    expect(report(desk)).toContain("name its App");
  }));

test.each([
  ["a person's approval is enough for a check that was skipped", [], "merged"],
  ["but not where the guardrails name it", [{ name: "ci", app: ci }], "check ci (skipped or neutral)"],
] as const)("%s", (_what, requiredChecks, expected) =>
  atDesk({ green: false, guardrails: { requiredChecks } }, async (desk) => {
    await desk.forge.reportCheck({ sha: desk.proposal.headSha, name: "ci", appId: ci, conclusion: "skipped" });
    const decided = await desk.decides([await desk.says(approver, "/approve-scale")]);
    if (expected === "merged") expect(decided).toMatchObject({ kind: "merged" });
    else expect([decided, report(desk)]).toEqual([undefined, expect.stringContaining(expected)]);
  }),
);

test("a check that failed holds an approved merge back, though nothing requires it", () =>
  atDesk({}, async (desk) => {
    await desk.forge.reportCheck({ sha: desk.proposal.headSha, name: "lint", appId: 5, conclusion: "failure" });
    expect(await desk.decides([await desk.says(approver, "/approve-scale")])).toBeUndefined();
    expect(report(desk)).toContain("check lint (failed, though nothing requires it)");
  }));

test("the merge queue is followed, and left when people hold the change", () =>
  atDesk({ shop: { settings: { mergeQueue: "ruleset" } } }, async (desk) => {
    const said = await desk.says(approver, "/approve-scale");
    expect(await desk.decides([said])).toBeUndefined();
    expect(desk.forge.queued()).toEqual([desk.proposal.number]);
    expect(await desk.decides([said, await desk.says(approver, "/hold")])).toBeUndefined();
    expect(desk.forge.queued()).toEqual([]);
  }));

test("what the merge queue merged is not told as a person's merge", () =>
  atDesk({ shop: { settings: { mergeQueue: "ruleset" } } }, async (desk) => {
    const said = await desk.says(approver, "/approve-scale");
    expect(await desk.decides([said])).toBeUndefined();
    await desk.forge.finishQueued(desk.proposal.number, "merged");
    const decided = await desk.decides([{ kind: "pull-request" }]);
    expect(decided).toMatchObject({ kind: "merged", because: "merged by github-merge-queue[bot]" });
  }));

test("an approved change whose branch must be up to date is planned anew on the newest base", () =>
  atDesk({ shop: { settings: { strict: true } } }, async (desk) => {
    await desk.forge.push({ "other.txt": "1\n" }, { message: "other", author: "ada" });
    const said = await desk.says(approver, "/approve-scale");
    const decided = await desk.decides([said], { quietLooks: 2 });
    expect(decided).toMatchObject({ kind: "replan", by: "", replicas: undefined });
    expect(desk.mergeCalls()).toBe(0);
  }));

const twoWords = { approvers: { "approve-scale": { users: ["wim"] }, "approve-revert": { users: ["ada"], count: 2 } } };
const revert = { labels: ["rectify", "risk/low", "revert-commit"] };

describe("/approve has the rights of the command that names the remedy", () => {
  test("a scaling is approved by those who may /approve-scale, and by nobody else", () =>
    atDesk({ guardrails: twoWords }, async (desk) => {
      expect(await desk.decides([await desk.says("ada", "/approve")])).toBeUndefined();
      expect(report(desk)).toContain("you are not among the approvers in the guardrails");
      expect(await desk.decides([await desk.says("wim", "/approve")])).toMatchObject({ kind: "merged" });
      expect(desk.audit.map(({ action }) => action)).toContain("command approve-scale");
    }));

  test("the revert of a commit is approved by those who may /approve-revert, by neither word of others", () =>
    atDesk({ guardrails: twoWords, draft: revert }, async (desk) => {
      for (const word of ["/approve", "/approve-scale"]) {
        expect(await desk.decides([await desk.says("wim", word)])).toBeUndefined();
      }
      expect(report(desk)).toContain("this proposal reverts a commit: /approve approves it");
      expect(desk.mergeCalls()).toBe(0);
    }));

  test("and needs as many people as that command", () =>
    atDesk({ guardrails: { approvers: { "approve-revert": { count: 2 } } }, draft: revert }, async (desk) => {
      const one = await desk.says("wim", "/approve");
      const again = await desk.says("wim", "/approve-revert");
      expect(await desk.decides([one, again])).toBeUndefined();
      expect(report(desk)).toContain("an approval of this exact change");
      expect(await desk.decides([one, again, await desk.says("ada", "/approve")])).toMatchObject({ kind: "merged" });
    }));

  test("nobody approves a branch to which they committed", () =>
    atDesk({}, async (desk) => {
      desk.session.people.committersOf = async () => ["wim"];
      expect(await desk.decides([await desk.says("wim", "/approve")])).toBeUndefined();
      expect(report(desk)).toContain("nobody approves their own change");
    }));
});

test("the sticky comment repeats the head, names who may approve, and says what holds an approved change back", () =>
  atDesk({ green: false, draft: { head: "- **Hurts:** it hurts" }, guardrails: twoWords }, async (desk) => {
    expect(await desk.decides([{ kind: "pull-request" }])).toBeUndefined();
    expect(report(desk)).toContain("- **Hurts:** it hurts");
    expect(report(desk)).toContain("Who may approve: `wim`, with the permission `write` or more");
    expect(await desk.decides([await desk.says("wim", "/approve")])).toBeUndefined();
    expect(report(desk)).toMatch(/\*\*Approved by `wim`, but not merged because it waits for\*\*\n\n- check ci/);
  }));

test("from an approval to the merge each step asks GitHub once", () =>
  atDesk({}, async (desk) => {
    const said = await desk.says(approver, "/approve-scale");
    desk.forge.resetCalls();
    expect(await desk.decides([said])).toMatchObject({ kind: "merged" });
    const asked = desk.forge.calls.map(({ method, path }) => `${method} ${path}`);
    // Of the two dozen before, those that asked for more than the step needed are gone; the look before the merge stays.
    expect(asked.length).toBeLessThanOrEqual(19);
    const merge = asked.findIndex((call) => /^PUT .*\/merge$/.test(call));
    const look = asked.findLastIndex((call, at) => at < merge && /^GET .*\/pulls\/\d+$/.test(call));
    expect(merge - look).toBeLessThanOrEqual(3);
    expect(look).toBeGreaterThan(0);
  }));

test("the sticky comment names the code owners of the changed files, and calls nobody", () =>
  atDesk({ green: false }, async (desk) => {
    const owners = { message: "owners", author: "ada" };
    await desk.forge.push({ ".github/CODEOWNERS": "* @acme/all\n/apps/ @acme/sre @wim\n" }, owners);
    expect(await desk.decides([{ kind: "pull-request" }])).toBeUndefined();
    expect(report(desk)).toContain("Code owners of the files: `acme/sre`, `wim`.");
    expect(report(desk)).not.toContain("@acme");
  }));
