import pg from "pg";
import { Unavailable } from "../../ports/errors.ts";

/** Runs one statement with its values; throws `Unavailable` when Postgres is away. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<pg.QueryResult>;

export type Row = pg.QueryResultRow;

/** A pool of connections, which are made when they are needed. */
export function connectTo(url: string): { readonly query: Query; close(): Promise<void> } {
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 2000 });
  // An idle connection that dies must not take the process with it; the next query tells.
  pool.on("error", () => undefined);
  return {
    query: async (text, values = []) =>
      pool.query(text, [...values]).catch((cause) => {
        throw new Unavailable(`Postgres: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      }),
    close: () => pool.end(),
  };
}

/** Connects once and looks whether `openStore` would work; writes nothing. Throws `Unavailable`. */
export async function probeDatabase(url: string): Promise<{ readonly version: string; readonly canCreate: boolean }> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, query_timeout: 5000 });
  client.on("error", () => undefined);
  const text = `select current_setting('server_version') as version,
    has_database_privilege(current_database(), 'create') and has_schema_privilege('public', 'create') as "canCreate"`;
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; canCreate: boolean }>(text);
    return rows[0] ?? { version: "unknown", canCreate: false };
  } catch (cause) {
    throw new Unavailable(`Postgres: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    await client.end().catch(() => undefined);
  }
}
