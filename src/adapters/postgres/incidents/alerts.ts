import type { Alert } from "../../../domain/incident/alert.ts";
import type { Ending } from "../../../domain/incident/incident.ts";
import { readable, readDocument, storedAlert, type Unreadable } from "../documents.ts";
import type { Query, Row } from "../query.ts";

/** What is on record of an alert. Without an incident it was over before anybody saw it fire. */
export interface KnownAlert {
  readonly status: Alert["status"];
  readonly incident:
    | {
        readonly uid: string;
        readonly workflow: string;
        readonly ended: boolean;
        readonly started: boolean;
        readonly ending: Ending | undefined;
      }
    | undefined;
}

/** An alert to put on record, tied to its incident. */
export interface AlertRecord {
  readonly alert: Alert;
  readonly incident: string | undefined;
  /** The alert as it came, where it cannot be stored so. */
  readonly original?: string | undefined;
}

/** What a delivery of an alert told: it is new, it is over now, or nothing new. */
type AlertNews = "new" | "changed" | "known";

/** Alerts as they were delivered, each tied to its incident. One alert is (cluster, fingerprint, startsAt). */
export function alerts(query: Query, unreadable: Unreadable) {
  const read = ({ document, version }: Row) => readDocument(storedAlert, document, version);
  const recordAlerts = (cluster: string, items: readonly AlertRecord[]) => record(query, cluster, items);
  return {
    recordAlerts,
    async recordAlert(alert: Alert, incident: string, cluster: string): Promise<AlertNews> {
      return (await recordAlerts(cluster, [{ alert, incident }]))[0] ?? "known";
    },
    /** What is known of each of them, in their order; undefined for one that was never seen. */
    async knownAlerts(cluster: string, seen: readonly Alert[]): Promise<(KnownAlert | undefined)[]> {
      const text = `select k.n, a.status, i.uid, i.workflow, i.ended_at is not null as ended,
          i.started_at is not null as started, i.ending
        from unnest($2::text[], $3::timestamptz[]) with ordinality as k (fingerprint, starts_at, n)
        join alert a on a.cluster = $1 and a.fingerprint = k.fingerprint and a.starts_at = k.starts_at
        left join incident i on i.uid = a.incident`;
      const keys = keysOf(seen);
      const known: (KnownAlert | undefined)[] = seen.map(() => undefined);
      for (const { n, status, ending, ...row } of (await query(text, [cluster, ...keys])).rows) {
        const { uid, workflow, ended, started } = row;
        const incident = uid === null ? undefined : { uid, workflow, ended, started, ending: ending ?? undefined };
        known[Number(n) - 1] = { status, incident };
      }
      return known;
    },
    /** They fire after all: of their incidents, which go on or are examined again. */
    async fireAgain(cluster: string, seen: readonly Alert[]): Promise<void> {
      const text = `update alert a set status = 'firing', document = k.document
        from unnest($2::text[], $3::timestamptz[], $4::jsonb[]) as k (fingerprint, starts_at, document)
        where a.cluster = $1 and a.fingerprint = k.fingerprint and a.starts_at = k.starts_at`;
      await query(text, [cluster, ...keysOf(seen), seen.map((alert) => JSON.stringify(alert))]);
    },
    /** As if they had never been seen: what they belonged to is over, and they are not. */
    async unseeAlerts(cluster: string, seen: readonly Alert[]): Promise<void> {
      const text = `delete from alert a using unnest($2::text[], $3::timestamptz[]) as k (fingerprint, starts_at)
        where a.cluster = $1 and a.fingerprint = k.fingerprint and a.starts_at = k.starts_at`;
      await query(text, [cluster, ...keysOf(seen)]);
    },
    async firingsSince(fingerprint: string, since: string): Promise<number> {
      const text = "select count(*)::int as count from alert where fingerprint = $1 and starts_at > $2";
      return (await query(text, [fingerprint, since])).rows[0]?.count ?? 0;
    },
    async alertsOf(incident: string): Promise<Alert[]> {
      const text = "select document, version from alert where incident = $1 order by starts_at";
      return readable((await query(text, [incident])).rows, read, unreadable);
    },
    /** What fires by our records, whether its incident has ended or not. */
    async firingAlerts(cluster: string): Promise<Alert[]> {
      const text = "select document, version from alert where cluster = $1 and status = 'firing'";
      return readable((await query(text, [cluster])).rows, read, unreadable);
    },
  };
}

const keysOf = (seen: readonly Alert[]) =>
  [seen.map(({ fingerprint }) => fingerprint), seen.map(({ startsAt }) => startsAt)] as const;

/**
 * The alerts must differ. A late copy of a firing notification changes nothing; an end that another process put on record
 * while the beginning was still being placed belongs to the incident of that beginning.
 */
async function record(query: Query, cluster: string, items: readonly AlertRecord[]): Promise<AlertNews[]> {
  const text = `with given as (
      select * from unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::jsonb[], $7::bytea[])
        with ordinality as item (fingerprint, starts_at, incident, status, document, original, n)),
    written as (
      insert into alert (cluster, fingerprint, starts_at, incident, status, document, original)
      select $1, fingerprint, starts_at, incident, status, document, original from given
      on conflict (cluster, fingerprint, starts_at) do update
        set status = case alert.status when 'resolved' then alert.status else excluded.status end,
          document = case alert.status when 'resolved' then alert.document else excluded.document end,
          incident = coalesce(alert.incident, excluded.incident)
        where alert.status = 'firing' and excluded.status = 'resolved'
          or alert.incident is null and excluded.incident is not null
      returning fingerprint, starts_at, xmax = 0 as inserted)
    select inserted from given left join written using (fingerprint, starts_at) order by n`;
  const { rows } = await query(text, [
    cluster,
    items.map(({ alert }) => alert.fingerprint),
    items.map(({ alert }) => alert.startsAt),
    items.map(({ incident }) => incident ?? null),
    items.map(({ alert }) => alert.status),
    items.map(({ alert }) => JSON.stringify(alert)),
    items.map(({ original }) => (original === undefined ? null : Buffer.from(original))),
  ]);
  return rows.map(({ inserted }) => (inserted === null ? "known" : inserted ? "new" : "changed"));
}
