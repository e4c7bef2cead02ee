import type { RevertedChange } from "../../../domain/gate/repetition.ts";
import type { Reserved } from "../../../domain/remedy/cost.ts";
import type { Lease } from "../../../domain/proposal/lease.ts";
import { workloadKey } from "../../../domain/kubernetes/workload.ts";
import type { MergedChanges, LeaseStore } from "../../../ports/records.ts";
import { readable, readDocument, storedLease, storedRemedy, type Unreadable } from "../documents.ts";
import { type Query, type Row, storedJson } from "../query.ts";

/** A lease whose time is up, with the workflow that looks at it, if one was started. */
interface DueLease {
  readonly lease: Lease;
  readonly workflow: string | undefined;
}

export function leaseStore(query: Query, unreadable: Unreadable) {
  const read = ({ document, version }: Row) => readDocument(storedLease, document, version);
  const begin: LeaseStore["begin"] = async (lease) => {
    const text = "insert into lease (incident, document, expires) values ($1, $2, $3) on conflict do nothing";
    await query(text, [lease.incident.uid, storedJson(lease), lease.expires]);
  };
  const renew: LeaseStore["renew"] = async (incident, renewal) => {
    const text = `update lease set document = document || $2, expires = $3, workflow = null
      where incident = $1 and ended_at is null`;
    await query(text, [incident, storedJson(renewal), renewal.expires]);
  };
  const end: LeaseStore["end"] = async (incident, because) => {
    const text = "update lease set ended_at = now(), because = $2 where incident = $1 and ended_at is null";
    await query(text, [incident, because]);
  };
  const running: LeaseStore["running"] = async () => {
    const { rows } = await query("select document, version from lease where ended_at is null order by expires");
    return readable(rows, read, unreadable);
  };
  return {
    leases: { begin, renew, end, running },
    async dueLeases(now: Date): Promise<DueLease[]> {
      const text = `select document, version, workflow from lease
        where ended_at is null and expires <= $1 order by expires`;
      const { rows } = await query(text, [now]);
      return readable(rows, (row) => ({ lease: read(row), workflow: row.workflow ?? undefined }), unreadable);
    },
    /** From now on this workflow hears what happens around the pull requests of the lease. */
    async giveLease(incident: string, workflow: string) {
      await query("update lease set workflow = $2 where incident = $1", [incident, workflow]);
      await query("update incident set workflow = $2 where uid = $1", [incident, workflow]);
    },
    /** The workflow that looks at a lease of this workload (`namespace/Kind/name`) now. */
    async leaseWorkflowOf(workload: string): Promise<string | undefined> {
      const text = `select workflow from lease where ended_at is null and workflow is not null
        and concat_ws('/', document #>> '{incident,workload,namespace}', document #>> '{incident,workload,kind}',
          document #>> '{incident,workload,name}') = $1`;
      const { rows } = await query(text, [workload]);
      return rows[0]?.workflow;
    },
    /** The lease of an incident, and why it ended; undefined when there never was one. */
    async leaseOf(incident: string): Promise<{ lease: Lease; ended: string | undefined } | undefined> {
      const { rows } = await query("select document, version, because from lease where incident = $1", [incident]);
      return rows[0] && { lease: read(rows[0]), ended: rows[0].because ?? undefined };
    },
  };
}

export function mergedChanges(query: Query, unreadable: Unreadable): { readonly changes: MergedChanges } {
  return {
    changes: {
      record: async ({ pull, incident, workload, reserved, mergedAt, remedy }) => {
        const text = `insert into merged_change (pull, incident, workload, namespace, reserved, merged_at, remedy)
          values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`;
        const [more, what] = [reserved, remedy].map((value) => (value === undefined ? null : storedJson(value)));
        await query(text, [pull, incident, workloadKey(workload), workload.namespace, more, mergedAt, what]);
      },
      revertedChanges: async (workload, since) => {
        const text = `select c.remedy, c.pull, c.merged_at, b.pull as back, b.merged_at as back_at
          from merged_change b join merged_change c on c.pull = (b.remedy ->> 'takesBack')::int
          where b.workload = $1 and b.merged_at > $2 and c.remedy is not null order by b.merged_at desc limit 50`;
        const { rows } = await query(text, [workload, since]);
        const attempt = (row: Row): RevertedChange => ({
          ...{ remedy: readDocument(storedRemedy, row.remedy), pull: row.pull, mergedAt: row.merged_at.toISOString() },
          ...{ back: row.back, backAt: row.back_at.toISOString() },
        });
        return readable(rows, attempt, unreadable);
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
