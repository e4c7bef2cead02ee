import type { Incident } from "../../domain/incident/incident.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import type { Cause } from "../../domain/root-cause/cause.ts";
import type { Ports } from "../../ports/ports.ts";

/** The causes of an incident, less those that other incidents account for. */
interface Considered {
  /** Best first. */
  readonly causes: readonly Cause[];
  /** What was set aside and why, a sentence each. */
  readonly aside: readonly string[];
  /** The incident (its uid) that is at work on the workload of a cause. */
  incidentOf(cause: Cause): string | undefined;
}

/**
 * Other workloads that alert are at work already, each in its own incident. Where nobody saw a call to one of them, its
 * trouble says nothing about this one. What is called may well be the cause, and its own incident changes it.
 */
export async function consider(
  ranked: readonly Cause[],
  { workload, cluster }: Incident,
  { records }: Pick<Ports, "records">,
): Promise<Considered> {
  const home = workloadKey(workload);
  const others = new Set(ranked.map((cause) => workloadKey(cause.workload)).filter((key) => key !== home));
  const open = others.size === 0 ? [] : await records.openIncidents(cluster, [...others]);
  const uids = new Map(open.map(({ incident }) => [workloadKey(incident.workload), incident.uid]));
  const incidentOf = (cause: Cause) => uids.get(workloadKey(cause.workload));
  const isAside = (cause: Cause) => cause.stranger === true && incidentOf(cause) !== undefined;
  return {
    causes: ranked.filter((cause) => !isAside(cause)),
    aside: ranked.filter(isAside).map((cause) => {
      const { kind, name } = cause.workload;
      return `${kind} ${name} was set aside: no call from ${workload.name} to it was seen, and it has an incident of its own (${incidentOf(cause)})`;
    }),
    incidentOf,
  };
}
