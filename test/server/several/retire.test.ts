import { expect, test } from "vitest";
import { connectTo } from "../../../src/adapters/postgres/query.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { retireRepositories, tellForeign } from "../../../src/server/several/retire.ts";
import { anIncident } from "../../builders.ts";
import { startEngine } from "../../engine.ts";
import { freshDatabase, migratedDatabase } from "../../postgres.ts";

const telemetry = { log: () => undefined };

/** The engine on these records, whose workflows wait for a message. */
async function waitingEngine(url: string, store: Store) {
  return startEngine({
    ...{ url, ports: { telemetry, timings: {} } as unknown as Ports, alone: store.alone, recoveries: store },
    executor: { id: "one", during: (work) => work(), isServed: async () => false },
    mostRecoveries: 3,
    remediate: async (_, run) => void (await run.message(600_000)),
    endLease: async () => undefined,
    rollBack: async () => undefined,
  });
}

async function statusOf(url: string, workflow: string) {
  const { query, close } = connectTo(url);
  const { rows } = await query("select status from dbos.workflow_status where workflow_uuid = $1", [workflow]);
  await close();
  return rows[0]?.status as unknown;
}

test("what is open in a repository that left the list ends with the reason, once nobody works on it", async () => {
  const url = await migratedDatabase();
  const store = await openStore(url);
  const incident = anIncident();
  const durable = await waitingEngine(url, store);
  await store.recordIncident(incident);
  await durable.start(incident.uid, incident);
  await store.joinExecutor("one", "3", { space: undefined, pid: 1 });
  const others = [{ name: "acme/bank", url, isFirst: false }];
  // Its process still lives: of a rolling update, or on another machine.
  expect(await retireRepositories(others, telemetry)).toBe(false);
  expect((await store.incident(incident.uid))?.ending).toBeUndefined();
  await durable.shutdown();
  await store.leaveExecutor("one");
  expect(await retireRepositories(others, telemetry)).toBe(true);
  expect(await store.incident(incident.uid)).toMatchObject({
    ending: "refused",
    because: expect.stringMatching(/^acme\/bank is not in RECTIFY_REPOSITORY any more/),
  });
  expect(await statusOf(url, incident.uid)).toBe("CANCELLED");
  await store.close();
});

test("nothing open is no end while a process still works there, and what it opens then ends, too", async () => {
  const url = await migratedDatabase();
  const store = await openStore(url);
  await store.joinExecutor("one", "3", { space: undefined, pid: 1 });
  const others = [{ name: "acme/bank", url, isFirst: false }];
  expect(await retireRepositories(others, telemetry)).toBe(false);
  const incident = anIncident();
  await store.recordIncident(incident);
  await store.leaveExecutor("one");
  // Its engine never began: there is nothing of it to stop.
  expect(await retireRepositories(others, telemetry)).toBe(true);
  expect((await store.incident(incident.uid))?.ending).toBe("refused");
  await store.close();
});

test("what the engine has in flight without an incident is stopped, and told", async () => {
  const url = await migratedDatabase();
  const store = await openStore(url);
  const durable = await waitingEngine(url, store);
  const incident = anIncident();
  await durable.start(incident.uid, incident);
  await durable.shutdown();
  const told: string[] = [];
  const log = (_: string, __: string, text: string) => void told.push(text);
  const others = [{ name: "acme/bank", url, isFirst: false }];
  expect(await retireRepositories(others, { log })).toBe(true);
  expect(await statusOf(url, incident.uid)).toBe("CANCELLED");
  expect(told).toEqual([expect.stringMatching(/^stopped 1 workflow: acme\/bank is not in RECTIFY_REPOSITORY/)]);
  expect(await retireRepositories(others, { log })).toBe(true);
  expect(told).toHaveLength(1);
  await store.close();
});

test("records that cannot be read are told, and looked for again", async () => {
  const url = `${(await freshDatabase()).replace(/\/[^/]*$/, "")}/gone_${Date.now()}`;
  const told: string[] = [];
  const log = (_: string, __: string, text: string) => void told.push(text);
  expect(await retireRepositories([{ name: "acme/bank", url, isFirst: false }], { log })).toBe(false);
  expect(told).toEqual([expect.stringMatching(/^acme\/bank left the list, and its records cannot be read: Postgres:/)]);
});

test("what another cluster has on record is told, and how to part them", () => {
  const told: string[] = [];
  const log = (_: string, __: string, text: string) => void told.push(text);
  tellForeign([{ name: "acme/bank", url: "postgresql://db/bank", isFirst: false, cluster: "eu-1" }], { log });
  expect(told).toEqual([expect.stringMatching(/^acme\/bank .* for the cluster eu-1: .* \(DATABASE_URL\)$/)]);
});
