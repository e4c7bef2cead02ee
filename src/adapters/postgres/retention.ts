import type { Query } from "./query.ts";

const dayMs = 24 * 3_600_000;
// What only the machinery needed. As long as a webhook may come again, and a day more.
const machineryMs = 31 * dayMs;
// What people look up: last year's incident of the same season, too.
const recordsMs = 400 * dayMs;
// One look deletes no more of the engine's workflows than this.
const mostAtOnce = 200;

/**
 * What grows with every incident, and how long it is kept. Incidents with their alerts and merged changes, and the audit,
 * are kept for good: they are what this product must answer for.
 */
export function retention(query: Query) {
  return {
    /** Workflows of the engine that ended long ago, oldest first. */
    async endedWorkflows(now: Date): Promise<string[]> {
      const text = `select workflow_uuid as id from dbos.workflow_status
        where created_at < $1 and updated_at < $1 and status not in ('PENDING', 'ENQUEUED', 'DELAYED')
        order by created_at limit $2`;
      return (await query(text, [now.getTime() - machineryMs, mostAtOnce])).rows.map((row) => row.id as string);
    },
    /** Places in the queue and ticked boxes after a month; events, costs, prompts and capsules after more than a year. */
    async forgetRecords(now: Date): Promise<void> {
      const [machinery, records] = [machineryMs, recordsMs].map((age) => new Date(now.getTime() - age));
      await query("delete from queue where closed_at < $1", [machinery]);
      await query("delete from open_request where at < $1 and verdict is not null", [machinery]);
      await query("delete from event where at < $1", [records]);
      const ended = "select uid from incident where ended_at < $1";
      // They name an incident, or one of its examinations.
      for (const table of ["step_cost", "exchange", "capsule"]) {
        await query(`delete from ${table} where split_part(incident, '/', 1) in (${ended})`, [records]);
      }
      await query(`delete from recovery where split_part(workflow, '/', 1) in (${ended})`, [machinery]);
    },
  };
}
