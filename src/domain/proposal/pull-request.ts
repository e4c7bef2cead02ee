import type { Incident } from "../incident/incident.ts";
import type { RequiredCheck } from "../guardrails/required-check.ts";

/** A pull request about to be opened: everything in it, decided by code. */
export interface ProposalDraft {
  readonly incident: string;
  readonly branch: string;
  readonly baseSha: string;
  readonly title: string;
  readonly body: string;
  readonly labels: readonly string[];
  readonly commitMessage: string;
  /** Null = the file goes. */
  readonly files: readonly { readonly path: string; readonly content: string | null }[];
  /** The commit that is reverted: its author is asked for a review. */
  readonly takesBack?: string | undefined;
  /** Whom the guardrails name for a review, and to whom it is assigned. */
  readonly asks?: AskedPeople | undefined;
  /** The effect hash that approvals bind to. */
  readonly effect: string;
  /** The six lines by which it is decided: the sticky comment repeats them. */
  readonly head?: string | undefined;
  /** First text of the sticky comment. */
  readonly report: string;
  readonly check: CheckVerdict;
  /** Pull requests up to this number are settled: none of them is this one again. */
  readonly after?: number | undefined;
}

/** Logins, and teams as organisation/team. */
interface AskedPeople {
  readonly reviewers: readonly string[];
  readonly teams: readonly string[];
  readonly assignees: readonly string[];
}

/** Our own Check Run on the head of the proposal. */
export interface CheckVerdict {
  readonly conclusion: "success" | "neutral" | "failure";
  readonly title: string;
  readonly summary: string;
  /** Where more is to be seen. */
  readonly details?: string;
}

/** Our pull request: number, head, effect. */
export interface Proposal {
  readonly number: number;
  readonly url: string;
  readonly branch: string;
  readonly headSha: string;
  readonly effect: string;
  /** What the commit on the default branch will say, trailers included. */
  readonly commitMessage: string;
  readonly files: readonly string[];
  readonly labels: readonly string[];
  /** Absent in what an older version put on record. */
  readonly head?: string | undefined;
  /** Our Check Run on it, and the Markdown below its title. Absent in what an older version put on record. */
  readonly checkRun?: { readonly id: number; readonly summary: string } | undefined;
  /** RFC 3339. */
  readonly openedAt?: string;
}

/** The state of a proposal as the code host sees it now. */
export interface ProposalFacts {
  readonly state: "open" | "closed" | "merged";
  readonly headSha: string;
  /** The commit on the default branch, once merged. */
  readonly mergedSha: string | undefined;
  readonly requiredChecks: readonly RequiredCheck[];
  /** Checks that failed although nothing requires them. */
  readonly failedChecks?: readonly string[] | undefined;
  /** Conflicts with the base; undefined while the code host is still computing. */
  readonly conflicting: boolean | undefined;
  readonly place: PullPlace;
  /** The branch must hold the newest commit of its base before it may be merged, and does not. */
  readonly behind?: boolean | undefined;
  /** Where it stands in the merge queue, in words; undefined = it is not in one. */
  readonly queued?: string | undefined;
  /** Who merged it, where that was no person. */
  readonly mergedBy?: string | undefined;
}

/** From where to where a pull request leads, and whether it may be merged at all: people can change each of them. */
export interface PullPlace {
  readonly base: string;
  readonly branch: string;
  readonly draft: boolean;
  /** The branch that our proposals are for: a merge into another one is not what anybody approved. */
  readonly defaultBranch: string;
}

/** What somebody changed about where our proposal leads; empty = it stands as we opened it. */
export function displacements({ base, branch, draft, defaultBranch }: PullPlace, ours: string): string[] {
  return [
    ...(base === defaultBranch ? [] : [`the base ${defaultBranch} (it was changed to ${base})`]),
    ...(branch === ours ? [] : [`the branch ${ours} (it was changed to ${branch})`]),
    ...(draft ? ["an end of the draft state"] : []),
  ];
}

/**
 * Merged, or a state that stands in the way. "Not yet" is never retried in a hurry; `overtaken` = somebody else merged
 * in the same moment, and the next look asks again.
 */
export type MergeAnswer =
  | { readonly kind: "merged"; readonly sha: string }
  | { readonly kind: "overtaken"; readonly because: string }
  | { readonly kind: "moved"; readonly because: string }
  | { readonly kind: "not-yet"; readonly because: string };

/** The label of every proposal of ours. */
export const ownLabel = "rectify";

/** The label of a proposal that reverts a commit. */
export const revertLabel = "revert-commit";

/** The command that names what is proposed: its rule holds for every approval of it, by whatever word. */
export function approvalWord({ labels }: Pick<Proposal, "labels">): "approve-scale" | "approve-revert" {
  return labels.includes(revertLabel) ? "approve-revert" : "approve-scale";
}

/** The name of our Check Run. */
export const checkName = "rectify";

/** The trailer that ties a commit of ours to its incident. */
export function incidentTrailer(uid: string): string {
  return `Incident-UID: ${uid}`;
}

/** The trailers of our commit, by which it is recognised later. */
export function trailersOf(
  incident: Incident,
  effect: string,
  { reverts, lease }: { readonly reverts: string | undefined; readonly lease: string | undefined },
): string {
  const lines = [incidentTrailer(incident.uid), `Effect: ${effect}`];
  if (reverts !== undefined) lines.push(`Reverts-Commit: ${reverts}`);
  if (lease !== undefined) lines.push(`Lease-Expires: ${lease}`);
  return lines.join("\n");
}

/** Reads one trailer of a commit message; undefined when it is not in the last paragraph. */
export function readTrailer(message: string, name: string): string | undefined {
  const last =
    message
      .trimEnd()
      .split(/\n\s*\n/)
      .at(-1) ?? "";
  const line = last.split("\n").find((text) => text.startsWith(`${name}: `));
  return line?.slice(name.length + 2).trim();
}

/** The line of the body that ties a proposal to its incident. */
export function incidentLine(uid: string): string {
  return `Incident-UID: \`${uid}\``;
}

/** The incident that a body names; undefined where it names none, or more than one. */
export function incidentIn(body: string): string | undefined {
  const named = new Set([...body.matchAll(/Incident-UID: `([^`\n]+)`/g)].map(([, uid]) => uid));
  const [uid] = named;
  return named.size === 1 ? uid : undefined;
}

/** Hidden first line of the sticky comment. Found again only in comments that our own App wrote. */
export const stickyMarker = "<!-- rectify:report -->";
