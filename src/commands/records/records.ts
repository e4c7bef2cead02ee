import { join } from "node:path";
import { connectTo } from "../../adapters/postgres/query.ts";
import { hasPostgres, runningPostgres, startEmbeddedPostgres } from "../../adapters/postgres/server.ts";
import { recordedRepositories } from "../../adapters/postgres/served.ts";
import { Refused } from "../../ports/errors.ts";
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
  if (url !== undefined) return openStore(await recordsOf(url, env));
  if (!hasPostgres(directory)) return undefined;
  const server = await startEmbeddedPostgres(directory);
  const stop = async () => ((await isUsedByOthers(server.url)) ? undefined : server.stop());
  const store = await recordsOf(server.url, env)
    .then((own) => openStore(own))
    .catch(async (error) => {
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

/** Of several repositories the one that `RECTIFY_REPOSITORY` names alone: never whichever comes first. */
async function recordsOf(url: string, { RECTIFY_REPOSITORY: asked = "" }: Env): Promise<string> {
  const all = await recordedRepositories(url);
  if (all.every(({ isFirst }) => isFirst)) return url;
  const found = all.find(({ name }) => name === asked.trim().toLowerCase());
  if (found !== undefined) return found.url;
  const names = all.map(({ name }) => name).join(", ");
  throw new Refused(`the records of several repositories are here (${names}): name one by --repository owner/name`);
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
