import { soakLoad } from "./soak-load.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * Incident after incident for so long: `npm run -s bench:soak -- [--minutes N] [--every SECONDS]`. The live heap after a
 * forced collection (the lowest of those after each incident: what is still under way is no leak), handles, rows and
 * files each minute; the last line has their slopes an hour. The first fifth is warm-up and does not count.
 */
const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
};
const minutes = option("minutes", 30);
const postgres = await temporaryPostgres("bench-soak");
try {
  const result = await soakLoad({
    url: postgres.url,
    goesOn: (_incidents, sinceMs) => sinceMs < minutes * 60_000,
    everyMs: option("every", 60) * 1_000,
    sampled: (sample) => console.log(JSON.stringify(sample)),
  });
  console.log(JSON.stringify({ minutes, ...result }));
} finally {
  await postgres.close();
}
