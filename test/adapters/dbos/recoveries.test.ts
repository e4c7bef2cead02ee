import { expect, test } from "vitest";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import { until } from "../../../src/lab/start.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { startEngine } from "../../engine.ts";
import { migratedDatabase } from "../../postgres.ts";

test("R06 who is in a step each time its process ends is given up, who waits for a message is not", async () => {
  const url = await migratedDatabase();
  const store = await openStore(url);
  const counted: string[] = [];
  const begun = new Set<string>();
  const durable = await startEngine({
    ...{ url, ports: { telemetry: { log: () => undefined }, timings: {} } as unknown as Ports },
    ...{ alone: store.alone, mostRecoveries: 3 },
    recoveries: {
      ...store,
      recovering: (workflow, steps) => {
        counted.push(workflow);
        return store.recovering(workflow, steps);
      },
    },
    executor: { id: "one", during: (work) => work(), isServed: async () => false },
    remediate: async ({ uid, alert }, run) => {
      await run.step("begin", async () => undefined);
      begun.add(uid);
      if (alert.name === "Waits") await run.message(3_600_000);
      else await run.step("never", () => new Promise<never>(() => undefined));
    },
    ...{ endLease: async () => undefined, rollBack: async () => undefined },
  });
  const waits = anIncident({ name: "Waits", startsAt: "2026-11-24T02:00:00Z" });
  const works = anIncident({ name: "Works", startsAt: "2026-11-24T03:00:00Z" });
  for (const incident of [waits, works]) await durable.start(incident.uid, incident);
  await until("both at work", () => begun.size === 2);
  // The wait is on record a moment after the step before it.
  await until("the wait", async () => {
    counted.length = 0;
    await durable.recover([waits.uid]);
    return counted.length === 0;
  });
  for (let death = 0; death < 5; death += 1) await durable.recover([waits.uid, works.uid]);
  expect(new Set(counted)).toEqual(new Set([works.uid]));
  expect(await durable.stateOf(waits.uid)).toBe("running");
  expect(await durable.stateOf(works.uid)).toBe("ended");
  for (const { uid } of [waits, works]) await durable.cancel(uid);
  await durable.shutdown();
  await store.close();
});
