import { expect, test } from "vitest";
import { mostStuck } from "../../../src/adapters/dbos/patience.ts";
import { openStore } from "../../../src/adapters/postgres/store.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { startEngine } from "../../engine.ts";
import { migratedDatabase } from "../../postgres.ts";

test("R11 a step that never returns is begun anew, is told, and after some times parks its workflow, not its process", async () => {
  const url = await migratedDatabase();
  const store = await openStore(url);
  const told: string[] = [];
  const begun = { once: 0, never: 0 };
  const ended: string[] = [];
  const phases: string[] = [];
  const telemetry = {
    log: (_incident: string, verb: string, text: string) => void told.push(`${verb} ${text}`),
    step: (_workflow: string, name: string, phase: string) => void phases.push(`${name} ${phase}`),
  };
  const forEver = () => new Promise<never>(() => undefined);
  const durable = await startEngine({
    ...{ url, ports: { telemetry, timings: {} } as unknown as Ports, alone: store.alone, stepDeadlineMs: 20 },
    ...{ recoveries: store, mostRecoveries: 3 },
    executor: { id: "one", during: (work) => work(), isServed: async () => false },
    remediate: async ({ uid }, run) => {
      await run.step("once", async () => (++begun.once === 1 ? forEver() : undefined));
      await run.step("never", () => (++begun.never, forEver())).catch((error: Error) => void told.push(error.message));
      ended.push(uid);
    },
    ...{ endLease: async () => undefined, rollBack: async () => undefined },
  });
  const incident = anIncident();
  await durable.start(incident.uid, incident);
  await durable.finished(incident.uid);
  expect(ended).toEqual([incident.uid]);
  expect(begun).toEqual({ once: 2, never: mostStuck });
  expect(told[0]).toMatch(/^stuck once: it did not return within .*: it is begun anew$/);
  const attempt = (name: string) => ["begin", "stuck", "end", "recorded"].map((phase) => `${name} ${phase}`);
  expect(phases.slice(0, 7)).toEqual([...attempt("once"), "once begin", "once end", "once recorded"]);
  expect(phases.filter((phase) => phase === "never stuck")).toHaveLength(mostStuck);
  expect(told.at(-1)).toMatch(/^never: it did not return within/);
  await durable.shutdown();
  await store.close();
});
