import type { Incident } from "../../incident/incident.ts";
import type { Lease } from "../lease.ts";
import type { Remediation } from "../../kubernetes/remediation.ts";
import type { Rollback } from "../rollback.ts";
import { workloadKey } from "../../kubernetes/workload.ts";
import { code, minuteOf } from "./words.ts";

/** What a change follows: its alert, the end of a lease, or a person who wants a merged change back. */
export interface ProposalReason {
  readonly incident: Incident;
  readonly remediation: Remediation;
  /** The lease that this change ends. */
  readonly lease?: Lease | undefined;
  /** The merged change that it reverts. */
  readonly rollback?: Rollback | undefined;
  /** Our own change that did not help, which this one reverts. */
  readonly failed?: FailedChange | undefined;
}

/** The pull request that did not help, why that is known, and the metric before and after it. */
export interface FailedChange {
  readonly pull: number;
  readonly because: string;
  readonly before?: number | undefined;
  readonly after?: number | undefined;
}

/** For titles. */
export function shortReason({ incident, lease, rollback }: ProposalReason): string {
  if (lease !== undefined) return `lease of pull request ${lease.pull}`;
  if (rollback !== undefined) return `rollback of pull request ${rollback.pull}`;
  return incident.alert.name;
}

/** For commit messages: the sentence before the cause. */
export function reasonSentence({ incident, remediation, lease, rollback }: ProposalReason): string {
  const key = workloadKey(remediation.workload);
  if (lease !== undefined) return `Ends the lease of pull request ${lease.pull} for ${key}:`;
  if (rollback !== undefined) return `Reverts pull request ${rollback.pull} for ${key}:`;
  return `${incident.alert.name} fires for ${workloadKey(incident.workload)}.`;
}

/** What a change follows that no alert asks for, as Markdown. */
export function renderReason({ incident, remediation, lease, rollback }: ProposalReason): string {
  const key = code(workloadKey(remediation.workload));
  if (lease !== undefined) {
    const { pull, since, expires } = lease;
    return `The lease of #${pull} is over: it scaled ${key} up for ${code(incident.alert.name)}, was verified ${minuteOf(since)} and expired ${minuteOf(expires)}. Nothing stays big by accident: this takes the capacity back. It closes itself when an alert of the workload fires before the merge; \`/reject\` keeps the capacity for good.`;
  }
  if (rollback !== undefined) {
    return `${code(rollback.by)} asked in #${rollback.pull} to revert that change of ${key}, which was made for ${code(incident.alert.name)}. It undoes that field and nothing else; \`/reject\` keeps the change.`;
  }
  return "";
}
