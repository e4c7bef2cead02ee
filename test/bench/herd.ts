import { herdLoad } from "./herd-load.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * A restart with a herd: `npm run -s bench:herd -- [INCIDENTS]`. Five of the incidents have an open pull request, all others
 * wait for a place. Of GitHub's points 900 in a minute are allowed.
 */
const incidents = Number(process.argv[2] ?? 1_000);
const open = 5;
const postgres = await temporaryPostgres("bench-herd");
try {
  const { githubPoints, ...result } = await herdLoad({ url: postgres.url, incidents, open, countedMs: 60_000 });
  console.log(JSON.stringify({ ...result, githubPointsInAMinute: githubPoints }));
  process.exitCode = result.open === open && result.looked >= incidents - open && githubPoints <= 900 ? 0 : 1;
} finally {
  await postgres.close();
}
