import pg from "pg";
import { replicaLoad, type ReplicaResult } from "./replica-load.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * One, two and four processes on one Postgres, each with an inbox and an engine of its own, and one incident per workload:
 * `npm run -s bench:replicas -- [WORKLOADS] [STEPS]`. Of four, one is killed when a quarter of the incidents has ended.
 */
const [workloads = 200, steps = 12] = process.argv.slice(2).map(Number);
const postgres = await temporaryPostgres("bench-replicas");
const runs: (ReplicaResult & { readonly killed: boolean })[] = [];
try {
  for (const [processes, killed] of [
    [1, false],
    [2, false],
    [4, false],
    [4, true],
  ] as const) {
    const url = await databaseOf(`bench_${processes}_${killed}`);
    const result = await replicaLoad({ url, processes, workloads, steps, ...(killed ? { killAt: 0.25 } : {}) });
    console.log(JSON.stringify({ ...result, killed }));
    runs.push({ ...result, killed });
  }
  const [one] = runs;
  const shared = runs.filter(({ processes, killed }) => processes > 1 && !killed);
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
