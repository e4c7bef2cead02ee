import type { WantedChange } from "./manifest-edit.ts";
import type { Workload } from "./workload.ts";
import { workloadKey } from "./workload.ts";

/** One change of the closed list: the only things the bot may ever do. */
export type RemediationKind = "scale" | "resources" | "image-rollback" | "revert";

/** The one change that the story is about, with the reason and the arithmetic. */
export interface Remediation {
  readonly kind: RemediationKind;
  readonly workload: Workload;
  readonly change: WantedChange;
  /** The value before, as people read it. */
  readonly from: string;
  readonly to: string;
  /** Why this value: the arithmetic, line by line. */
  readonly sizing: readonly string[];
}

/** One line for titles and logs: `scale web from 2 to 5 replicas`. */
export function renderRemediation(remediation: Remediation): string {
  const { workload, change, from, to, kind } = remediation;
  const verb = kind === "revert" ? "set back" : "scale";
  switch (change.kind) {
    case "replicas":
      return `${verb} ${workload.name} from ${from} to ${to} replicas`;
    case "hpa":
    case "scaled-object":
      return `change ${change.field} of ${workload.name} from ${from} to ${to}`;
    case "resources":
      return `change ${change.field} of ${workload.name} from ${from} to ${to}`;
    case "image-tag":
      return `set the image of ${workload.name} from ${from} to ${to}`;
  }
}

/** The change that takes a remediation back. */
export function inverseOf(remediation: Remediation): Remediation {
  const { change, from, to, workload } = remediation;
  const numeric = Number(from);
  const back: WantedChange =
    change.kind === "resources" || change.kind === "image-tag" ? { ...change, to: from } : { ...change, to: numeric };
  const sizing = [`back to ${from}, the value before: ${workloadKey(workload)} did not recover`];
  return { kind: "revert", workload, change: back, from: to, to: from, sizing };
}

/** The change that ends the lease of a scale-up: never below the number before it. */
export function loweredLease(remediation: Remediation, to: number, sizing: readonly string[]): Remediation {
  const back = inverseOf(remediation);
  return { ...back, change: { ...back.change, to } as WantedChange, to: String(to), sizing };
}

/** The same remedy with the number that a person asked for. */
export function scaledTo(remediation: Remediation, replicas: number, by: string): Remediation {
  return withNumber(remediation, replicas, `${by} asked for ${replicas}`);
}

/** The same remedy with the number that the policies let pass, and what they said to the wanted one. */
export function loweredTo(remediation: Remediation, replicas: number, because: string): Remediation {
  return withNumber(remediation, replicas, because);
}

function withNumber(remediation: Remediation, to: number, why: string): Remediation {
  const { change } = remediation;
  if (typeof change.to !== "number") return remediation;
  const sizing = [...remediation.sizing, why];
  return { ...remediation, change: { ...change, to } as WantedChange, to: String(to), sizing };
}
