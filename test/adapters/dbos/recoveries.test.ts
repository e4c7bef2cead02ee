import { expect, test } from "vitest";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import { until } from "../../../src/lab/start.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import type { Message } from "../../../src/ports/workflow.ts";
import { isWaiting } from "../../../src/adapters/dbos/is-waiting.ts";
import { anIncident } from "../../builders.ts";
import { startEngine } from "../../engine.ts";
import { migratedDatabase } from "../../postgres.ts";

test("R06 who is in a step each time its process ends is given up, who waits for a message is told to look", async () => {
  const url = await migratedDatabase();
  const store = await openStore(url);
  const counted: string[] = [];
  const received: (Message | undefined)[] = [];
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
      while (alert.name === "Waits") {
        const message = await run.message(3_600_000);
        await run.step("look", async () => void received.push(message));
      }
      await run.step("never", () => new Promise<never>(() => undefined));
    },
    ...{ endLease: async () => undefined, rollBack: async () => undefined },
  });
  const waits = anIncident({ name: "Waits", startsAt: "2026-11-24T02:00:00Z" });
  const works = anIncident({ name: "Works", startsAt: "2026-11-24T03:00:00Z" });
  for (const incident of [waits, works]) await durable.start(incident.uid, incident);
  await until("both at work", () => begun.size === 2);
  // The wait is on record a moment after the step before it.
  const onRecord = async () => isWaiting((await store.stepsOf([waits.uid])).get(waits.uid) ?? []);
  for (let death = 1; death <= 5; death += 1) {
    await until("the wait", onRecord);
    await durable.recover([waits.uid, works.uid]);
    // Whatever was told to the process that is gone is looked for at once.
    await until("the look", () => received.length >= death);
  }
  expect(new Set(received.map((message) => message?.kind))).toEqual(new Set(["taken-over"]));
  expect(new Set(counted)).toEqual(new Set([works.uid]));
  expect(await durable.stateOf(waits.uid)).toBe("running");
  expect(await durable.stateOf(works.uid)).toBe("ended");
  for (const { uid } of [waits, works]) await durable.cancel(uid);
  await durable.shutdown();
  await store.close();
});
