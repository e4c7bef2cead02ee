import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Durable, workflowVersion } from "../../../src/adapters/dbos/durable.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import type { IncidentOutcome } from "../../../src/domain/proposal/outcome.ts";
import { learn } from "../../../src/flow/learn.ts";
import { remediateIncident } from "../../../src/flow/workflows/remediate-incident.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { recoverAbandoned } from "../../../src/server/jobs/workflows/resume.ts";
import { forgetOld } from "../../../src/server/jobs/ticking.ts";
import { anIncident } from "../../builders.ts";
import { portsOf } from "../../injection/incident.ts";
import { startEngine } from "../../engine.ts";
import { migratedDatabase } from "../../postgres.ts";

const canary = "hunter2-canary-7781";
const fault = () => {
  throw new TypeError(`Cannot read properties of undefined\n  connecting to postgres://rectify:${canary}@db/rectify`);
};
/** What is out of order in the next workflow. */
const broken = { collect: false, learn: false, between: false };
const told: string[] = [];
const reported: string[] = [];
let url: string;
let store: Store;
let durable: Durable;

beforeAll(async () => {
  url = await migratedDatabase();
  store = await openStore(url);
  const held = portsOf("calm", undefined, {
    ...{ model: undefined, random: () => "0".repeat(32), publish: () => undefined },
  });
  const ports: Ports = {
    ...held,
    clock: { now: () => (broken.collect ? fault() : held.clock.now()) },
    // The first to end the incident is `learn`; what parks it comes after.
    records: {
      ...store,
      endIncident: async (...given) => {
        const isBroken = broken.learn;
        broken.learn = false;
        await (isBroken ? fault() : store.endIncident(...given));
      },
    },
    leases: undefined,
    telemetry: { log: (_incident, verb, text) => void told.push(`${verb}: ${text}`) },
    timings: {
      ...held.timings,
      get settleMs() {
        return broken.between ? fault() : 1;
      },
    },
  };
  durable = await startEngine({
    ...{
      url,
      ports,
      remediate: remediateIncident,
      recoveries: store,
      alone: store.alone,
      mostRecoveries: 3,
    },
    endLease: async () => undefined,
    rollBack: async () => undefined,
    executor: { id: "one", during: (work) => work(), isServed: async () => false },
  });
});
afterAll(async () => {
  await durable.shutdown();
  await store.close();
});

async function ended(startsAt: string) {
  const incident = anIncident({ startsAt });
  await store.recordIncident(incident);
  told.length = 0;
  await durable.start(incident.uid, incident);
  await store.markStarted(incident.uid);
  await durable.finished(incident.uid);
  return store.incident(incident.uid);
}

/** Everything that Postgres holds, the engine's own records too. */
async function everyRow(): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const tables = await client.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  let rows = "";
  for (const { name } of tables.rows) rows += JSON.stringify((await client.query(`select * from ${name}`)).rows);
  await client.end();
  return rows;
}

const because = (step: string) =>
  `${step}: an error of Rectify itself: TypeError: Cannot read properties of undefined connecting to postgres://«masked»@db/rectify`;

test.each([
  ["of the first step", "collect", "2026-11-24T03:00:00.000Z"],
  ["in telling the ending", "learn", "2026-11-24T04:00:00.000Z"],
] as const)(
  "an unexpected error %s parks the incident, is told, and leaks no secret",
  async (_what, step, startsAt) => {
    Object.assign(broken, { collect: step === "collect", learn: step === "learn" });
    expect(await ended(startsAt)).toMatchObject({ ending: "parked", because: because(step) });
    expect(told).toContain(`park: parked: ${because(step)}`);
    expect(told.join()).not.toContain(canary);
    const rows = await everyRow();
    expect(rows).toContain("an error of Rectify itself");
    expect(rows).not.toContain(canary);
  },
);

test("an unexpected error between two steps is told, leaks no secret, and leaves its incident to whoever looks", async () => {
  Object.assign(broken, { collect: false, learn: false, between: true });
  await expect(ended("2026-11-24T04:30:00.000Z")).rejects.toThrow("Cannot read properties");
  broken.between = false;
  expect(told.join()).toContain("fault: TypeError: Cannot read properties of undefined");
  expect(told.join() + (await everyRow())).not.toContain(canary);
  expect(await store.hasStopped()).toBe(true);
  const keeping = { store, durable, workflowVersion };
  await recoverAbandoned(keeping, { log: (_incident, verb, text) => void told.push(`${verb}: ${text}`) });
  expect(told.at(-1)).toContain("resume: parked: its workflow stopped without an ending");
  expect([await store.hasStopped(), await store.unfinished()]).toEqual([false, []]);
});

test("the workload is free for its next incident, which ends as it should", async () => {
  Object.assign(broken, { collect: false, learn: false });
  expect(await ended("2026-11-24T05:00:00.000Z")).toMatchObject({ ending: "no-change" });
});

test("what the engine kept of a workflow is forgotten after a month, its incident and what people look up are not", async () => {
  const uid = (await store.incidents(1))[0]?.incident.uid ?? "";
  await store.recordEvent(uid, "learn", "no-change");
  let days = 30;
  const clock = { now: () => new Date(Date.now() + days * 24 * 3_600_000) };
  const forget = forgetOld({ store, durable, clock });
  await forget();
  expect(await durable.stateOf(uid)).toBe("ended");
  days = 32;
  await forget();
  expect(await durable.stateOf(uid)).toBe("absent");
  // A comment under its old pull request wakes nobody, and is no failure.
  await durable.send(uid, { kind: "pull-request" }, "late");
  expect([(await store.eventsOf(uid)).length > 0, (await store.incident(uid))?.ending]).toEqual([true, "no-change"]);
  days = 402;
  await forget();
  expect([await store.eventsOf(uid), (await store.incident(uid))?.ending]).toEqual([[], "no-change"]);
});

test("whoever looks at the pull request of a parked incident is told that nobody is at work there", async () => {
  const incident = anIncident({ startsAt: "2026-11-24T06:00:00.000Z" });
  await store.recordIncident(incident);
  await store.recordPull(11, incident.uid);
  await store.recordPull(12, incident.uid);
  const held = portsOf("calm", undefined, { model: undefined, random: () => "", publish: () => undefined });
  const report: Ports["github"]["report"] = async ({ number, commitMessage }, markdown) =>
    void reported.push(`#${number} ${commitMessage} ${markdown}`);
  const ports = { ...held, leases: undefined, records: store, github: { ...held.github, report } };
  const outcome: IncidentOutcome = { ending: "parked", because: "decide: an error of Rectify itself: TypeError: x" };
  await learn(incident, { outcome, evidence: [] }, ports);
  expect(reported).toEqual([
    `#12 Incident-UID: ${incident.uid} **Ended**: parked: decide: an error of Rectify itself: TypeError: x. Nothing happens here any more until a person acts`,
  ]);
  expect(await store.incident(incident.uid)).toMatchObject({ ending: "parked" });
});
