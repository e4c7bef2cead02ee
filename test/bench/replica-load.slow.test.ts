import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { acknowledgedLoad, replicaLoad } from "./replica-load.ts";
import { freshDatabase } from "../postgres.ts";
import { restartedPostgres } from "../restarted-postgres.ts";
import { scratchDirectory } from "../scratch.ts";

test("two processes share the work, one incident per workload, also when one of them is killed", {
  timeout: 120_000,
}, async () => {
  const load = { url: await freshDatabase(), processes: 2, workloads: 40, steps: 3, killAt: 0.1 };
  const result = await replicaLoad(load);
  expect(result).toMatchObject({ incidents: 40, doubled: 0 });
  expect(result.shares.reduce((sum, share) => sum + share, 0)).toBeGreaterThanOrEqual(40);
});

test("two processes end every incident once while Postgres is stopped and started again", {
  timeout: 240_000,
}, async () => {
  const postgres = await restartedPostgres(scratchDirectory());
  const outages = { at: [0.25, 0.5], restart: () => postgres.restart(() => pause(2_000)) };
  const load = { url: postgres.url, processes: 2, workloads: 40, steps: 3, outages };
  const result = await replicaLoad(load).finally(() => postgres.close());
  expect(result).toMatchObject({ incidents: 40, doubled: 0 });
});

test("A01 killed right behind its acknowledgement, a process loses nothing that it took in", {
  timeout: 240_000,
}, async () => {
  const result = await acknowledgedLoad({ url: await freshDatabase(), kills: 6 });
  expect(result).toEqual({ acknowledged: 6, ended: 6, doubled: 0 });
});
