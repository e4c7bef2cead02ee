import pg from "pg";
import { storable } from "../../domain/incident/storable.ts";
import { Refused, Unavailable } from "../../ports/errors.ts";

/**
 * Runs one statement with its values. Throws `Unavailable` when Postgres is away and `Refused` when it cannot hold such
 * values.
 */
export type Query = (text: string, values?: readonly unknown[]) => Promise<pg.QueryResult>;

export type Row = pg.QueryResultRow;

export interface Database {
  readonly query: Query;
  /** All of the work or nothing of it. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

// A server that is away refuses at once; one on a busy machine needs its time.
const connectMs = 10_000;
// A server whose machine died says nothing at all: without a look a connection would wait for its answer for ever.
const keepAliveMs = 10_000;
// Far longer than any statement of ours. What takes its time by right, as a migration does, runs in a transaction.
const queryMs = 30_000;

function poolOf(url: string, more: pg.PoolConfig = {}): pg.Pool {
  const keeping = { keepAlive: true, keepAliveInitialDelayMillis: keepAliveMs };
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: connectMs, ...keeping, ...more });
  // An idle connection that dies must not take the process with it; the next query tells.
  pool.on("error", () => undefined);
  return pool;
}

/** The connections of the engine, which makes none that notice a server whose machine died. Whoever asks ends them. */
export function enginePool(url: string): pg.Pool {
  // As the engine sets it on its own, but before the first borrower asks: two questions at once end with pg 9. Not as a
  // parameter of the connection: PgBouncer refuses those that it does not know.
  return poolOf(url, {
    verify: (client, done) => {
      client.query("set idle_in_transaction_session_timeout = 60000").then(() => done(), done);
    },
  });
}

/** A pool of connections, which are made when they are needed. A statement outside of a transaction ends after `mostMs`. */
export function connectTo(url: string, mostMs = queryMs): Database {
  const pool = poolOf(url);
  return {
    query: queryOf(pool, mostMs),
    transaction: async (work) => {
      const client = await pool.connect().catch((cause) => {
        throw translate(cause);
      });
      // As with an idle one: the statement that runs on it fails anyway.
      const ignore = () => undefined;
      client.on("error", ignore);
      let broken = false;
      try {
        const query = queryOf(client);
        await query("begin");
        const answer = await work(query);
        await query("commit");
        return answer;
      } catch (error) {
        broken = await client.query("rollback").then(
          () => false,
          () => true,
        );
        throw error;
      } finally {
        client.off("error", ignore);
        client.release(broken);
      }
    },
    close: () => pool.end(),
  };
}

function queryOf(connection: pg.Pool | pg.PoolClient, mostMs?: number): Query {
  const limit = mostMs === undefined ? {} : { query_timeout: mostMs };
  return async (text, values = []) =>
    connection.query({ text, values: values.map(holdable), ...limit }).catch((cause: unknown) => {
      throw translate(cause);
    });
}

/** True when the same statement may work later: no connection, a server that stops or is full, a conflict. */
function isPassing(cause: unknown): boolean {
  const code = (cause as { code?: unknown } | null)?.code;
  // https://www.postgresql.org/docs/current/errcodes-appendix.html: 22 and 54 are about the values, 23 and 42 about us.
  return typeof code !== "string" || !/^(22|23|42|54)[0-9A-Z]{3}$/.test(code);
}

/** True when the error says itself that the server was away, or that we left it: for those of others, who throw bugs, too. */
export function isAway(cause: unknown): boolean {
  const { code, message = "" } = (cause ?? {}) as { code?: unknown; message?: string };
  if (typeof code === "string") return /^(08|40|53|55|57|58)[0-9A-Z]{3}$|^E[A-Z]+$/.test(code);
  return /connection terminated|timeout exceeded when trying to connect|client has encountered a connection|end on the pool/i.test(
    message,
  );
}

function translate(cause: unknown): Error {
  const message = `Postgres: ${cause instanceof Error ? cause.message : String(cause)}`;
  return isPassing(cause) ? new Unavailable(message, { cause }) : new Refused(message, { cause });
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

/** A document for a column of type jsonb, in which both would be refused as escapes. */
export function storedJson(document: unknown): string {
  return JSON.stringify(document, (_name, value: unknown) => (typeof value === "string" ? storable(value) : value));
}

/** No text with the zero character is worth losing all that stands beside it. */
function holdable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(holdable);
  return typeof value === "string" && value.includes("\u0000") ? storable(value) : value;
}
