import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/server.ts";
import { ackLoad } from "./ack-load.ts";

/**
 * From an alert's intended send time to its acknowledgement, and how fast the inbox is emptied, with everything on one
 * machine: `npm run -s bench:ack -- [SECONDS] [ALERTS A SECOND]`.
 */
const directory = mkdtempSync(join(tmpdir(), "rectify-bench-ack-"));
const postgres = await startEmbeddedPostgres(directory);
try {
  const [seconds = 60, alertsPerSecond = 2_000] = process.argv.slice(2).map(Number);
  const load = { alertsPerSecond, groupSize: 20, workloads: 500, seconds };
  console.log(JSON.stringify({ ...load, ...(await ackLoad({ ...load, url: postgres.url })) }));
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
