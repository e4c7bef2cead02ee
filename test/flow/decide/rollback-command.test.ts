import { expect, test } from "vitest";
import { bodyHashOf, type Permission } from "../../../src/domain/guardrails/commenter.ts";
import type { OutcomeOnRecord } from "../../../src/domain/proposal/outcome.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { runRollbackCommand } from "../../../src/flow/decide/rollback-command.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { aPlan } from "../../plan.ts";

const incident = anIncident();
const now = new Date("2026-11-25T00:00:00Z");
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

interface Situation {
  readonly body?: string;
  readonly permission?: Permission;
  readonly byPerson?: boolean;
  readonly state?: "open" | "closed" | "merged";
  readonly edited?: boolean;
  readonly changedSince?: boolean;
  readonly guardrails?: string;
  readonly underWay?: boolean;
  readonly goesOn?: boolean;
  readonly outcome?: OutcomeOnRecord;
  /** The pull request that the comment stands under. */
  readonly proposal?: number;
}

/** One comment under a merged proposal, and what came of it, in the order of its happening. */
async function said(situation: Situation) {
  const { body = "/rollback", permission = "write", state = "merged", outcome = merged } = situation;
  const done: string[] = [];
  const asked: object[] = [];
  const comment = {
    ...{ id: 5, proposal: situation.proposal ?? 7, author: "ann", byPerson: situation.byPerson ?? true, body },
    ...{ createdAt: now.toISOString(), edited: situation.edited ?? false },
  };
  const guardrails = situation.guardrails ?? "namespaces: [shop]\n";
  const ports = {
    people: {
      comment: async () => comment,
      permissionOf: async () => permission,
      teamsOf: async () => [],
      react: async (_: number, reaction: string) => void done.push(reaction),
    },
    github: {
      stateOf: async () => ({ state, headSha: "h1" }),
      head: async () => ({ sha: "1", tree: treeOf({ ".github/rectify.yml": guardrails }) }),
      report: async (_: object, markdown: string) => void done.push(markdown),
    },
    records: { audit: async ({ detail }: { detail: { admitted: string } }) => void done.push(detail.admitted) },
    rollbacks: {
      ask: async (rollback: object) => {
        done.push("asked");
        asked.push(rollback);
        return situation.underWay !== true;
      },
    },
    clock: { now: () => now },
    telemetry: { log: () => undefined },
  };
  const bodyHash = situation.changedSince ? "another" : bodyHashOf(body);
  const message = { kind: "command", comment: 5, bodyHash } as const;
  const about = situation.goesOn
    ? { incident, pull: 7, ended: undefined, outcome: undefined }
    : { incident, pull: 7, ended: "recovered: it is back", outcome };
  await runRollbackCommand(message, about, ports as unknown as Ports);
  return { done, asked };
}

test("with permission for it the change back is put on record, after the answer on the permission", async () => {
  const { done, asked } = await said({});
  expect(asked).toEqual([
    { incident, remediation, effect, pull: 7, by: "ann", comment: 5, ended: "recovered: it is back" },
  ]);
  expect(done).toEqual([
    "heard",
    "asked",
    expect.stringContaining("recovered: it is back; the rollback that ann asked for is proposed"),
    "+1",
  ]);
});

test.each<[string, Situation, string]>([
  ["somebody who may only read", { permission: "read" }, "needs the permission write"],
  [
    "somebody who is not among the approvers",
    { guardrails: "namespaces: [shop]\napprovers:\n  rollback: {users: [ben]}\n" },
    "not among the approvers",
  ],
  ["one where nothing was merged", { outcome: { ...merged, mergedSha: undefined } }, "nothing of it"],
  ["a second one while the first is under way", { underWay: true }, "under way already"],
  ["one under guardrails that cannot be read", { guardrails: "namespaces: 3\n" }, "the guardrails are invalid"],
])("%s gets a refusal with the reason", async (_, situation, words) => {
  const { done, asked } = await said(situation);
  expect(done.join()).toContain(words);
  expect(done.at(-1)).toBe("confused");
  if (situation.underWay !== true) expect(asked).toEqual([]);
});

test("while the workflow goes on the sticky comment stays the workflow's, and the answer is a reaction", async () => {
  const { done, asked } = await said({ goesOn: true });
  expect(done).toEqual(["heard", "confused"]);
  expect(asked).toEqual([]);
});

test.each<[string, Situation]>([
  ["a quote", { body: "> /rollback" }],
  ["a bot", { byPerson: false }],
  ["a comment that was edited", { edited: true }],
  ["a comment that says something else by now", { changedSince: true }],
  ["a comment under another pull request", { proposal: 8 }],
  ["one under an open proposal, which the decision hears", { state: "open" }],
  ["one under a proposal that was closed", { state: "closed" }],
])("%s asks for nothing", async (_, situation) => {
  expect((await said(situation)).asked).toEqual([]);
});
