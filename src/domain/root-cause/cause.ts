import type { RemediationKind } from "../kubernetes/remediation.ts";
import type { Workload } from "../kubernetes/workload.ts";
import type { CauseName } from "./changes/cause-names.ts";

/** The closed list of causes. */
export type CauseKind =
  | "saturated"
  | "saturation-predicted"
  | "cpu-throttled"
  | "out-of-memory"
  | "bad-change"
  | "quota-exhausted"
  | "downstream"
  | "autoscaler-at-max"
  /** The trouble arises in the workload, and nothing measured says why. */
  | "degraded"
  /** Only its callers see the workload slow or failing: the trouble lies between them. */
  | "link"
  /** Pods, events or logs name it, and no field of Git is its remedy. */
  | "cluster-condition";

/** One possible cause. The sentence holds no text of others: names of objects, numbers and commit ids only. */
export interface Cause {
  /** Unique among the causes of one diagnosis. */
  readonly id: string;
  readonly kind: CauseKind;
  /** What people call it; absent = what its kind is called, see `nameOf`. */
  readonly name?: CauseName | undefined;
  /** Where the remedy goes: not always the workload that the alert is about. */
  readonly workload: Workload;
  readonly sentence: string;
  /** 0 to 1; lowered by each source that gave no answer. */
  readonly confidence: number;
  /** Ids of the evidence that shows it. */
  readonly citing: readonly string[];
  /** What could help, best first; empty = nothing that Rectify may change. */
  readonly remedies: readonly RemediationKind[];
  /** Full sha, where a commit caused it. */
  readonly commit?: string | undefined;
  /** It lies in another workload, and no call from the alerting one to it was seen, though calls were. */
  readonly stranger?: true;
}

/** The cause that the decision leans on, with the confidence of all opinions together. */
export interface Decided {
  readonly causeId: string;
  readonly confidence: number;
}

/** The causes as people see them everywhere: the decided one first, with the number that the decision used. */
export function asDecided(causes: readonly Cause[], decided: Decided | undefined): readonly Cause[] {
  const chosen = causes.find(({ id }) => id === decided?.causeId);
  if (chosen === undefined || decided === undefined) return causes;
  return [{ ...chosen, confidence: decided.confidence }, ...causes.filter((cause) => cause !== chosen)];
}

/** A cause before its confidence is lowered by what is missing, unless it was measured with as little. */
export type Draft = Omit<Cause, "id"> & { readonly measured?: true };
