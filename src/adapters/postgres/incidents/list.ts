import type { Ending } from "../../../domain/incident/incident.ts";
import type { Query, Row } from "../query.ts";

/** Which incidents somebody wants to see. Texts are looked for without regard to case. */
export interface IncidentFilter {
  /** `open`, or an ending; absent = every one. */
  readonly state?: string | undefined;
  /** A part of `namespace/Kind/name`. */
  readonly workload?: string | undefined;
  /** The name of the alert that opened it. */
  readonly alert?: string | undefined;
  /** A part of the workload, the alert, the reason of the ending, or a whole Incident-UID. */
  readonly text?: string | undefined;
  /** Opened since then. */
  readonly since?: Date | undefined;
}

/** One line of the list of incidents, without what the workflow holds. */
export interface IncidentLine {
  readonly uid: string;
  readonly workload: string;
  readonly alert: string;
  readonly severity: string;
  /** RFC 3339. */
  readonly openedAt: string;
  readonly endedAt: string | undefined;
  readonly ending: Ending | undefined;
  readonly because: string | undefined;
  /** Its newest pull request. */
  readonly pull: number | undefined;
}

export interface IncidentPage {
  readonly lines: readonly IncidentLine[];
  /** What the next page begins after; undefined when this is the last one. */
  readonly next: string | undefined;
}

/** Lists of incidents: open ones first, each part newest first. */
export function incidentList(query: Query) {
  return {
    /** At most `limit` lines, after the incident `after` of an earlier page. */
    async listIncidents(filter: IncidentFilter, limit: number, after?: string): Promise<IncidentPage> {
      const { where, values } = conditionOf(filter);
      const text = `select uid, workload, document #>> '{alert,name}' as alert, document ->> 'severity' as severity,
          opened_at, ended_at, ending, because,
          (select max(number) from pull_request p where p.incident = incident.uid) as pull
        from incident where ${where}
          and ($${values.length + 1}::text is null or (ended_at is null, opened_at, uid) <
            (select ended_at is null, opened_at, uid from incident where uid = $${values.length + 1}))
        order by (ended_at is null) desc, opened_at desc, uid desc limit $${values.length + 2}`;
      const { rows } = await query(text, [...values, after ?? null, limit + 1]);
      const lines = rows.slice(0, limit).map(lineIn);
      return { lines, next: rows.length > limit ? lines.at(-1)?.uid : undefined };
    },
    /** How many there are of each state, whatever state the filter asks for. */
    async countIncidents(filter: IncidentFilter): Promise<ReadonlyMap<string, number>> {
      const { where, values } = conditionOf({ ...filter, state: undefined });
      const text = `select coalesce(ending, 'open') as state, count(*)::int as count from incident where ${where}
        group by 1 order by 2 desc, 1`;
      const { rows } = await query(text, values);
      return new Map(rows.map((row) => [row.state, row.count]));
    },
    /** The uid of the incident that people mean: its uid, its pull request (`#12`), or a commit that merged or is it. */
    async incidentNamed(name: string): Promise<string | undefined> {
      const [, pull] = /^#?(\d{1,9})$/.exec(name) ?? [];
      const sha = /^[0-9a-f]{7,40}$/i.test(name) ? `${name.toLowerCase()}%` : undefined;
      const text = `select uid from incident where uid = $1
        union all select incident from pull_request where number = $2
        union all (select uid from incident where story ->> 'mergedSha' like $3 or story ->> 'syncedSha' like $3
          or story #>> '{proposal,headSha}' like $3 or story #>> '{revert,mergedSha}' like $3
          order by opened_at desc) limit 1`;
      const { rows } = await query(text, [name, pull === undefined ? null : Number(pull), sha ?? null]);
      return rows[0]?.uid;
    },
  };
}

function conditionOf({ state, workload, alert, text, since }: IncidentFilter) {
  const values: unknown[] = [];
  const value = (given: unknown) => {
    values.push(given);
    return `$${values.length}`;
  };
  const part = (given: string) => `%${given.replace(/[\\%_]/g, "\\$&")}%`;
  const parts: string[] = [];
  if (state === "open") parts.push("ended_at is null");
  else if (state !== undefined) parts.push(`ending = ${value(state)}`);
  if (workload !== undefined) parts.push(`workload ilike ${value(part(workload))}`);
  if (alert !== undefined) parts.push(`document #>> '{alert,name}' = ${value(alert)}`);
  if (since !== undefined) parts.push(`opened_at >= ${value(since)}`);
  if (text !== undefined) {
    const like = value(part(text));
    const whole = value(text);
    parts.push(
      `(workload ilike ${like} or because ilike ${like} or document #>> '{alert,name}' ilike ${like} or uid = ${whole})`,
    );
  }
  return { where: parts.length === 0 ? "true" : parts.join(" and "), values };
}

function lineIn(row: Row): IncidentLine {
  return {
    ...{ uid: row.uid, workload: row.workload, alert: row.alert ?? "", severity: row.severity ?? "none" },
    openedAt: row.opened_at.toISOString(),
    endedAt: row.ended_at?.toISOString(),
    ...{ ending: row.ending ?? undefined, because: row.because ?? undefined, pull: row.pull ?? undefined },
  };
}
