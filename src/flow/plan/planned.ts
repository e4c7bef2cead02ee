import type { Ending } from "../../domain/incident/incident.ts";
import type { Effect, Entry, FileChange, OwnerLink } from "../../domain/kubernetes/manifest-edit.ts";
import type { Remediation } from "../../domain/kubernetes/remediation.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";

/** A remediation with the bytes that carry it and the proof of its effect. */
export interface Plan {
  readonly kind: "change";
  readonly remediation: Remediation;
  /** The workload as the cluster showed it when the change was planned. */
  readonly live: LiveWorkload;
  readonly entry: Entry;
  readonly baseSha: string;
  /** None while it waits for a place, where nothing reads them. */
  files: readonly FileChange[];
  readonly owners: readonly OwnerLink[];
  readonly warnings: readonly string[];
  readonly effect: Effect;
}

export type Planned =
  | Plan
  | {
      readonly kind: "none";
      readonly ending: Extract<Ending, "no-change" | "refused" | "escalated">;
      readonly because: string;
    };
