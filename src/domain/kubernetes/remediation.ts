import type { WantedChange } from "./manifest-edit.ts";
import type { Workload } from "./workload.ts";
import { workloadKey } from "./workload.ts";

/** One change of the closed list: the only things the bot may ever do. */
export type RemediationKind = "scale" | "resources" | "image-rollback" | "revert-commit" | "revert";

/** The hunks of one commit, taken out of the files that an entry reads. */
export interface CommitReversal {
  readonly kind: "commit";
  /** Full sha. */
  readonly sha: string;
  /** Which of its hunks: those of the workload and what it stands on, those of the whole entry, or every one. */
  readonly scope: "workload" | "entry" | "all";
  /** Its subject and its author's name, written by others, and the pull request that the subject names. */
  readonly subject?: string | undefined;
  readonly author?: string | undefined;
  readonly pull?: number | undefined;
  /** When it was committed, RFC 3339. */
  readonly at?: string | undefined;
  readonly to: string;
}

/** A field with its wanted value, or a commit to revert. */
export type RemedyChange = WantedChange | CommitReversal;

/** The one change that the workflow is about, with the reason and the arithmetic. */
export interface Remediation {
  readonly kind: RemediationKind;
  readonly workload: Workload;
  readonly change: RemedyChange;
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
    case "commit":
      return reversalTitle(change);
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

/** `Revert commit 6b02dd3 "…" (#123)`. The subject is the text of others: whoever prints it makes it inert. */
function reversalTitle({ sha, subject = "", pull }: CommitReversal): string {
  const said = subject.replace(/\s*\(#\d+\)\s*$/, "").slice(0, 60);
  const quoted = said === "" ? "" : ` "${said}"`;
  return `Revert commit ${sha.slice(0, 7)}${quoted}${pull === undefined ? "" : ` (#${pull})`}`;
}

/** The change that reverts a remediation. One that reversed a commit is itself reversed, by the commit it became. */
export function inverseOf(remediation: Remediation, mergedSha?: string): Remediation {
  const { change, from, to, workload } = remediation;
  if (change.kind === "commit") {
    const sha = mergedSha ?? "";
    const again: CommitReversal = { kind: "commit", sha, scope: "entry", to: from };
    const sizing = [
      `reverts the reversal of commit ${change.sha.slice(0, 7)}: ${workloadKey(workload)} did not recover`,
    ];
    return { kind: "revert", workload, change: again, from: to, to: from, sizing };
  }
  const numeric = Number(from);
  const back: RemedyChange =
    change.kind === "resources" || change.kind === "image-tag" ? { ...change, to: from } : { ...change, to: numeric };
  const sizing = [`back to ${from}, the value before: ${workloadKey(workload)} did not recover`];
  return { kind: "revert", workload, change: back, from: to, to: from, sizing };
}

/** The change that ends the lease of a scale-up: never below the number before it. */
export function loweredLease(remediation: Remediation, to: number, sizing: readonly string[]): Remediation {
  const back = inverseOf(remediation);
  return { ...back, change: { ...back.change, to } as RemedyChange, to: String(to), sizing };
}

/** The reversal of every hunk of the commit, as a person asked for. */
export function wholeCommit(remediation: Remediation, by: string): Remediation {
  const { change } = remediation;
  if (change.kind !== "commit") return remediation;
  return {
    ...remediation,
    change: { ...change, scope: "all" },
    sizing: [...remediation.sizing, `${by} asked for all`],
  };
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
  if (change.kind === "commit" || typeof change.to !== "number") return remediation;
  const sizing = [...remediation.sizing, why];
  return { ...remediation, change: { ...change, to } as WantedChange, to: String(to), sizing };
}

/** The full SHA of the commit that a remediation reverts; undefined where it is none. */
export function revertedBy({ change }: Pick<Remediation, "change">): string | undefined {
  return change.kind === "commit" ? change.sha : undefined;
}
