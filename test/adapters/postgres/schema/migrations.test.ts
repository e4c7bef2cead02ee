import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openStore, type Store } from "../../../../src/adapters/postgres/store.ts";
import { migrate, migrations } from "../../../../src/adapters/postgres/schema/migrations.ts";
import { connectTo, type Database } from "../../../../src/adapters/postgres/query.ts";
import { renderOutcome } from "../../../../src/domain/proposal/body/sticky.ts";
import { rollbackOf } from "../../../../src/domain/proposal/rollback.ts";
import { renderExplanation } from "../../../../src/domain/records/explanation.ts";
import { Refused, Unavailable } from "../../../../src/ports/errors.ts";
import { anAlert, anIncident } from "../../../builders.ts";
import { freshDatabase } from "../../../postgres.ts";

// What release 0.1.0 (bc85c3e) left in Postgres: its tables, and at least one row in each.
const release = readFileSync(join(import.meta.dirname, "rows/release-0.1.0.sql"), "utf8");
const ended = "6ae2f692-f019-5e8d-955a-aff3274d06fd";
const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closing) await close();
});

async function connected(rows = ""): Promise<{ url: string; database: Database }> {
  const url = await freshDatabase();
  const database = connectTo(url);
  closing.push(database.close);
  if (rows !== "") await database.query(rows);
  return { url, database };
}

async function opened(url: string, unreadable?: (because: string) => void): Promise<Store> {
  const store = await openStore(url, unreadable);
  closing.push(store.close);
  return store;
}

const recorded = async (database: Database) =>
  (await database.query("select number, name from migration order by number")).rows;
const all = migrations.map(({ name }, index) => ({ number: index + 1, name }));

test("several processes that start at once on an empty database apply each migration once", async () => {
  const { url, database } = await connected();
  await Promise.all(Array.from({ length: 6 }, () => opened(url)));
  expect(await recorded(database)).toEqual(all);
});

test("the rows of the last release are read as they were, by several processes that upgrade them at once", async () => {
  const { url, database } = await connected(release);
  const [store] = await Promise.all([opened(url), opened(url), opened(url)]);
  expect(await recorded(database)).toEqual(all);
  expect((await store?.incident(ended))?.outcome).toMatchObject({ ending: "no-change" });
  expect((await store?.unfinished())?.map(({ incident }) => incident.alert.fingerprint)).toEqual(["f2"]);
  expect(await store?.alertsOf(ended)).toEqual([anAlert()]);
  expect((await store?.leases.running())?.map(({ incident }) => incident)).toEqual([anIncident()]);
  expect((await store?.openRollbacks())?.map(({ rollback }) => rollback.by)).toEqual(["ann"]);
  expect(await store?.auditRows()).toHaveLength(1);
  expect(await store?.waitingCount()).toBe(1);
  expect(await store?.incidentOfPull(7)).toEqual(anIncident());
});

test("a migration that fails leaves nothing of itself, and the next start goes on behind the last one", async () => {
  const { database } = await connected();
  const good = { name: "good", sql: "create table good (id int)" };
  const bad = { name: "bad", sql: "create table half (id int); select no_such_function()" };
  await expect(migrate(database, [good, bad])).rejects.toThrow("no_such_function");
  expect(await recorded(database)).toEqual([{ number: 1, name: "good" }]);
  expect((await database.query("select to_regclass('half') as half")).rows).toEqual([{ half: null }]);
  expect(await migrate(database, [good, { ...bad, sql: "create table half (id int)" }])).toEqual(["bad"]);
  expect(await migrate(database, [good])).toEqual([]);
});

test("a stored document of another form is told and costs its neighbours nothing", async () => {
  const { url, database } = await connected(release);
  const unreadable: string[] = [];
  const store = await opened(url, (because) => void unreadable.push(because));
  const next = anIncident({ fingerprint: "f9", startsAt: "2026-11-24T09:00:00.000Z" });
  await store.recordIncident({ ...next, workload: { ...next.workload, name: "api" } });
  await database.query(`update incident set document = document - 'workload' where ended_at is null and uid <> $1`, [
    next.uid,
  ]);
  expect((await store.unfinished()).map(({ incident }) => incident.uid)).toEqual([next.uid]);
  expect(unreadable).toHaveLength(1);
  expect(unreadable[0]).toContain("workload");
  await database.query("update incident set version = 99 where uid = $1", [next.uid]);
  await expect(store.incident(next.uid)).rejects.toThrow("a newer release wrote it");
});

test("what Postgres cannot hold is refused; a server that is away is not", async () => {
  const { database } = await connected();
  await expect(database.query("select $1::jsonb", ['"\\u0000"'])).rejects.toThrow(Refused);
  const away = connectTo("postgresql://nobody@127.0.0.1:1/none");
  closing.push(away.close);
  await expect(away.query("select 1")).rejects.toThrow(Unavailable);
  await expect(away.transaction((query) => query("select 1"))).rejects.toThrow(Unavailable);
});

// What release 0.1.0 wrote for each of its endings: without a course, and whatever else came later.
const planned = {
  ...{ cause: { sentence: "web uses 102 % of its CPU", citing: ["E1"] }, effect: { hash: "e", changes: [] } },
  remediation: {
    ...{ kind: "scale", workload: { kind: "Deployment", namespace: "shop", name: "web" }, from: "2", to: "4" },
    ...{ change: { kind: "replicas", to: 4 }, sizing: [] },
  },
  entry: { path: "apps", tool: "flux" },
};
const proposed = {
  ...planned,
  proposal: { number: 7, url: "https://github.com/acme/shop/pull/7", files: [], labels: [] },
};
const merged = { ...proposed, mergedSha: "c0ffee" };
const synced = { ...merged, syncedSha: "c0ffee" };
const outcomes: readonly Readonly<Record<string, unknown>>[] = [
  { ending: "no-change", because: "nothing stands out" },
  { ending: "refused", because: "the guardrails do not list it", cause: planned.cause },
  { ...planned, ending: "refused", because: "a policy fails" },
  { ...planned, ending: "resolved-before-merge", because: "it resolved" },
  { ...proposed, ending: "declined", because: "ann said no" },
  { ...merged, ending: "not-synced", because: "nobody saw it" },
  { ...synced, ending: "recovered", because: "it is back", verification: { kind: "recovered", because: "it is back" } },
  { ...synced, ending: "unclear", because: "no answer", verification: { kind: "unclear", because: "no answer" } },
  {
    ...{ ...synced, ending: "reverted", because: "no better", verification: { kind: "worse", because: "no better" } },
    revert: { proposal: { number: 8, url: "https://github.com/acme/shop/pull/8" }, mergedSha: "beef" },
  },
];

test.each(outcomes)("an outcome of the last release is read whole and shown: $ending, $because", async (outcome) => {
  const { url, database } = await connected(release);
  await database.query("update incident set story = $2, ending = $3, because = $4 where uid = $1", [
    ...[ended, JSON.stringify(outcome), outcome.ending, outcome.because],
  ]);
  const record = await (await opened(url)).incident(ended);
  expect(record?.outcome).toEqual(outcome);
  if (record?.outcome === undefined) return;
  const about = { ...record, capsule: undefined, events: [], steps: [], exchanges: [] };
  const told = renderExplanation(about).join("\n");
  expect(told).toContain(String(outcome.because));
  expect(told.includes("https://github.com/acme/shop/pull/7")).toBe("proposal" in outcome);
  expect(renderOutcome(record.outcome, "p.md").toLowerCase()).toContain(String(outcome.because));
  expect(typeof rollbackOf(record.outcome, 7)).toBe(
    "mergedSha" in outcome && !("revert" in outcome) ? "object" : "string",
  );
});
