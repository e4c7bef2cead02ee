import type { Query } from "../query.ts";

/** What we proposed for a workload, and what of it was merged. */
export function ownChanges(query: Query) {
  return {
    async changesSince(workload: string, since: string, exceptIncident: string): Promise<number> {
      const text = `select count(*)::int as count from pull_request p join incident i on i.uid = p.incident
        where i.workload = $1 and p.opened_at > $2 and i.uid <> $3`;
      const { rows } = await query(text, [workload, since, exceptIncident]);
      return rows[0]?.count ?? 0;
    },
    mergesSince: (workload: string, since: string) => mergesSince(query, workload, since),
  };
}

/** By Rectify or by a person. */
async function mergesSince(query: Query, workload: string, since: string): Promise<string[]> {
  // A person's merge has no row of ours before it: the start of its incident stands for it.
  const text = `select a.at from audit a
    join pull_request p on p.number::text = a.detail ->> 'pull' join incident i on i.uid = p.incident
    where a.action = 'merge' and i.workload = $1 and a.at > $2
    union select (document ->> 'startedAt')::timestamptz as at from incident
    where workload = $1 and opened_at > $2 and story ->> 'mergedSha' is not null limit 1000`;
  const { rows } = await query(text, [workload, since]);
  return rows.map(({ at }) => (at as Date).toISOString());
}
