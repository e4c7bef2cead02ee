import { expect, test } from "vitest";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { startEngine } from "../../engine.ts";
import { migratedDatabase } from "../../postgres.ts";

const settled = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resume) => setTimeout(resume, 5));
};

/** Workflows that examine until they are told to be done: who is at it, and in which order they began. */
async function examining(severities: readonly string[]) {
  const url = await migratedDatabase();
  const store = await openStore(url);
  const came: string[] = [];
  const order: string[] = [];
  const done = new Map<string, (isGood: boolean) => void>();
  const durable = await startEngine({
    ...{ url, ports: { telemetry: { log: () => undefined }, timings: {} } as unknown as Ports, alone: store.alone },
    ...{ recoveries: store, mostRecoveries: 3 },
    executor: { id: "one", during: (work) => work(), isServed: async () => false },
    remediate: async ({ uid, severity }, run) => {
      came.push(uid);
      const examined = run.few(severity, async () => {
        order.push(severity);
        // Two steps: the turn is kept between them.
        await run.step("collect", async () => undefined);
        const isGood = await new Promise<boolean>((end) => done.set(uid, end));
        done.delete(uid);
        if (!isGood) throw new Error("nothing was found out");
        await run.step("diagnose", async () => undefined);
      });
      await examined.catch(() => undefined);
    },
    endLease: async () => undefined,
    rollBack: async () => undefined,
  });
  const incidents = severities.map((severity, at) => ({ ...anIncident(), uid: `uid-${at}`, severity }));
  for (const incident of incidents) await durable.start(incident.uid, incident);
  await settled(() => came.length === incidents.length);
  return { order, done, incidents, durable, close: async () => (await durable.shutdown(), store.close()) };
}

test("four examine at once, the most severe of those that wait comes next, and a failure gives its turn on", async () => {
  const severities = ["warning", "warning", "warning", "warning", "info", "warning", "critical", "info"];
  const { order, done, incidents, durable, close } = await examining(severities);
  await settled(() => done.size === 4);
  let most = done.size;
  for (let ended = 0; ended < severities.length; ended += 1) {
    await settled(() => done.size > 0 && order.length === Math.min(severities.length, 4 + ended));
    most = Math.max(most, done.size);
    const [end] = done.values();
    end?.(ended % 2 === 0);
    await settled(() => order.length === Math.min(severities.length, 5 + ended));
  }
  for (const { uid } of incidents) await durable.finished(uid);
  expect(most).toBe(4);
  expect(order).toEqual(["warning", "warning", "warning", "warning", "critical", "warning", "info", "info"]);
  await close();
});
