import { type Workload, workloadKey } from "../kubernetes/workload.ts";
import type { Alert, SeenAlert } from "./alert.ts";
import type { Concern } from "./incident.ts";

/** An alert that fires now, and whom it concerns. */
export interface ActiveAlert {
  readonly alert: SeenAlert;
  readonly concern: Concern;
}

/**
 * Does the incident still fire? Any of its alerts counts, by its name and workload and not by its fingerprint alone: a
 * new pod has a new fingerprint. One that somebody silenced fires all the same. Undefined = nobody knows, which is never
 * a no.
 */
export function firing(
  { workload, alerts }: { readonly workload: Workload; readonly alerts: readonly Alert[] },
  active: readonly ActiveAlert[] | undefined,
): boolean | undefined {
  if (active === undefined) return undefined;
  const fingerprints = new Set(alerts.map(({ fingerprint }) => fingerprint));
  const isAlike = alikeTo(alerts);
  const alike = active.filter(({ alert }) => isAlike(alert));
  const isOurs = ({ alert, concern }: ActiveAlert) =>
    fingerprints.has(alert.fingerprint) || concerns(concern, workload);
  if (alike.some(isOurs)) return true;
  return alike.some(({ concern }) => concern.kind === "unknown") ? undefined : false;
}

/** May this be one of them, or the same about another pod? Of others nobody has to ask whom they concern. */
export function alikeTo(alerts: readonly Alert[]): (alert: Alert) => boolean {
  const fingerprints = new Set(alerts.map(({ fingerprint }) => fingerprint));
  const names = new Set(alerts.map(({ name }) => name));
  return ({ name, fingerprint }) => names.has(name) || fingerprints.has(fingerprint);
}

/** Does any alert fire for one of these workloads, of which people want to be told? Undefined = nobody knows. */
export function firesForAny(
  workloads: readonly Workload[],
  seen: readonly ActiveAlert[] | undefined,
): boolean | undefined {
  const active = seen?.filter(({ alert }) => alert.muted !== true);
  if (active === undefined) return undefined;
  if (active.some(({ concern }) => workloads.some((workload) => concerns(concern, workload)))) return true;
  return active.some(({ concern }) => concern.kind === "unknown") ? undefined : false;
}

/** Whoever sees to it: while it fires its workload is not well. */
function concerns(concern: Concern, workload: Workload): boolean {
  const about = "workload" in concern ? concern.workload : undefined;
  return about !== undefined && workloadKey(about) === workloadKey(workload);
}
