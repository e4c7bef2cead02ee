import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { replicaLoad, type ReplicaResult } from "./replica-load.ts";
import { restartedPostgres } from "../restarted-postgres.ts";

/**
 * One, two and four processes on one Postgres, each with an inbox and an engine of its own, and one incident per workload:
 * `npm run -s bench:replicas -- [WORKLOADS] [STEPS]`. Of four, one is killed when a quarter of the incidents has ended; of
 * two more, Postgres is stopped for three seconds when a quarter has ended, and again at a half.
 */
const [workloads = 200, steps = 12] = process.argv.slice(2).map(Number);
const postgres = await restartedPostgres(mkdtempSync(join(tmpdir(), "rectify-bench-replicas-")));
const outages = { at: [0.25, 0.5], restart: () => postgres.restart(() => pause(3_000)) };
const runs: (ReplicaResult & { readonly trouble: string })[] = [];
try {
  for (const [processes, trouble, more] of [
    [1, "none", {}],
    [2, "none", {}],
    [4, "none", {}],
    [4, "a process killed", { killAt: 0.25 }],
    [2, "Postgres restarted", { outages }],
  ] as const) {
    const url = await databaseOf(`bench_${runs.length}`);
    const result = await replicaLoad({ url, processes, workloads, steps, ...more });
    console.log(JSON.stringify({ ...result, trouble }));
    runs.push({ ...result, trouble });
  }
  const [one] = runs;
  const shared = runs.filter(({ processes, trouble }) => processes > 1 && trouble === "none");
  console.log(
    JSON.stringify({
      ...{ workloads, steps, doubled: runs.reduce((sum, { doubled }) => sum + doubled, 0) },
      incidentsPerMinute: runs.map(({ incidentsPerMinute }) => incidentsPerMinute),
      leastShare: Math.min(...shared.flatMap(({ shares }) => shares.map((share) => share / workloads))),
      ...{ rowsPerIncident: one?.rowsPerIncident, bytesPerIncident: one?.bytesPerIncident },
    }),
  );
  process.exitCode = runs.every(({ doubled }) => doubled === 0) ? 0 : 1;
} finally {
  await postgres.close();
}

async function databaseOf(name: string): Promise<string> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const address = new URL(postgres.url);
  address.pathname = `/${name}`;
  return address.href;
}
