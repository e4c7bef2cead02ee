import { endingsWithoutResult, type StillFiring } from "../../../domain/incident/reexamination.ts";
import type { Incident } from "../../../domain/incident/incident.ts";
import type { RemediationKind } from "../../../domain/kubernetes/remediation.ts";
import { readable, readDocument, storedDependencies, storedIncident, type Unreadable } from "../documents.ts";
import type { Query, Row } from "../query.ts";

/** An incident that ended without a result, while an alert of it still fires and nobody else is at work on its workload. */
export interface Unresolved extends StillFiring {
  readonly incident: Incident;
  /** What was told last of when it is examined again. */
  readonly waits: string | undefined;
  /** Set where it was only looked at: it is examined again when that remedy is live there. */
  readonly shadow?: { readonly remedy: RemediationKind | "none"; readonly namespace: string | undefined };
}

// Most of them are not due yet, and one that is may stand behind them. Some two kilobytes each.
const mostLookedAt = 5_000;

/** An alert of this incident fires, as far as is known. */
const fires = (incident: string) =>
  `exists (select 1 from alert where alert.incident = ${incident}.uid and alert.status = 'firing')`;

// A later incident of the workload sees to it while it goes on, and while an alert of its own fires. One that ended, and
// whose alerts are over, says nothing of an alert that began before it.
const isSeenToByAnother = `exists (select 1 from incident j where j.cluster = i.cluster and j.workload = i.workload
            and (j.ended_at is null or j.opened_at > i.opened_at and ${fires("j")}))`;

/** Of an incident `i` that a person must know of: true when another one of its workload says more. */
export const isTakenOver = `exists (select 1 from incident j where j.workload = i.workload and j.opened_at > i.ended_at
            and (j.ended_at is null or ${fires("j")} or not ${fires("i")}))`;

export function reexaminations(query: Query, unreadable: Unreadable) {
  return {
    /** The longest ended first; at the end what waits for its class to be live, which may be for ever. */
    async unresolved(cluster: string): Promise<Unresolved[]> {
      const text = `select document, version, ended_at, examination, depends, waits, ending,
          story #>> '{remediation,kind}' as remedy, story #>> '{remediation,workload,namespace}' as target
        from incident i
        where cluster = $1
          and (ending = any($2) or ending = 'shadow' or ending = 'declined' and story ->> 'closed' = 'shadowed')
          and ${fires("i")}
          and not ${isSeenToByAnother}
        order by ending = 'shadow', ended_at limit $3`;
      return readable(
        (await query(text, [cluster, endingsWithoutResult, mostLookedAt])).rows,
        unresolvedIn,
        unreadable,
      );
    },
    /** What people are told of when it is examined again. */
    async noteWait(uid: string, waits: string) {
      await query("update incident set waits = $2 where uid = $1 and ended_at is not null", [uid, waits]);
    },
    /**
     * Opens an incident again for its examination number `examination`, under this workflow. False when another process
     * was faster, or another incident of the workload is open. What was planned and seen before stays on record.
     */
    async reopenIncident(uid: string, examination: number, workflow: string): Promise<boolean> {
      const before = `${uid}/${examination - 1}`;
      const text = `with reopened as (
          update incident i set ended_at = null, ending = null, because = null, depends = null, waits = null,
            started_at = null, examination = $2, workflow = $3
          where uid = $1 and ended_at is not null and examination = $2 - 1
            and not exists (select 1 from incident j where j.cluster = i.cluster and j.workload = i.workload
              and j.ended_at is null)
          returning uid),
        turn as (update queue set incident = $4, closed_at = coalesce(closed_at, now())
          where incident in (select uid from reopened)),
        seen as (update capsule set incident = $4 where incident in (select uid from reopened))
        select uid from reopened`;
      return (await query(text, [uid, examination, workflow, before])).rowCount === 1;
    },
    /** One line for each of them, for people. */
    async waitsOf(): Promise<string[]> {
      const text = `select uid, workload, ending, waits from incident i where waits is not null and ended_at is not null
          and ${fires("i")}
          and not ${isSeenToByAnother}
        order by ended_at limit 20`;
      const { rows } = await query(text);
      return rows.map(({ uid, workload, ending, waits }) => `${workload} (${uid}) ended with ${ending}: ${waits}`);
    },
  };
}

function unresolvedIn(row: Row): Unresolved {
  const { document, version, ended_at, examination, depends, waits, ending, remedy, target } = row;
  return {
    incident: readDocument(storedIncident, document, version),
    endedAt: (ended_at as Date).toISOString(),
    examination,
    depends: depends === null ? undefined : readDocument(storedDependencies, depends),
    waits: waits ?? undefined,
    ...(ending === "shadow" ? { shadow: { remedy: remedy ?? "none", namespace: target ?? undefined } } : {}),
  };
}
