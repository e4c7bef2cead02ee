import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { discardPostgres, runningPostgres, startEmbeddedPostgres } from "../src/adapters/postgres/server.ts";

/**
 * Ends the server that a killed process left running on this directory, and removes its data, wherever that had to lie: a
 * temporary directory is closed to others, so that as root it lies elsewhere and does not go with it.
 */
export async function clearPostgres(directory: string): Promise<void> {
  if (runningPostgres(directory) !== undefined) await (await startEmbeddedPostgres(directory)).stop();
  discardPostgres(directory);
}

/** A Postgres in a place of its own, which goes with it. */
export async function temporaryPostgres(
  name: string,
  connections?: number,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), `rectify-${name}-`));
  const postgres = await startEmbeddedPostgres(directory, connections);
  return {
    url: postgres.url,
    close: async () => {
      await clearPostgres(directory);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
