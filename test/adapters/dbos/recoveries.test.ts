import { expect, test } from "vitest";
import { isWaiting } from "../../../src/adapters/dbos/is-waiting.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import type { Incident } from "../../../src/domain/incident/incident.ts";
import { until } from "../../../src/lab/start.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import type { Message, Run } from "../../../src/ports/workflow.ts";
import { anIncident } from "../../builders.ts";
import { startEngine } from "../../engine.ts";
import { migratedDatabase } from "../../postgres.ts";

const mostRecoveries = 3;

async function engine(remediate: (incident: Incident, run: Run) => Promise<void>) {
  const url = await migratedDatabase();
  const store: Store = await openStore(url);
  const durable = await startEngine({
    ...{ url, ports: { telemetry: { log: () => undefined }, timings: {} } as unknown as Ports },
    ...{ alone: store.alone, mostRecoveries, recoveries: store, remediate },
    executor: { id: "one", during: (work) => work(), isServed: async () => false },
    ...{ endLease: async () => undefined, rollBack: async () => undefined },
  });
  const close = async (incidents: readonly Incident[]) => {
    for (const { uid } of incidents) await durable.cancel(uid);
    await durable.shutdown();
    await store.close();
  };
  return { store, durable, close };
}

const incidentAt = (name: string, hour: number) => anIncident({ name, startsAt: `2026-11-24T0${hour}:00:00Z` });
const forEver = () => new Promise<never>(() => undefined);

test("R06 who is in a step each time its process ends is given up, who waits for a message is told to look", async () => {
  const begun: string[] = [];
  const received: (Message | undefined)[] = [];
  const refused: string[] = [];
  const { store, durable, close } = await engine(async ({ alert }, run) => {
    await run.step("begin", async () => undefined);
    while (alert.name === "Waits") {
      const message = await run.message(3_600_000);
      await run.step("look", async () => void received.push(message));
    }
    await run
      .step("never", () => {
        begun.push(alert.name);
        return forEver();
      })
      .catch((error: Error) => void refused.push(error.message));
  });
  const waits = incidentAt("Waits", 2);
  const works = incidentAt("Works", 3);
  for (const incident of [waits, works]) await durable.start(incident.uid, incident);
  await until("the step", () => begun.length === 1);
  // The wait is on record a moment after the step before it.
  const onRecord = async () => isWaiting((await store.stepsOf([waits.uid])).get(waits.uid) ?? []);
  for (let death = 1; death <= mostRecoveries + 1; death += 1) {
    await until("the wait", onRecord);
    await durable.recover([waits.uid, works.uid]);
    // Whatever was told to the process that is gone is looked for at once.
    await until("the look", () => received.length >= death);
    await until("the step again", () => begun.length + refused.length === 1 + death);
  }
  expect(refused).toEqual([`never: the process ended ${mostRecoveries} times while it was done`]);
  expect(new Set(received.map((message) => message?.kind))).toEqual(new Set(["taken-over"]));
  await until("its end", async () => (await durable.stateOf(works.uid)) === "ended");
  expect(await durable.stateOf(waits.uid)).toBe("running");
  await close([waits, works]);
});

test("who sleeps between two tries, or waits for its turn to examine, is not given up", async () => {
  const begun = new Set<string>();
  const { durable, close } = await engine(async ({ uid, alert }, run) => {
    const ask = async () => {
      begun.add(uid);
      throw new Unavailable("GitHub: rate limit", { retryAfterMs: 3_600_000 });
    };
    if (alert.name === "Sleeps") await run.step("ask", ask);
    begun.add(uid);
    await run.few("critical", () => run.step("collect", forEver));
  });
  const sleeps = incidentAt("Sleeps", 2);
  // More than are examined at once.
  const line = [3, 4, 5, 6, 7].map((hour) => incidentAt("InLine", hour));
  for (const incident of [sleeps, ...line]) await durable.start(incident.uid, incident);
  await until("all begun", () => begun.size === 6);
  const last = line.at(-1)?.uid ?? "";
  for (let death = 0; death < 2 * mostRecoveries; death += 1) await durable.recover([sleeps.uid, last]);
  expect([await durable.stateOf(sleeps.uid), await durable.stateOf(last)]).toEqual(["running", "running"]);
  await close([sleeps, ...line]);
});

test("what ends its process again and again between two steps is given up as well, later", async () => {
  const { durable, close } = await engine(async (_, run) => {
    await run.step("begin", async () => undefined);
    await forEver();
  });
  const incident = incidentAt("Between", 2);
  await durable.start(incident.uid, incident);
  const recovered = async (times: number) => {
    for (let death = 0; death < times; death += 1) await durable.recover([incident.uid]);
  };
  await recovered(mostRecoveries + 1);
  expect(await durable.stateOf(incident.uid)).toBe("running");
  await recovered(10 * mostRecoveries);
  expect(await durable.stateOf(incident.uid)).toBe("ended");
  await close([incident]);
});
