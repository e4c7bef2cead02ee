import { startRectify } from "../../src/main.ts";
import { lineLoad } from "./line-load.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * The overhead from a stored alert to an open pull request, without model and throttle: `npm run -s bench:line -- [RUNS]`.
 */
const runs = Number(process.argv[2] ?? 20);
const postgres = await temporaryPostgres("bench-line-postgres");
try {
  const { endings, ...result } = await lineLoad({ runs, url: postgres.url, start: startRectify });
  console.log(JSON.stringify(result));
  process.exitCode = endings.every((ending) => ending === "declined") ? 0 : 1;
} finally {
  await postgres.close();
}
