import type { Reserved } from "../../../domain/remedy/cost.ts";
import type { Lease } from "../../../domain/proposal/lease.ts";
import { workloadKey } from "../../../domain/kubernetes/workload.ts";
import type { ChangeBook, LeaseBook } from "../../../ports/records.ts";
import type { Query } from "../query.ts";

/** Scale-ups with an expiry, and the changes of ours that were merged. */
export const leaseSchema = `
  create table if not exists lease (
    incident text primary key,
    document jsonb not null,
    expires timestamptz not null,
    workflow text,
    ended_at timestamptz,
    because text);
  create table if not exists merged_change (
    pull int primary key,
    incident text not null,
    workload text not null,
    namespace text not null,
    reserved jsonb,
    merged_at timestamptz not null,
    settled boolean not null default false);
  create index if not exists merged_change_workload on merged_change (workload, merged_at);
`;

/** A lease whose time is up, with the workflow that looks at it, if one was started. */
export interface DueLease {
  readonly lease: Lease;
  readonly workflow: string | undefined;
}

export function leaseBook(query: Query) {
  const begin: LeaseBook["begin"] = async (lease) => {
    const text = "insert into lease (incident, document, expires) values ($1, $2, $3) on conflict do nothing";
    await query(text, [lease.incident.uid, JSON.stringify(lease), lease.expires]);
  };
  const renew: LeaseBook["renew"] = async (incident, renewal) => {
    const text = `update lease set document = document || $2, expires = $3, workflow = null
      where incident = $1 and ended_at is null`;
    await query(text, [incident, JSON.stringify(renewal), renewal.expires]);
  };
  const end: LeaseBook["end"] = async (incident, because) => {
    const text = "update lease set ended_at = now(), because = $2 where incident = $1 and ended_at is null";
    await query(text, [incident, because]);
  };
  const running: LeaseBook["running"] = async () => {
    const { rows } = await query("select document from lease where ended_at is null order by expires");
    return rows.map((row) => row.document);
  };
  return {
    leases: { begin, renew, end, running },
    async dueLeases(now: Date): Promise<DueLease[]> {
      const text = "select document, workflow from lease where ended_at is null and expires <= $1 order by expires";
      const { rows } = await query(text, [now]);
      return rows.map((row) => ({ lease: row.document, workflow: row.workflow ?? undefined }));
    },
    /** From now on this workflow hears what happens around the pull requests of the lease. */
    async giveLease(incident: string, workflow: string) {
      await query("update lease set workflow = $2 where incident = $1", [incident, workflow]);
      await query("update incident set workflow = $2 where uid = $1", [incident, workflow]);
    },
    /** The story that looks at a lease of this workload (`namespace/Kind/name`) now. */
    async leaseWorkflowOf(workload: string): Promise<string | undefined> {
      const text = `select workflow from lease where ended_at is null and workflow is not null
        and concat_ws('/', document #>> '{incident,workload,namespace}', document #>> '{incident,workload,kind}',
          document #>> '{incident,workload,name}') = $1`;
      const { rows } = await query(text, [workload]);
      return rows[0]?.workflow;
    },
    /** The lease of an incident, and why it ended; undefined when there never was one. */
    async leaseOf(incident: string): Promise<{ lease: Lease; ended: string | undefined } | undefined> {
      const { rows } = await query("select document, because from lease where incident = $1", [incident]);
      return rows[0] && { lease: rows[0].document, ended: rows[0].because ?? undefined };
    },
  };
}

export function changeBook(query: Query): { readonly changes: ChangeBook } {
  return {
    changes: {
      record: async ({ pull, incident, workload, reserved, mergedAt }) => {
        const text = `insert into merged_change (pull, incident, workload, namespace, reserved, merged_at)
          values ($1, $2, $3, $4, $5, $6) on conflict do nothing`;
        const document = reserved === undefined ? null : JSON.stringify(reserved);
        await query(text, [pull, incident, workloadKey(workload), workload.namespace, document, mergedAt]);
      },
      reservedIn: async (namespace) => {
        const { rows } = await query("select reserved from merged_change where namespace = $1 and not settled", [
          namespace,
        ]);
        return rows.map((row): Reserved | undefined => row.reserved ?? undefined);
      },
      settle: async (incident) => {
        await query("update merged_change set settled = true where incident = $1", [incident]);
      },
    },
  };
}
