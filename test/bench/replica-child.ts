import { json } from "node:stream/consumers";
import { startDurable, workflowVersion } from "../../src/adapters/dbos/durable.ts";
import { listen } from "../../src/adapters/http/listener.ts";
import { openStore } from "../../src/adapters/postgres/store.ts";
import { workloadKey } from "../../src/domain/kubernetes/workload.ts";
import type { Ports } from "../../src/ports/ports.ts";
import { joinExecutors } from "../../src/server/executor.ts";
import { openInbox } from "../../src/server/inbox.ts";
import { recoverAbandoned } from "../../src/server/jobs/workflows/resume.ts";
import { internalRoutes } from "../../src/server/routes.ts";
import { concernsIn } from "../concerns.ts";

/**
 * One of several processes on one Postgres: the real inbox, engine and executor, and an incident of `steps` steps that each
 * put two kilobytes on record. It tells of each step that it does and of each incident that it ends. With a token it takes in
 * alerts by itself.
 */
const { url, steps, token } = (await json(process.stdin)) as { url: string; steps: number; token?: string };
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const telemetry = { log: () => undefined };
const store = await openStore(url);
const executor = await joinExecutors({ store, version: workflowVersion, telemetry });
const clock = { now: () => new Date() };
const ports = { records: store, clock, telemetry, timings: { pollMs: 1_000 } } as unknown as Ports;
const evidence = "e".repeat(2_000);
const durable = await startDurable({
  ...{ url, ports, executor: { ...executor, isServed: store.hasExecutor } },
  remediate: async ({ uid, workload }, run) => {
    for (let step = 1; step <= steps; step += 1) {
      await run.step(`step ${step}`, async () => {
        tell({ step, uid });
        return evidence;
      });
    }
    await run.step("learn", ({ records }) =>
      records.endIncident(uid, { ending: "recovered", because: "the bench", outcome: null }),
    );
    tell({ ended: uid, workload: workloadKey(workload) });
  },
  ...{ endLease: async () => undefined, rollBack: async () => undefined },
  ...{ recoveries: store, mostRecoveries: 3, alone: store.alone },
});
const inbox = openInbox({
  ...{ store, durable, cluster: "bench", holder: executor.id, telemetry, concerns: concernsIn() },
  ...{ alerts: { active: async () => [] }, runLateCommand: async () => undefined },
  app: () => ({ receive: async () => undefined }),
});
const keeping = { store, durable, clock, telemetry, workflowVersion };
await executor.watch(() => recoverAbandoned(keeping, telemetry));
const intake = { store, notify: inbox.notify, app: { verify: async () => false }, alertsToken: token ?? "" };
const listener = token === undefined ? undefined : await listen(internalRoutes(intake), { host: "127.0.0.1", port: 0 });
tell({ ready: executor.id, port: listener?.port });
process.on("SIGTERM", () => void leave());

async function leave(): Promise<void> {
  await listener?.close();
  await inbox.close();
  await executor.drain();
  await durable.shutdown();
  await executor.leave();
  await store.close();
  process.exit(0);
}
