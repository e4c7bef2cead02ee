import { createHash } from "node:crypto";
import { Refused } from "../../ports/errors.ts";
import { connectTo, type Database, type Query } from "./query.ts";
import { migrate } from "./schema/migrations.ts";

/** A repository that this installation serves, or served. */
export interface ServedRepository {
  /** `owner/name`, in lower case: GitHub tells no case apart. */
  readonly name: string;
  /** The address of the database that holds its records, and no others. */
  readonly url: string;
  /** Its records are in the database that the settings name, as those of a single repository are. */
  readonly isFirst: boolean;
  /** For which it was served last; undefined = nobody said so yet. */
  readonly cluster?: string;
}

/** All that this database knows, and those of the list in its order. */
export interface Served {
  readonly asked: readonly ServedRepository[];
  /** Those of our cluster that left the list. */
  readonly others: readonly ServedRepository[];
  /** Those of another cluster, or of nobody knows which. */
  readonly foreign: readonly ServedRepository[];
}

/** Who asks for repositories: what another cluster's Rectify has on record here is never ours to end. */
interface Asking {
  readonly names: readonly string[];
  readonly cluster: string;
}

interface Row {
  readonly name: string;
  /** Null = the database that the settings name. */
  readonly database: string | null;
  readonly cluster: string | null;
}

/**
 * The databases of the repositories: one of them may have the database that the settings name, each other has one of its
 * own beside it. The name decides and not its place in the list. One repository alone has what is there once it has
 * claimed it. Throws `Refused` when nobody can tell whose the records there are, or a database cannot be made.
 */
export async function servedRepositories(url: string, { names, cluster }: Asking): Promise<Served> {
  const database = connectTo(url);
  try {
    await migrate(database);
    const asking = { names: names.map(lower), cluster };
    const places = (await database.transaction((query) => rowsFor(database, query, asking))).map((row) =>
      placeOf(url, row),
    );
    const asked = asking.names.flatMap((name) => places.find((place) => place.name === name) ?? []);
    const left = places.filter((place) => !asked.includes(place));
    const isOurs = (place: ServedRepository) => place.cluster === cluster;
    return { asked, others: left.filter(isOurs), foreign: left.filter((place) => !isOurs(place)) };
  } finally {
    await database.close();
  }
}

/**
 * Puts on record that the database is that of this one repository. Where it holds the records of another name they are
 * taken over only if `isRenamed` says that this is its new name; else throws `Refused`: workflows of one repository must
 * not go on in another.
 */
export async function claimRecords(
  url: string,
  { name, cluster }: { readonly name: string; readonly cluster: string },
  isRenamed: (former: string) => Promise<boolean>,
): Promise<void> {
  const database = connectTo(url);
  try {
    const here = (await recorded(database.query)).find((row) => row.database === null)?.name;
    const former = here === lower(name) ? undefined : here;
    if (former !== undefined && (await hasRecords(database.query)) && !(await isRenamed(former)))
      throw new Refused(
        `this database holds the records of ${former}, and GitHub does not say that ${name} is its new name: give ${name} a database of its own (DATABASE_URL), or list both (RECTIFY_REPOSITORY=${former},${name})`,
      );
    await database.transaction(async (query) => {
      await query("lock table served_repository in share row exclusive mode");
      if (former !== undefined) await query("delete from served_repository where name = $1", [former]);
      const text = `insert into served_repository (name, database, cluster) values ($1, null, $2)
        on conflict (name) do update set cluster = excluded.cluster`;
      await query(text, [lower(name), cluster]);
    });
  } finally {
    await database.close();
  }
}

/** The same for who only reads: nothing is made, and a name that is not on record has no place. */
export async function recordedRepositories(url: string): Promise<readonly ServedRepository[]> {
  const database = connectTo(url);
  try {
    const { rows } = await database.query("select to_regclass('served_repository') as there");
    return rows[0]?.there === null ? [] : (await recorded(database.query)).map((row) => placeOf(url, row));
  } finally {
    await database.close();
  }
}

const lower = (name: string) => name.toLowerCase();

async function recorded(query: Query): Promise<Row[]> {
  return (await query("select name, database, cluster from served_repository order by name")).rows as Row[];
}

async function rowsFor(database: Database, query: Query, { names, cluster }: Asking): Promise<readonly Row[]> {
  await query("lock table served_repository in share row exclusive mode");
  const before = await recorded(query);
  // Whether the records are those of this name is asked of GitHub first.
  if (names.length === 1 && before.every((row) => row.database === null))
    return names.map((name) => ({ name, database: null, cluster }));
  if (before.length === 0 && (await hasRecords(query)))
    throw new Refused(
      "this database holds the records of one repository, and does not say of which: start once with RECTIFY_REPOSITORY naming that one alone, then with all of them",
    );
  for (const name of names) {
    if (before.some((row) => row.name === name)) {
      await query("update served_repository set cluster = $2 where name = $1", [name, cluster]);
      continue;
    }
    const { rows } = await query("select current_database() as base");
    const own = databaseOf(String(rows[0]?.base), name);
    // On a connection of its own: no transaction makes a database.
    await create(database, own);
    await query("insert into served_repository (name, database, cluster) values ($1, $2, $3)", [name, own, cluster]);
  }
  return recorded(query);
}

async function hasRecords(query: Query): Promise<boolean> {
  const text = "select exists (select 1 from incident) or exists (select 1 from audit) as there";
  return (await query(text)).rows[0]?.there === true;
}

// Postgres cuts longer names, silently.
const longestName = 63;

function databaseOf(base: string, name: string): string {
  const hash = createHash("sha256").update(name).digest("hex").slice(0, 10);
  const words = `${base}_${name}`.toLowerCase().replace(/[^a-z0-9]+/g, "_");
  return `${words.slice(0, longestName - hash.length - 1)}_${hash}`;
}

function placeOf(url: string, { name, database, cluster }: Row): ServedRepository {
  const of = { name, ...(cluster === null ? {} : { cluster }) };
  if (database === null) return { ...of, url, isFirst: true };
  const own = new URL(url);
  own.pathname = `/${database}`;
  return { ...of, url: own.href, isFirst: false };
}

const alreadyThere = "42P04";
const notAllowed = "42501";

async function create({ query }: Database, name: string): Promise<void> {
  const { rows } = await query("select 1 from pg_database where datname = $1", [name]);
  if (rows.length > 0) return;
  // The name is our own: letters, digits and underscores.
  await query(`create database "${name}"`).catch((error: Error) => {
    const code = (error.cause as { code?: unknown } | undefined)?.code;
    if (code === alreadyThere) return;
    if (code !== notAllowed) throw error;
    throw new Refused(
      `each of several repositories has a database of its own, and the user of DATABASE_URL may not create one: let a superuser run \`create database ${name} owner …\` for that user, or \`alter role … createdb\``,
      { cause: error },
    );
  });
}

/** True while a process that works on this database gave a sign of life lately. */
export async function isWorkedOn(query: Query): Promise<boolean> {
  const text = "select 1 from executor where gone_at is null and seen_at > now() - interval '30 seconds' limit 1";
  return (await query(text)).rows.length > 0;
}

/** How many workflows the engine would go on with here; none where it never began. */
export async function workflowsInFlight(query: Query): Promise<number> {
  const there = (await query("select to_regclass('dbos.workflow_status') as there")).rows[0]?.there;
  if (typeof there !== "string") return 0;
  const text = "select count(*)::int as n from dbos.workflow_status where status in ('PENDING', 'ENQUEUED')";
  return Number((await query(text)).rows[0]?.n ?? 0);
}

/** Whether the user of this address may create databases. */
export async function mayCreateDatabases(url: string): Promise<boolean> {
  const { query, close } = connectTo(url);
  try {
    const { rows } = await query("select rolcreatedb or rolsuper as may from pg_roles where rolname = current_user");
    return rows[0]?.may === true;
  } finally {
    await close();
  }
}

/** How many connections the server of this address gives to users at most. */
export async function connectionsAllowed(url: string): Promise<number> {
  const { query, close } = connectTo(url);
  try {
    const text = `select sum(case when name = 'max_connections' then setting::int else -setting::int end)::int as n
      from pg_settings where name in ('max_connections', 'superuser_reserved_connections', 'reserved_connections')`;
    return Number((await query(text)).rows[0]?.n);
  } finally {
    await close();
  }
}
