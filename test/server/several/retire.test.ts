import { expect, test } from "vitest";
import { connectTo } from "../../../src/adapters/postgres/query.ts";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { retireRepositories } from "../../../src/server/several/retire.ts";
import { anIncident } from "../../builders.ts";
import { startEngine } from "../../engine.ts";
import { freshDatabase } from "../../postgres.ts";

const telemetry = { log: () => undefined };

test("what is open in a repository that left the list ends with the reason, once nobody works on it", async () => {
  const url = await freshDatabase();
  const store = await openStore(url);
  const incident = anIncident();
  const durable = await startEngine({
    ...{ url, ports: { telemetry, timings: {} } as unknown as Ports, alone: store.alone, recovering: store.recovering },
    executor: { id: "one", during: (work) => work(), isServed: async () => false },
    mostRecoveries: 3,
    story: async (_, run) => void (await run.message(600_000)),
    leaseStory: async () => undefined,
    rollbackStory: async () => undefined,
  });
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
  const { query, close } = connectTo(url);
  const { rows } = await query("select status from dbos.workflow_status where workflow_uuid = $1", [incident.uid]);
  expect(rows).toEqual([{ status: "CANCELLED" }]);
  await close();
  await store.close();
});

test("records that cannot be read are told, and looked for again", async () => {
  const url = `${(await freshDatabase()).replace(/\/[^/]*$/, "")}/gone_${Date.now()}`;
  const told: string[] = [];
  const log = (_: string, __: string, text: string) => void told.push(text);
  expect(await retireRepositories([{ name: "acme/bank", url, isFirst: false }], { log })).toBe(false);
  expect(told).toEqual([expect.stringMatching(/^acme\/bank left the list, and its records cannot be read: Postgres:/)]);
});
