import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { admitComment, staleness } from "../../src/domain/guardrails/approval.ts";
import { parseCommands } from "../../src/domain/guardrails/command.ts";
import { bodyHashOf } from "../../src/domain/guardrails/commenter.ts";
import { writesAmong } from "../../src/lab/forge/server.ts";
import { anIncident } from "../builders.ts";
import { inReview, failing } from "./review-world.ts";
import type { FaultRow } from "./row.ts";

const refusalOfOurs =
  "**Waiting for**\n\n- an approval\n\n`/approve` approves this exact change. `/help` lists all commands.";

/** §3.4 C: comments as commands. */
export const commandRows: readonly FaultRow[] = [
  {
    id: "C01",
    what: "an authorised approval merges once, with its reaction and its record before the merge",
    check: () =>
      inReview({}, async (world) => {
        const message = await world.says("wim", "/approve-scale");
        const decided = await world.decides([message, message]);
        equal(decided?.kind, "merged");
        equal(world.mergeCalls(), 1);
        const row = world.audit.find((line) => line.action === "command approve-scale");
        ok(row, "no audit row");
        equal(row.actor, "wim");
        equal(row.detail.comment, message.comment);
        equal(row.detail.permission, "write");
        equal(row.detail.head, world.proposal.headSha);
        equal(row.detail.effect, world.draft.effect);
        const mergedAt = world.forge.calls.findIndex((call) => call.method === "PUT" && call.path.endsWith("/merge"));
        ok(row.callsBefore <= mergedAt, "the row was written after the merge");
        ok(
          world.forge.calls.some((call) => call.method === "POST" && call.path.endsWith("/reactions")),
          "no reaction",
        );
      }),
  },
  {
    id: "C01",
    what: "the record holds the hash of the comment's text",
    check: () =>
      inReview({}, async (world) => {
        const message = await world.says("wim", "/approve-scale");
        await world.decides([message]);
        const row = world.audit.find((line) => line.action === "command approve-scale");
        ok(JSON.stringify(row?.detail ?? {}).includes(message.bodyHash), "no body hash in the audit row");
      }),
  },
  {
    id: "C01",
    what: "every mutating call has a row of its incident before it, and the merge names who approved it",
    check: () =>
      inReview({}, async (world) => {
        const incident = { ...anIncident(), uid: world.draft.incident };
        await world.decides([await world.says("wim", "/approve-scale")], { pending: { incident } });
        // Tokens and questions in GraphQL change nothing.
        const writes = writesAmong(world.forge.calls);
        const rows = world.session.audit;
        equal(rows.length, writes.length);
        for (const { action, detail } of rows) equal(detail.incident, world.draft.incident, action);
        const merged = rows.find((row) => row.action === "merge");
        deepEqual([merged?.detail.effect, merged?.detail.sha, merged?.detail.approvedBy].flat(), [
          world.draft.effect,
          world.proposal.headSha,
          "wim",
        ]);
        const { octokit } = world.session.client;
        const head = { owner: "acme", repo: "shop", commit_sha: (await world.forge.headOf("main")) ?? "" };
        const { message } = (await octokit.rest.git.getCommit(head)).data;
        match(message.trim(), /\nIncident-UID: .*\nEffect: .*\nApproved-by: wim$/);
      }),
  },
  {
    id: "C02",
    what: "a comment edited into a command, and a deleted one, are never executed",
    check: () =>
      inReview({}, async (world) => {
        const edited = await world.says("ada", "looks good");
        world.later(2000);
        await world.forge.editComment(edited.comment, "/approve-scale", "ada");
        const deleted = await world.says("ada", "/approve-scale");
        await world.forge.deleteComment(deleted.comment);
        const asIfNew = { ...edited, bodyHash: bodyHashOf("/approve-scale") };
        equal(await world.decides([edited, asIfNew, deleted]), undefined);
        equal(world.mergeCalls(), 0);
      }),
  },
  {
    id: "C03",
    what: "commands of the bot itself get neither effect nor reply, a hundred times",
    check: () =>
      inReview({}, async (world) => {
        const own = await world.says("rectify[bot]", "/approve-scale");
        await world.decides([]);
        const before = world.forge.calls.filter((call) => call.method !== "GET").length;
        const many = Array.from({ length: 100 }, () => own);
        equal(await world.decides(many), undefined);
        const after = world.forge.calls.filter((call) => call.method !== "GET").length;
        ok(after - before <= 1, `${after - before} writes`);
        equal(world.mergeCalls(), 0);
      }),
  },
  {
    id: "C03",
    what: "a comment of another App, or of a person through an App, is ignored without a word",
    check: () => {
      const comment = { id: 1, proposal: 1, author: "helper[bot]", body: "/approve-scale", edited: false };
      const admission = admitComment({
        comment: { ...comment, byPerson: false, createdAt: "2026-11-24T03:00:00Z" },
        bodyHash: bodyHashOf(comment.body),
        now: new Date("2026-11-24T03:00:01Z"),
      });
      equal(admission.kind, "ignored");
    },
  },
  {
    id: "C03",
    what: "our own texts hold no command, even when a person sends them back",
    check: () => {
      for (const text of [refusalOfOurs, `<!-- rectify:report -->\n${refusalOfOurs}`, `${refusalOfOurs}\n`]) {
        deepEqual(parseCommands(text), []);
      }
    },
  },
  ...["> /approve-scale", "```\n/approve-scale\n```", "`/approve-scale`", "    /approve-scale", "a /approve-scale"].map(
    (body): FaultRow => ({
      id: "C04",
      what: `not executed: ${JSON.stringify(body)}`,
      check: () => nothingCounts(body),
    }),
  ),
  {
    id: "C04",
    what: "a second command on the same line is not executed",
    check: () => {
      const kinds = parseCommands("/hold /approve-scale\n/resume /approve-scale\n/approve-scale /reject");
      ok(kinds.every((command) => !command.kind.startsWith("approve")));
    },
  },
  {
    id: "C05",
    what: "a reader is refused, on record, without a change of state",
    check: () =>
      inReview({}, async (world) => {
        equal(await world.decides([await world.says("rob", "/approve-scale")]), undefined);
        equal(world.mergeCalls(), 0);
        const row = world.audit.find((line) => line.actor === "rob");
        equal(row?.detail.admitted, "refused");
      }),
  },
  {
    id: "C05",
    what: "a committer of the branch does not approve it",
    check: () =>
      inReview({}, async (world) => {
        await world.forge.push({ "note.txt": "x" }, { message: "x", author: "wim", branch: world.proposal.branch });
        equal(await world.decides([await world.says("wim", "/approve-scale")]), undefined);
        match(world.told.join("\n"), /nobody approves their own change/);
        equal(world.mergeCalls(), 0);
      }),
  },
  {
    id: "C05",
    what: "a command on another issue does not reach this proposal",
    check: () =>
      inReview({}, async (world) => {
        const issue = await world.forge.openIssue("ada", { title: "other" });
        const comment = await world.forge.comment(issue, "ada", "/approve-scale");
        const message = { kind: "command" as const, comment, bodyHash: bodyHashOf("/approve-scale") };
        equal(await world.decides([message]), undefined);
        equal(world.mergeCalls(), 0);
      }),
  },
  {
    id: "C05",
    what: "a command on a closed proposal changes nothing",
    check: () =>
      inReview({}, async (world) => {
        await world.forge.closeBy("ada", world.proposal.number);
        const decided = await world.decides([await world.says("ada", "/approve-scale")]);
        equal(decided?.kind, "close");
        equal(world.mergeCalls(), 0);
      }),
  },
  ...([500, 502, 404] as const).map(
    (status): FaultRow => ({
      id: "C06",
      what: `the permission question ends with ${status}: nothing is executed`,
      check: () =>
        inReview({}, async (world) => {
          const message = await world.says("ada", "/approve-scale");
          world.forge.faults = failing("GET", /collaborators/, { when: "before", answer: { status } });
          equal(await world.decides([message]), undefined);
          equal(world.mergeCalls(), 0);
        }),
    }),
  ),
  {
    id: "C07",
    what: "a head that moved between comment and execution is not merged",
    check: () =>
      inReview({}, async (world) => {
        const message = await world.says("ada", "/approve-scale");
        const edit = { "apps/web.yaml": "replicas: 50\n" };
        await world.forge.push(edit, { message: "more", author: "wim", branch: world.proposal.branch });
        equal(await world.decides([message]), undefined);
        equal(world.mergeCalls(), 0);
        const says = staleness({ headSha: "abc1234f", effect: "a" }, { headSha: "def5678f", effect: "b" });
        match(says ?? "", /you approved abc1234, head is def5678/);
      }),
  },
  {
    id: "C08",
    what: "two approvers at once, one of them twice, cause one merge",
    check: () =>
      inReview({ guardrails: { approvers: { "approve-scale": { count: 2 } } } }, async (world) => {
        const first = await world.says("ada", "/approve-scale");
        const again = await world.says("ada", "/approve-scale");
        equal(await world.decides([first, again]), undefined);
        equal(world.mergeCalls(), 0);
        const second = await world.says("wim", "/approve-scale");
        equal((await world.decides([first, again, second, second]))?.kind, "merged");
        equal(world.mergeCalls(), 1);
      }),
  },
  {
    id: "C09",
    what: "numbers out of range or malformed are answered with the range, never repeated, and change nothing",
    check: () =>
      inReview({}, async (world) => {
        const evil = ["500", "0", "-1", "1e3", "６", "5;rm -rf", "9".repeat(4096)];
        for (const argument of evil) {
          const message = await world.says("ada", `/approve-scale ${argument}`);
          equal(await world.decides([message], { pending: { canReplan: false } }), undefined, argument.slice(0, 10));
        }
        equal(world.mergeCalls(), 0);
        const told = world.told.join("\n");
        match(told, /from 1 to 10/);
        for (const argument of evil.slice(4)) ok(!told.includes(argument), "an argument was repeated");
      }),
  },
  {
    id: "C10",
    what: "reject and approve within a second end the same in every order",
    check: async () => {
      for (const order of [
        ["/reject", "/approve-scale"],
        ["/approve-scale", "/reject"],
        ["/approve-scale", "/approve-scale", "/reject"],
        ["/approve-scale\n/reject"],
        ["/reject\n/approve-scale"],
      ]) {
        await inReview({}, async (world) => {
          const messages = [];
          for (const body of order) messages.push(await world.says("ada", body));
          equal((await world.decides(messages))?.kind, "close", JSON.stringify(order));
          equal(world.mergeCalls(), 0);
        });
      }
    },
  },
  {
    id: "C11",
    what: "a hundred comments in a minute get no flood of replies, and the valid one is still done",
    check: () =>
      inReview({}, async (world) => {
        const messages = [];
        for (let index = 0; index < 100; index += 1) messages.push(await world.says("wim", `/aprove-scale ${index}`));
        messages.push(await world.says("wim", "/approve-scale"));
        world.forge.resetCalls();
        equal((await world.decides(messages))?.kind, "merged");
        const replies = world.forge.calls.filter(
          (call) => (call.method === "POST" || call.method === "PATCH") && /\/comments(\/\d+)?$/.test(call.path),
        );
        ok(replies.length <= 3, `${replies.length} replies`);
      }),
  },
  {
    id: "C12",
    what: "a delivery two hours late still counts, one after a day does not",
    check: () => {
      const body = "/approve-scale";
      const now = new Date("2026-06-11T12:00:00Z");
      const at = (createdAt: string) =>
        admitComment({
          comment: { id: 1, proposal: 1, author: "ada", byPerson: true, body, createdAt, edited: false },
          bodyHash: bodyHashOf(body),
          now,
        }).kind;
      equal(at("2026-06-11T09:20:00Z"), "heard");
      equal(at("2026-06-10T11:59:00Z"), "refused");
      notEqual(at("unreadable"), "heard");
    },
  },
];

function nothingCounts(body: string): void {
  deepEqual(parseCommands(body), []);
}
