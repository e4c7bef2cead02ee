import { join } from "node:path";
import { connectTo } from "../../adapters/postgres/query.ts";
import { hasPostgres, runningPostgres, startEmbeddedPostgres } from "../../adapters/postgres/server.ts";
import { openStore, type Store } from "../../adapters/postgres/store.ts";

export type Env = Readonly<Record<string, string | undefined>>;

export const noRecords =
  "there are no records here: set DATABASE_URL, or RECTIFY_DATA to the data of a Rectify (the last lab's is .rectify/lab)";

/**
 * The records of a Rectify: `DATABASE_URL`, or the embedded server whose data lies in `RECTIFY_DATA`, which is started
 * for as long as it is read where it does not run; undefined when there are none.
 */
export async function openRecords(env: Env): Promise<Store | undefined> {
  const directory = join(env.RECTIFY_DATA || ".rectify", "postgres");
  const url = env.DATABASE_URL || runningPostgres(directory);
  if (url !== undefined) return openStore(url);
  if (!hasPostgres(directory)) return undefined;
  const server = await startEmbeddedPostgres(directory);
  const stop = async () => ((await isUsedByOthers(server.url)) ? undefined : server.stop());
  const store = await openStore(server.url).catch(async (error) => {
    await stop();
    throw error;
  });
  return {
    ...store,
    close: async () => {
      await store.close();
      await stop();
    },
  };
}

/** A Rectify that started meanwhile uses the same server: it must not go away below its feet. */
async function isUsedByOthers(url: string): Promise<boolean> {
  const database = connectTo(url);
  try {
    const others = `select count(*)::int as others from pg_stat_activity
      where backend_type = 'client backend' and pid <> pg_backend_pid()`;
    const { rows } = await database.query(others);
    return rows[0]?.others > 0;
  } finally {
    await database.close();
  }
}
