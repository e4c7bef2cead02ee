import type { Alert } from "../../../domain/incident/alert.ts";
import { readable, readDocument, storedAlert, type Unreadable } from "../documents.ts";
import type { Query, Row } from "../query.ts";

/** Alerts as they were delivered, each tied to its incident. */
export function alerts(query: Query, unreadable: Unreadable) {
  const read = ({ document, version }: Row) => readDocument(storedAlert, document, version);
  return {
    /** Records what is known of an alert; "new" only for the first delivery of (fingerprint, startsAt). */
    async recordAlert(alert: Alert, incident: string): Promise<"new" | "changed" | "known"> {
      const text = `insert into alert (fingerprint, starts_at, incident, status, document) values ($1, $2, $3, $4, $5)
        on conflict (fingerprint, starts_at) do update set status = excluded.status, document = excluded.document
        where alert.status = 'firing' and excluded.status = 'resolved'
        returning (xmax = 0) as inserted`;
      const values = [alert.fingerprint, alert.startsAt, incident, alert.status, JSON.stringify(alert)];
      const { rows } = await query(text, values);
      if (rows.length === 0) return "known";
      return rows[0].inserted ? "new" : "changed";
    },
    /** The incident that already holds this very alert, ended or not. */
    async incidentOfAlert(
      fingerprint: string,
      startsAt: string,
    ): Promise<{ uid: string; workflow: string; ended: boolean } | undefined> {
      const text = `select i.uid, i.workflow, i.ended_at is not null as ended from alert a join incident i on i.uid = a.incident
        where a.fingerprint = $1 and a.starts_at = $2`;
      const { rows } = await query(text, [fingerprint, startsAt]);
      return rows[0];
    },
    async firingsSince(fingerprint: string, since: string): Promise<number> {
      const text = "select count(*)::int as count from alert where fingerprint = $1 and starts_at > $2";
      return (await query(text, [fingerprint, since])).rows[0]?.count ?? 0;
    },
    async alertsOf(incident: string): Promise<Alert[]> {
      const { rows } = await query("select document, version from alert where incident = $1 order by starts_at", [
        incident,
      ]);
      return readable(rows, read, unreadable);
    },
    async firingAlerts(): Promise<Alert[]> {
      const text =
        "select a.document, a.version from alert a join incident i on i.uid = a.incident where a.status = 'firing' and i.ended_at is null";
      const { rows } = await query(text);
      return readable(rows, read, unreadable);
    },
  };
}
