import { readFileSync, readlinkSync } from "node:fs";
import { Refused } from "../../ports/errors.ts";
import type { Share } from "./incidents/inbox.ts";
import type { Database, Query } from "./query.ts";

/** A step of a workflow: its place in the order of all, and what it is called. */
export interface RecordedStep {
  readonly number: number;
  readonly name: string;
}

/** Under its own id a workflow is counted where its process ended in a step of it, under this one wherever it was. */
export const takenOver = "/taken-over";

/** Where a process runs, as far as another one there can see whether it still lives. */
export interface Place {
  /** Equal for two processes only if each sees the other's process number; undefined = nobody can tell. */
  readonly space: string | undefined;
  readonly pid: number;
  /** The cluster that it serves. */
  readonly cluster?: string;
}

/** A process that says nothing for so long is gone: its work goes to others. */
const goneAfterMs = 30_000;
// So many workflows more than another one has make a process leave what is new to it: longer than an idle one sleeps.
const mostAhead = 10;
const leaveMs = 2_500;
// For people who look into the table afterwards.
const keepDays = 7;
// A process whose machine died in the middle of such work must not hold the others up for hours.
const longestIdle = "60s";
const aliveMs = 20_000;

/**
 * The processes that share this database. Each has an id of its own for each start, so that nobody can be taken for the
 * one before it.
 */
export function executors(database: Database) {
  const { query } = database;
  return {
    /** Throws `Refused` while one of another cluster works here: each would take up the other's incidents. */
    async joinExecutor(id: string, version: string, { space, pid, cluster }: Place): Promise<void> {
      const text = "insert into executor (id, version, space, pid, cluster) values ($1, $2, $3, $4, $5)";
      await query(text, [id, version, space ?? null, pid, cluster ?? null]);
      const others = `select cluster from executor where id <> $1 and cluster <> $2 and gone_at is null
        and seen_at > now() - $3 * interval '1 millisecond' limit 1`;
      const other: unknown = (await query(others, [id, cluster ?? null, goneAfterMs])).rows[0]?.cluster;
      if (typeof other !== "string") return;
      await query("delete from executor where id = $1", [id]);
      throw new Refused(
        `a Rectify of the cluster ${other} works on this database: give each cluster a database of its own (DATABASE_URL)`,
      );
    },
    /** Says that it lives; false when others took it for gone: then its work is theirs. */
    async beatExecutor(id: string): Promise<boolean> {
      const text = "update executor set seen_at = clock_timestamp() where id = $1 and gone_at is null";
      return (await query(text, [id])).rowCount === 1;
    },
    /**
     * Marks what is gone, and frees the deliveries that it had claimed; answers the ids. `silent` = also what said
     * nothing for `goneAfterMs`: only for who was heard itself meanwhile, because a Postgres that was away silenced all.
     */
    async markGone(id: string, { space, pid }: Place, silent: boolean): Promise<string[]> {
      const dead = await deadBeside(query, id, { space, pid });
      const text = `update executor set gone_at = now() where gone_at is null and id <> $1
        and (id = any($2) or ($3 and seen_at < now() - $4 * interval '1 millisecond')) returning id`;
      const { rows } = await query(text, [id, dead, silent, goneAfterMs]);
      const gone = rows.map((row) => row.id as string);
      if (gone.length > 0) await releaseClaims(query, gone);
      return gone;
    },
    /** It ends in order, with nothing in hand: whoever goes on with its workflows need not suspect them. */
    async leaveExecutor(id: string): Promise<void> {
      const [engine] = (await query("select to_regclass('dbos.workflow_status') as tables")).rows;
      if (engine?.tables != null) {
        const forgive = `update recovery set times = greatest(times - 1, 0) where workflow in
          (select workflow_uuid || suffix from dbos.workflow_status, (values (''), ($2)) as of (suffix)
            where executor_id = $1 and status = 'PENDING')`;
        await query(forgive, [id, takenOver]);
      }
      await query("update executor set gone_at = now() where id = $1 and gone_at is null", [id]);
      await releaseClaims(query, [id]);
      await query(`delete from executor where gone_at < now() - interval '${keepDays} days'`);
    },
    /** True for one living process at a time: what has to be done by one alone is its work. */
    async leadExecutors(id: string): Promise<boolean> {
      const text = `insert into leader (id, executor) values (1, $1)
        on conflict (id) do update set executor = excluded.executor where leader.executor = excluded.executor
          or not exists (select 1 from executor e where e.id = leader.executor and e.gone_at is null)`;
      return (await query(text, [id])).rowCount === 1;
    },
    ...workflows(query),
    ...recoveries(query),
    ...shares(query),
    ...oneAtATime(database),
  };
}

function oneAtATime(database: Database) {
  return {
    /** Runs the work while no other process runs work of this name. */
    alone: async <T>(name: string, work: () => Promise<T>): Promise<T> => {
      for (;;) {
        const done = await database.transaction(async (inside) => {
          // Asked again and again: whoever waits in a statement holds up indexes that are made meanwhile.
          const text = "select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as mine";
          const { rows } = await inside(text, [`rectify/${name}`]);
          // A statement without values ends what the one before still sees: that would hold them up, too.
          await inside(`set local idle_in_transaction_session_timeout = '${longestIdle}'`);
          if (rows[0]?.mine !== true) return undefined;
          // Long work is not idle: only a process that is frozen, or whose machine died, says nothing for so long.
          const alive = setInterval(() => void inside("select 1").catch(() => undefined), aliveMs);
          try {
            return { value: await work() };
          } finally {
            clearInterval(alive);
          }
        });
        if (done !== undefined) return done.value;
        await new Promise((resume) => setTimeout(resume, 100));
      }
    },
  };
}

/** How the work is spread over the processes. */
function shares(query: Query) {
  return {
    /** Of what is due this process takes one part of `living`, and where it is ahead it leaves what is new for a while. */
    async shareOf(id: string): Promise<Share> {
      const living = Number((await query("select count(*) from executor where gone_at is null")).rows[0]?.count ?? 1);
      if (living <= 1) return { living: 1, leaveMs: 0 };
      const text = `select e.id = $1 as own,
          (select count(*)::int from dbos.workflow_status w where w.executor_id = e.id and w.status = 'PENDING') as many
        from executor e where e.gone_at is null`;
      const { rows } = await query(text, [id]);
      const own = rows.find((row) => row.own)?.many ?? 0;
      const least = Math.min(...rows.filter((row) => !row.own).map((row) => row.many));
      return { living, leaveMs: own > least + mostAhead ? leaveMs : 0 };
    },
  };
}

/** Whose the workflows of the engine are: it keeps the id of an executor in each, and nothing on whether it lives. */
function workflows(query: Query) {
  return {
    /** A living process works on workflows of this version. */
    async hasExecutor(version: string): Promise<boolean> {
      return (
        (await query("select 1 from executor where version = $1 and gone_at is null limit 1", [version])).rows.length >
        0
      );
    },
    /** The workflows of this version whose process is gone. */
    async abandonedWorkflows(version: string): Promise<string[]> {
      const text = `select workflow_uuid as id from dbos.workflow_status w
        where status = 'PENDING' and application_version = $1
          and not exists (select 1 from executor e where e.id = w.executor_id and e.gone_at is null)
        order by created_at`;
      return (await query(text, [version])).rows.map((row) => row.id as string);
    },
    /** There are open incidents at whose workflow nobody works: it stopped before its last step, or is not there. */
    async hasStopped(): Promise<boolean> {
      const text = `select 1 from incident i left join dbos.workflow_status w on w.workflow_uuid = i.workflow
        where i.ended_at is null and i.started_at is not null
          and coalesce(w.status, 'ABSENT') not in ('PENDING', 'ENQUEUED') limit 1`;
      return (await query(text)).rows.length > 0;
    },
    /** There are workflows of another version that no living process can go on with. */
    async hasStranded(version: string): Promise<boolean> {
      const text = `select 1 from dbos.workflow_status w
        where status in ('PENDING', 'ENQUEUED') and application_version <> $1
          and not exists (select 1 from executor e where e.version = w.application_version and e.gone_at is null) limit 1`;
      return (await query(text, [version])).rows.length > 0;
    },
  };
}

// In place of a number of steps, which releases before counted under the workflow's own id.
const inStep = -1;

/** Which workflows end their process. */
function recoveries(query: Query) {
  return {
    /** Counts recoveries of a workflow that found the same number of steps as the one before. */
    async recovering(workflow: string, steps: number): Promise<number> {
      const text = `insert into recovery (workflow, steps, times) values ($1, $2, 1)
        on conflict (workflow) do update set steps = excluded.steps,
          times = case when recovery.steps = excluded.steps then recovery.times + 1 else 1 end
        returning times`;
      const { rows } = await query(text, [workflow, steps]);
      return rows[0]?.times ?? 1;
    },
    /** Of this workflow the process is gone: from now on `beginning` counts, until an attempt of a step has ended. */
    async suspect(workflow: string): Promise<void> {
      const text = `insert into recovery (workflow, steps, times) values ($1, ${inStep}, 0)
        on conflict (workflow) do update set steps = ${inStep}, times = 0 where recovery.steps <> ${inStep}`;
      await query(text, [workflow]);
    },
    /** Before an attempt of a step: the how-manieth it is since the workflow is suspected; undefined = it is not. */
    async beginning(workflow: string): Promise<number | undefined> {
      const text = `update recovery set times = times + 1 where workflow = $1 and steps = ${inStep} returning times`;
      return (await query(text, [workflow])).rows[0]?.times;
    },
    /** After an attempt: its process lives. */
    async survived(workflow: string): Promise<void> {
      await query("delete from recovery where workflow = $1", [workflow]);
    },
    /** What the engine has on record of their steps, without what these answered: that may be megabytes. */
    async stepsOf(workflows: readonly string[]): Promise<ReadonlyMap<string, readonly RecordedStep[]>> {
      const text = `select workflow_uuid as id, function_id as number, function_name as name
        from dbos.operation_outputs where workflow_uuid = any($1)`;
      const steps = new Map<string, RecordedStep[]>();
      for (const { id, number, name } of (await query(text, [workflows])).rows) {
        const own = steps.get(id);
        if (own === undefined) steps.set(id, [{ number, name }]);
        else own.push({ number, name });
      }
      return steps;
    },
  };
}

/** Who runs beside us, and is no process any more. */
async function deadBeside(query: Query, id: string, { space, pid }: Place): Promise<string[]> {
  if (space === undefined) return [];
  const text = "select id, pid from executor where gone_at is null and space = $1 and id <> $2";
  const { rows } = await query(text, [space, id]);
  // Our own number under another id is one that ran in this very process before.
  return rows.filter((row) => row.pid === pid || !isRunning(row.pid)).map((row) => row.id as string);
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code !== "ESRCH";
  }
}

async function releaseClaims(query: Query, holders: readonly string[]): Promise<void> {
  const text = `update inbox set claimed_until = now() - interval '1 second'
    where claimed_by = any($1) and outcome is null`;
  await query(text, [holders]);
}

/** This process: two see each other's numbers when they share the boot of a kernel and a PID namespace. */
export function ownPlace(): Place {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return { space: `${boot}/${readlinkSync("/proc/self/ns/pid")}`, pid: process.pid };
  } catch {
    return { space: undefined, pid: process.pid };
  }
}
