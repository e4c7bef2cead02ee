import { baseline } from "./baseline.ts";
import type { Database, Query } from "../query.ts";

/** One change of our tables. It leaves standing what the release before reads and writes: both run during an upgrade. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Every change of our tables, in order; the number of each is its place, counted from 1. Only ever append. */
export const migrations: readonly Migration[] = [
  { name: "the tables of release 0.1.0", sql: baseline },
  {
    name: "a version in each stored document",
    sql: ["incident", "alert", "lease", "rollback", "queue", "merged_change"]
      .map((table) => `alter table ${table} add column version int not null default 1;`)
      .join("\n"),
  },
];

// Drawn once for Rectify: whoever holds this lock changes the tables, everybody else waits.
const lock = 7_201_415_033;

/**
 * Brings the tables up to this release, one migration in one transaction. Any number of processes may call it at once.
 * Answers the names of those that it applied. A database of a newer release is left as it is.
 */
export async function migrate(database: Database, all: readonly Migration[] = migrations): Promise<readonly string[]> {
  const applied: string[] = [];
  for (;;) {
    const name = await database.transaction((query) => applyNext(query, all));
    if (name === undefined) return applied;
    applied.push(name);
  }
}

/** The name of the one that was applied; undefined when none was left. */
async function applyNext(query: Query, all: readonly Migration[]): Promise<string | undefined> {
  await query("select pg_advisory_xact_lock($1)", [lock]);
  await query(`create table if not exists migration (
    number int primary key,
    name text not null,
    applied_at timestamptz not null default now())`);
  const { rows } = await query("select coalesce(max(number), 0) as last from migration");
  const last = Number(rows[0]?.last ?? 0);
  const next = all[last];
  if (next === undefined) return undefined;
  await query(next.sql);
  await query("insert into migration (number, name) values ($1, $2)", [last + 1, next.name]);
  return next.name;
}
