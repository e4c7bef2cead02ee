import { expect, test } from "vitest";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import { postMortemOf, postMortemPath, readPostMortem, renderSealed } from "../../../src/domain/records/post-mortem.ts";
import { bodyHashOf, type Permission } from "../../../src/domain/guardrails/commenter.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { carryWithdrawals } from "../../../src/flow/jobs/withdrawals.ts";
import { runWithdrawalCommand } from "../../../src/flow/decide/withdrawal-command.ts";
import { readRecord } from "../../../src/manifests/repository/post-mortem-files.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { migratedDatabase } from "../../postgres.ts";

const sealKey = "a key of these tests";
const incident = anIncident();
const record = postMortemOf({ incident, outcome: {}, evidence: [], now: incident.startedAt });
const path = postMortemPath(incident);
const now = new Date("2026-11-25T00:00:00Z");
const disputed = { kind: "disputed", by: "ann", at: now.toISOString() } as const;

interface Situation {
  readonly body?: string;
  readonly permission?: Permission;
  readonly state?: "open" | "closed" | "merged";
  readonly edited?: boolean;
}

/** One comment under a proposal, and what came of it. */
async function said({
  body = "/dispute it was the cache",
  permission = "write",
  state = "merged",
  edited = false,
}: Situation) {
  const done = { withdrawn: [] as object[], reactions: [] as string[], reports: [] as string[], audits: 0 };
  const comment = { id: 5, proposal: 7, author: "ann", byPerson: true, body, createdAt: now.toISOString(), edited };
  const ports = {
    people: {
      comment: async () => comment,
      permissionOf: async () => permission,
      teamsOf: async () => [],
      react: async (_: number, reaction: string) => void done.reactions.push(reaction),
    },
    github: {
      stateOf: async () => ({ state, headSha: "h1" }),
      head: async () => ({ sha: "1", tree: treeOf({ ".github/rectify.yml": "namespaces: [shop]\n" }) }),
      report: async (_: object, markdown: string) => void done.reports.push(markdown),
    },
    records: {
      audit: async () => void (done.audits += 1),
      withdraw: async (uid: string, withdrawal: object) => void done.withdrawn.push({ uid, ...withdrawal }),
    },
    clock: { now: () => now },
    telemetry: { log: () => undefined },
  };
  const message = { kind: "command", comment: 5, bodyHash: bodyHashOf(body) } as const;
  const about = { incident: incident.uid, pull: 7, ended: "recovered: it is back" };
  await runWithdrawalCommand(message, about, ports as unknown as Ports);
  return done;
}

test.each<[string, Situation, "disputed" | "forgotten"]>([
  ["/dispute", {}, "disputed"],
  ["/forget", { body: "/forget" }, "forgotten"],
  ["/dispute under a proposal that was closed", { state: "closed" }, "disputed"],
])("%s after the end withdraws the incident, on record and with an answer", async (_, situation, kind) => {
  const { withdrawn, reactions, reports, audits } = await said(situation);
  expect(withdrawn).toEqual([{ uid: incident.uid, kind, by: "ann", at: now.toISOString() }]);
  expect(reactions).toEqual(["+1"]);
  expect(reports[0]).toContain(`${kind} by ann: no precedent any more`);
  expect(audits).toBe(1);
});

test.each<[string, Situation, string[]]>([
  ["somebody who may only read", { permission: "read" }, ["confused"]],
  ["a comment that was edited", { edited: true }, []],
  ["a quote", { body: "> /dispute" }, []],
  ["another command", { body: "/hold" }, []],
  ["a comment under an open proposal, which the decision hears", { state: "open" }, []],
])("%s withdraws nothing", async (_, situation, expected) => {
  const { withdrawn, reactions } = await said(situation);
  expect(withdrawn).toEqual([]);
  expect(reactions).toEqual(expected);
});

test("the first word stands, and what landed in Git is dropped only word for word", async () => {
  const store = await openStore(await migratedDatabase());
  await store.withdraw(incident.uid, disputed);
  await store.withdraw(incident.uid, { ...disputed, kind: "forgotten", by: "ben" });
  expect(await store.withdrawals()).toEqual([{ incident: incident.uid, ...disputed }]);
  await store.addPendingFile("a.md", "changed meanwhile", incident.uid);
  await store.addPendingFile("b.md", "landed", incident.uid);
  await store.dropPendingFiles([
    { path: "a.md", content: "as it was" },
    { path: "b.md", content: "landed" },
  ]);
  expect(await store.pendingFiles()).toEqual([{ path: "a.md", content: "changed meanwhile" }]);
  await store.close();
});

/** One look of the loop that brings Git up to date; the answer is what it added. */
async function carried(files: Record<string, string>, pending: { path: string; content: string }[] = []) {
  const added: { path: string; content: string }[] = [];
  const ports = {
    github: { head: async () => ({ sha: "1", tree: treeOf(files) }) },
    records: {
      withdrawals: async () => [{ incident: incident.uid, ...disputed }],
      pendingFiles: async () => pending,
      addPendingFile: async (at: string, content: string) => void added.push({ path: at, content }),
    },
    sealKey,
  };
  await carryWithdrawals(ports as unknown as Ports);
  return added;
}

test("a withdrawal travels to Git under our seal, with the notes of people, and once", async () => {
  const [file] = await carried({ [path]: renderSealed(record, sealKey, "Mind the cache.") });
  const read = readRecord(file?.content ?? "");
  expect(file?.path).toBe(path);
  expect(read).toMatchObject({ kind: "post-mortem", postMortem: { withdrawn: disputed }, notes: "Mind the cache." });
  expect(await carried({ [path]: file?.content ?? "" })).toEqual([]);
  expect(await carried({}, [{ path, content: file?.content ?? "" }])).toEqual([]);
  expect(await carried({}, [{ path, content: renderSealed(record, sealKey) }])).toHaveLength(1);
});

test("a forged post-mortem is not sealed by disputing it", async () => {
  expect(await carried({ [path]: renderSealed(record, "another key") })).toEqual([]);
  expect(readPostMortem("no front matter", {})).toMatchObject({ kind: "problem" });
});
