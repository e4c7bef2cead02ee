import type { Rollback } from "../../../domain/proposal/rollback.ts";
import type { RollbackStore } from "../../../ports/records.ts";
import { readable, readDocument, storedRollback, type Unreadable } from "../documents.ts";
import { type Query, storedJson } from "../query.ts";

/** A rollback that has no ending yet, with the workflow that carries it out, if one was started. */
interface OpenRollback {
  readonly rollback: Rollback;
  readonly workflow: string | undefined;
}

export function rollbackStore(query: Query, unreadable: Unreadable) {
  const ask: RollbackStore["ask"] = async (asked) => {
    // The same comment may be heard again: then it is on record already, and that is no refusal.
    const text = `insert into rollback as r (pull, incident, document) values ($1, $2, $3::jsonb || jsonb_build_object(
        'latestPull', (select coalesce(max(number), $1) from pull_request where incident = $2)))
      on conflict (pull) do update set document = excluded.document, workflow = null, ended_at = null, because = null
        where r.ended_at is not null and r.document ->> 'comment' <> excluded.document ->> 'comment'`;
    const { rowCount } = await query(text, [asked.pull, asked.incident.uid, storedJson(asked)]);
    if (rowCount === 1) return true;
    const { rows } = await query("select document ->> 'comment' as comment from rollback where pull = $1", [
      asked.pull,
    ]);
    return rows[0]?.comment === String(asked.comment);
  };
  const end: RollbackStore["end"] = async (pull, because) => {
    await query("update rollback set ended_at = now(), because = $2 where pull = $1 and ended_at is null", [
      pull,
      because,
    ]);
  };
  return {
    rollbacks: { ask, end },
    async openRollbacks(): Promise<OpenRollback[]> {
      const { rows } = await query(
        "select document, version, workflow from rollback where ended_at is null order by pull",
      );
      const read = (row: (typeof rows)[number]) => ({
        rollback: readDocument(storedRollback, row.document, row.version),
        workflow: row.workflow ?? undefined,
      });
      return readable(rows, read, unreadable);
    },
    /** From now on this workflow hears what happens around the pull requests of the incident. */
    async giveRollback(pull: number, workflow: string) {
      await query("update rollback set workflow = $2 where pull = $1", [pull, workflow]);
      const text = "update incident set workflow = $2 where uid = (select incident from rollback where pull = $1)";
      await query(text, [pull, workflow]);
    },
    /** A workflow goes on for this incident: its own, that of its lease, or a rollback. */
    async isAtWork(incident: string): Promise<boolean> {
      const text = `select exists (select 1 from incident where uid = $1 and ended_at is null)
        or exists (select 1 from lease where incident = $1 and ended_at is null and workflow is not null)
        or exists (select 1 from rollback where incident = $1 and ended_at is null and workflow is not null) as busy`;
      return (await query(text, [incident])).rows[0]?.busy === true;
    },
    /** Who sees to what the incident has open: a workflow, now or when the time of its lease is up, or nobody. */
    async followedBy(incident: string): Promise<"somebody" | "nobody" | "nobody, and it changed something"> {
      const text = `select exists (select 1 from incident where uid = $1 and ended_at is null)
          or exists (select 1 from lease where incident = $1 and ended_at is null)
          or exists (select 1 from rollback where incident = $1 and ended_at is null) as followed,
        exists (select 1 from merged_change where incident = $1) as changed`;
      const { followed, changed } = (await query(text, [incident])).rows[0] ?? {};
      if (followed === true) return "somebody";
      return changed === true ? "nobody, and it changed something" : "nobody";
    },
  };
}
