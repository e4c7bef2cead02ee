import { createHash } from "node:crypto";
import type { Alert } from "../../../domain/incident/alert.ts";
import type { Concern } from "../../../domain/incident/incident.ts";
import type { UnplacedAlerts } from "../../../domain/incident/unplaced.ts";
import { type Query, storedJson } from "../query.ts";

const keptDays = 7;
const mostShown = 100;

interface Row {
  readonly fingerprint: string;
  readonly startsAt: string;
  readonly name: string;
  readonly kind: UnplacedAlerts["kind"];
  readonly because: string;
  readonly line: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Alerts that led to no workload, and deliveries that held none: on record, so that nothing is dropped without a word. */
export function unplacedAlerts(query: Query) {
  const record = async (row: Row): Promise<boolean> => {
    const text = `insert into unplaced_alert (fingerprint, starts_at, name, kind, because, line, labels)
      values ($1, $2, $3, $4, $5, $6, $7)
      on conflict (fingerprint, starts_at) do update set kind = excluded.kind, because = excluded.because,
        line = excluded.line, labels = excluded.labels, last_seen = now()
      returning (xmax = 0) as inserted`;
    const { fingerprint, startsAt, name, kind, because, line, labels } = row;
    const values = [fingerprint, startsAt, name, kind, because, line, storedJson(labels)];
    const { rows } = await query(text, values);
    const isNew = rows[0]?.inserted === true;
    if (isNew) await query(`delete from unplaced_alert where last_seen < now() - interval '${keptDays} days'`);
    return isNew;
  };
  return {
    /** True when this firing was not on record before. */
    recordUnplaced: (
      { fingerprint, startsAt, name, labels }: Alert,
      concern: Exclude<Concern, { kind: "workload" | "beside" }>,
    ) =>
      record({
        ...{ fingerprint, startsAt, name, labels, kind: concern.kind, because: concern.because },
        line: concern.kind === "nobody" ? concern.line : "",
      }),
    recordUnreadable: (body: Uint8Array, because: string) =>
      record({
        ...{ fingerprint: createHash("sha256").update(body).digest("hex"), startsAt: "" },
        ...{ name: "(a delivery that could not be read)", kind: "unreadable", because, labels: {} },
        line: "send Alertmanager's webhook of version 4 to /alerts",
      }),
    /** They lead somewhere now. */
    async placed(alerts: readonly Alert[]) {
      if (alerts.length === 0) return;
      const text = `delete from unplaced_alert u using unnest($1::text[], $2::text[]) as p (fingerprint, starts_at)
        where u.fingerprint = p.fingerprint and u.starts_at = p.starts_at`;
      await query(text, [alerts.map(({ fingerprint }) => fingerprint), alerts.map(({ startsAt }) => startsAt)]);
    },
    /** By name, the newest first. */
    async unplaced(): Promise<UnplacedAlerts[]> {
      const newest = (column: string) => `(array_agg(${column} order by last_seen desc))[1] as ${column}`;
      const { rows } = await query(
        `select name, kind, count(*)::int as times, max(last_seen) as seen,
          ${["because", "line", "labels"].map(newest).join(", ")}
        from unplaced_alert group by name, kind order by max(last_seen) desc limit $1`,
        [mostShown],
      );
      return rows.map(({ name, kind, times, because, line, labels, seen }) => ({
        ...{ name, kind, times, because, line, labels, lastSeen: seen.toISOString() },
      }));
    },
  };
}
