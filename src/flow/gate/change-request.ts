import type { Evidence } from "../../domain/evidence/evidence.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import type { Remediation } from "../../domain/kubernetes/remediation.ts";
import type { Lease } from "../../domain/proposal/lease.ts";
import type { SecondOpinion } from "../../domain/proposal/body/proposal-body.ts";
import type { RiskInput } from "../../domain/gate/risk.ts";
import type { Rollback } from "../../domain/proposal/rollback.ts";
import type { SelfHealing } from "../../domain/evidence/self-healing.ts";
import type { OutcomeCause, OutcomeOnRecord } from "../../domain/proposal/outcome.ts";

/** Why a change is proposed, and what is known about such changes. */
export interface ChangeRequest {
  readonly incident: Incident;
  readonly evidence: readonly Evidence[];
  readonly cause: OutcomeCause;
  /** What the alert's own history says of firings that nobody did anything about. */
  readonly selfHealing?: SelfHealing | undefined;
  /** The line that the alert's metric crossed. */
  readonly limit?: number | undefined;
  readonly witnesses: RiskInput["witnesses"];
  /** True when only text that users can write supports the cause. */
  readonly taintedOnly: boolean;
  /** Why the opinions ask for a person to merge. */
  readonly needsPerson?: readonly string[];
  readonly secondWitness?: SecondOpinion;
  /** What earlier incidents came to, one inert line each, for people: nothing is judged by them. */
  readonly precedents: readonly string[];
  /** The outcome so far when this is the revert of its change. */
  readonly failed?: OutcomeOnRecord;
  /** The lease that this change ends, or the merged change that a person wants back. */
  readonly lease?: Lease | undefined;
  readonly rollback?: Rollback | undefined;
  /** A remedy is pointless once the alert is gone; a revert is not. */
  readonly closesWhenResolved: boolean;
  /** Nothing of it will be written: the gate says what it would say if it were. */
  readonly hypothetical?: true;
  /** The branch of the open proposal that is planned anew. */
  readonly branch?: string;
}

/** What is changed, by the kind by which the rules of `modes` know it: what reverts something goes by what it reverts. */
export function changeOf(
  { failed, lease, rollback }: Pick<ChangeRequest, "failed" | "lease" | "rollback">,
  { kind, workload }: Pick<Remediation, "kind" | "workload">,
): Pick<Remediation, "kind" | "workload"> {
  return { kind: (failed ?? lease ?? rollback)?.remediation?.kind ?? kind, workload };
}
