import { baseline } from "./baseline.ts";
import type { Database, Query } from "../query.ts";

/** One change of our tables. It leaves standing what the release before reads and writes: both run during an upgrade. */
interface Migration {
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
  {
    name: "deliveries are claimed, put off and parked one by one",
    // Their tries counted looks, at fifty at once.
    sql: `
      alter table inbox add column urgency smallint not null default 0;
      alter table inbox add column due_at timestamptz not null default now();
      alter table inbox add column delays int not null default 0;
      alter table inbox add column problem text;
      alter table inbox add column claimed_by text;
      alter table inbox add column claimed_until timestamptz;
      alter table inbox add column in_hand boolean not null default false;
      alter table inbox add column replayed_at timestamptz;
      update inbox set tries = 0 where outcome is null or outcome like 'parked%';
      create index inbox_urgent on inbox (kind, urgency, id desc) where outcome is null;
      create index inbox_parked on inbox (id) where outcome like 'parked%';`,
  },
  {
    name: "the cluster is part of what an alert and an incident are known by",
    // Release 0.1.0 cannot write beside this one: its Deployment stopped one process before it started the next.
    sql: `
      alter table incident add column cluster text;
      update incident set cluster = document ->> 'cluster';
      alter table incident alter column cluster set not null;
      alter table incident add column started_at timestamptz;
      update incident set started_at = opened_at where ended_at is not null;
      drop index incident_open;
      create unique index incident_open on incident (cluster, workload) where ended_at is null;
      create index incident_unstarted on incident (opened_at) where ended_at is null and started_at is null;
      alter table alert add column cluster text;
      alter table alert add column original bytea;
      update alert set cluster = (select i.cluster from incident i where i.uid = alert.incident);
      alter table alert alter column cluster set not null;
      alter table alert alter column incident drop not null;
      alter table alert drop constraint alert_pkey;
      alter table alert add primary key (cluster, fingerprint, starts_at);
      create index alert_incident on alert (incident);
      create index alert_firing on alert (cluster) where status = 'firing';`,
  },
  {
    name: "a row that is written to see that rows can be written",
    sql: "create table heartbeat (id int primary key, at timestamptz not null);",
  },
  {
    name: "an incident that ended without a result is examined again",
    sql: `
      alter table incident add column examination int not null default 1;
      alter table incident add column depends jsonb;
      alter table incident add column waits text;`,
  },
  {
    name: "alerts that lead to no workload",
    sql: `create table unplaced_alert (
        fingerprint text not null,
        starts_at text not null,
        name text not null,
        kind text not null,
        because text not null,
        line text not null,
        labels jsonb not null,
        last_seen timestamptz not null default now(),
        primary key (fingerprint, starts_at));
      create index unplaced_seen on unplaced_alert (last_seen);`,
  },
  {
    name: "any number of processes share the work",
    sql: `
      create table executor (
        id text primary key,
        version text not null,
        space text,
        pid int not null,
        started_at timestamptz not null default now(),
        seen_at timestamptz not null default now(),
        gone_at timestamptz);
      create index executor_live on executor (version) where gone_at is null;
      create table leader (id int primary key check (id = 1), executor text not null);`,
  },
  {
    name: "all processes keep one pace at GitHub",
    sql: `
      create table github_pace (
        id int primary key check (id = 1),
        next_write_at timestamptz not null default now(),
        spent_until timestamptz not null default now(),
        silent_until timestamptz not null default now());
      insert into github_pace (id) values (1);`,
  },
  {
    name: "what a merged change did, and what it took back",
    sql: "alter table merged_change add column remedy jsonb;",
  },
  {
    name: "incidents are listed page by page",
    sql: `
      create index incident_listed on incident ((ended_at is null), opened_at, uid);
      create index incident_alert on incident ((document #>> '{alert,name}'));
      create index incident_ending on incident (ending);
      create index pull_request_incident on pull_request (incident, number);
      create index audit_incident on audit (incident, id);`,
  },
  {
    name: "up to when something was looked through",
    sql: "create table look (what text primary key, until timestamptz not null);",
  },
  {
    name: "one database serves one cluster",
    sql: "alter table executor add column cluster text;",
  },
  {
    name: "what the guardrails last said about writing",
    sql: `create table last_modes (
      only_one boolean primary key default true check (only_one),
      modes jsonb not null);`,
  },
  {
    name: "which repository has which database",
    // Null = this one. Only one repository can have it.
    sql: `
      create table served_repository (name text primary key, database text unique);
      create unique index served_here on served_repository ((database is null)) where database is null;`,
  },
  {
    name: "which cluster a repository is served for",
    // Null = nobody said so yet.
    sql: "alter table served_repository add column cluster text",
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
