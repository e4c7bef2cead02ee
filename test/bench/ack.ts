import { ackLoad } from "./ack-load.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * From an alert's intended send time to its acknowledgement, and how fast the inbox is emptied, with everything on one
 * machine: `npm run -s bench:ack -- [SECONDS] [ALERTS A SECOND]`.
 */
const postgres = await temporaryPostgres("bench-ack");
try {
  const [seconds = 60, alertsPerSecond = 2_000] = process.argv.slice(2).map(Number);
  const load = { alertsPerSecond, groupSize: 20, workloads: 500, seconds };
  console.log(JSON.stringify({ ...load, ...(await ackLoad({ ...load, url: postgres.url })) }));
} finally {
  await postgres.close();
}
