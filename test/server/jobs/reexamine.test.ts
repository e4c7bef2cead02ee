import { beforeEach, expect, test } from "vitest";
import type { Durable } from "../../../src/adapters/dbos/durable.ts";
import { connectTo } from "../../../src/adapters/postgres/query.ts";
import type { Store } from "../../../src/adapters/postgres/store.ts";
import type { Ending } from "../../../src/domain/incident/incident.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { guardrailsHash } from "../../../src/flow/collect/dependencies.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { takeAlerts } from "../../../src/server/intake/take-alerts.ts";
import { reexamine } from "../../../src/server/jobs/reexamine.ts";
import { anAlert } from "../../builders.ts";
import { stores } from "../../postgres.ts";
import { concernsIn } from "../../concerns.ts";

const beatMs = 30 * 60_000;
let store: Store;
let url: string;
let started: string[];
let told: string[];
let asked: number;
let world: { sha: string; guardrails: string; answering: string[]; minutes: number };
const { openOne, closing } = stores();

beforeEach(async () => {
  ({ url, store } = await openOne());
  [started, told, asked] = [[], [], 0];
  world = { sha: "a", guardrails: "namespaces: [shop]", answering: [], minutes: 0 };
});

const treeNow = () => treeOf({ ".github/rectify.yml": world.guardrails });
const intake = () => ({
  ...{ store, cluster: "test", concerns: concernsIn() },
  durable: {
    start: async (workflow: string) => void started.push(workflow),
    send: async () => undefined,
  } as unknown as Durable,
  telemetry: { log: (_incident: string, verb: string, text: string) => void told.push(`${verb}: ${text}`) },
});
const look = () =>
  reexamine({
    ...intake(),
    beatMs,
    answering: () => world.answering,
    ports: {
      github: { head: async () => ({ sha: world.sha, tree: treeNow() }) },
      clock: { now: () => new Date(Date.now() + world.minutes * 60_000) },
      metrics: {
        range: async () => {
          asked += 1;
          throw new Unavailable("Prometheus: no answer");
        },
      },
    } as unknown as Ports,
  });

async function ended(ending: Ending, silent: readonly string[] = [], outcome: unknown = null): Promise<string> {
  await takeAlerts(intake(), [anAlert()]);
  const uid = (await store.openIncidentOf("shop-production/Deployment/web", "test"))?.incident.uid ?? "";
  const depends = { silent, revision: world.sha, guardrails: guardrailsHash(treeNow()) };
  await store.endIncident(uid, { ending, because: "nothing stands out", outcome, depends });
  return uid;
}

test("what a switch to shadow mode withdrew is looked at again while its alert fires", async () => {
  const uid = await ended("declined", [], { ending: "declined", because: "shadow mode", closed: "shadowed" });
  world.minutes = 3;
  await look();
  expect(started).toEqual([uid, `${uid}/2`]);
});

test.each([
  [
    "its remedy",
    { kind: "scale", workload: { namespace: "payments" } },
    "mode: shadow\nmodes: [{ remedy: scale, mode: live }]",
  ],
  ["all", undefined, "mode: live"],
])(
  "what was only looked at is examined again when %s is switched to live, and not before",
  async (_, remediation, live) => {
    world.guardrails = "mode: shadow";
    const uid = await ended("shadow", [], { ending: "shadow", because: "not-known", remediation });
    world.minutes = 600;
    const elsewhere = "mode: shadow\nmodes: [{ remedy: resources, mode: live }, { namespace: other, mode: live }]";
    for (const guardrails of ["mode: shadow\nmaxReplicas: 7", elsewhere, "mode: lives"]) {
      world.guardrails = guardrails;
      await look();
      expect(started).toEqual([uid]);
    }
    world.guardrails = live;
    await look();
    expect(started).toEqual([uid, `${uid}/2`]);
    expect(told.at(-1)).toContain("shadow mode was switched off");
  },
);

test.each(["no-change", "parked", "refused", "unclear", "escalated"] as const)(
  "an alert that still fires after %s is examined again soon and then rarely, as the same incident",
  async (ending) => {
    const uid = await ended(ending);
    await look();
    expect(started).toEqual([uid]);
    expect((await store.parkedSince(new Date())).join()).toContain("examined again when the guardrails");
    world.minutes = 3;
    await look();
    expect(started).toEqual([uid, `${uid}/2`]);
    const open = await store.openIncidentOf("shop-production/Deployment/web", "test");
    expect(open).toMatchObject({ workflow: `${uid}/2`, started: true, incident: { uid } });
    // Once: the second look finds it open.
    await look();
    expect(started).toHaveLength(2);
    await store.endIncident(uid, { ending, because: "again", outcome: null });
    world.minutes = 120;
    await look();
    expect(started.at(-1)).toBe(`${uid}/3`);
  },
);

test.each(["recovered", "declined", "reverted", "resolved-before-merge"] as const)("%s is over", async (ending) => {
  await ended(ending);
  world.minutes = 600;
  await look();
  expect(started).toHaveLength(1);
});

test("an alert that resolved needs no further look", async () => {
  await ended("no-change");
  await takeAlerts(intake(), [anAlert({ status: "resolved" })]);
  world.minutes = 600;
  await look();
  expect([started.length, await store.parkedSince(new Date())]).toEqual([1, []]);
});

test("while a source is away it is asked, with a word on the dashboard; when it is back the incident is examined", async () => {
  const uid = await ended("no-change", ["prometheus"]);
  await look();
  expect(asked).toBe(1);
  expect((await store.parkedSince(new Date())).join()).toContain("prometheus gave no answer");
  expect(told.filter((line) => line.startsWith("wait: "))).toHaveLength(1);
  world.minutes = 1;
  world.answering = ["Prometheus"];
  await look();
  expect(started.at(-1)).toBe(`${uid}/2`);
  expect(told.at(-1)).toContain("prometheus answers again");
});

test("changed guardrails and a new revision are reasons for another look", async () => {
  await ended("refused");
  world = { ...world, guardrails: "namespaces: [shop, web]", minutes: 6 };
  await look();
  expect(started).toHaveLength(2);
});

test("of two processes that look at once, one opens it; a newer incident of the workload goes first", async () => {
  const uid = await ended("no-change");
  world.minutes = 31;
  await Promise.all([look(), look(), look()]);
  expect(started).toEqual([uid, `${uid}/2`]);
  await store.endIncident(uid, { ending: "no-change", because: "again", outcome: null });
  await takeAlerts(intake(), [anAlert({ fingerprint: "f2", startsAt: "2026-11-24T09:00:00.000Z" })]);
  world.minutes = 600;
  await look();
  expect(started).toHaveLength(3);
});

test("a later incident of the workload that is over leaves an alert that began before it to be examined", async () => {
  const uid = await ended("no-change");
  const later = { fingerprint: "f2", name: "Other", startsAt: "2026-11-24T09:00:00.000Z" };
  await takeAlerts(intake(), [anAlert(later)]);
  const second = started.at(-1) ?? "";
  await store.endIncident(second, { ending: "no-change", because: "later", outcome: null });
  world.minutes = 600;
  // While the later one's alert fires it is the one to be examined.
  await look();
  expect(started.at(-1)).toBe(`${second}/2`);
  await store.endIncident(second, { ending: "recovered", because: "well", outcome: null });
  await takeAlerts(intake(), [anAlert({ ...later, status: "resolved" })]);
  await look();
  expect(started.at(-1)).toBe(`${uid}/2`);
});

test("its place in the queue is new, and what was opened within the hour still counts", async () => {
  await takeAlerts(intake(), [anAlert()]);
  const uid = started[0] ?? "";
  const candidate = {
    ...{ incident: uid, workload: { kind: "Deployment", namespace: "shop-production", name: "web" } },
    ...{ alert: "HighRequestLatency", severity: "critical", startedAt: "2026-11-24T02:00:00Z", summary: "scale" },
  };
  const limits = { maxOpenPulls: 5, maxPullsPerHour: 1, exemptSeverities: [] };
  const now = new Date();
  expect((await store.queue.ask(candidate, limits, now)).kind).toBe("open");
  await store.queue.leave(uid);
  await ended("no-change");
  world.minutes = 31;
  await look();
  const asked = await store.queue.ask(candidate, limits, now);
  expect(asked).toMatchObject({ kind: "listed", because: expect.stringContaining("maxPullsPerHour") });
  const database = connectTo(url);
  closing.push(database.close);
  expect((await database.query("select incident from queue order by 1")).rows).toHaveLength(2);
});

test("one that is due is not behind hundreds that wait for hours, and of hundreds that are due some start at each look", async () => {
  const uid = await ended("no-change");
  const database = connectTo(url);
  // As many others, whose alerts fire as well, at their twentieth examination an hour ago.
  const copy = (table: string, key: string) =>
    `insert into ${table} select (jsonb_populate_record(one, ${key})).* from ${table} as one, generate_series(1, 250) as n`;
  const other = `jsonb_build_object('uid', 'o' || n, 'workflow', 'o' || n, 'workload', 'shop/Deployment/w' || n,
    'document', one.document || jsonb_build_object('uid', 'o' || n), 'examination', 20, 'ended_at', now() - interval '1 hour')`;
  await database.query(copy("incident", other));
  await database.query(copy("alert", "jsonb_build_object('fingerprint', 'other' || n, 'incident', 'o' || n)"));
  world.minutes = 3;
  await look();
  expect(started).toEqual([uid, `${uid}/2`]);
  world.minutes = 60 * 24 * 7;
  await look();
  expect(started).toHaveLength(2 + 200);
  closing.push(database.close);
});
