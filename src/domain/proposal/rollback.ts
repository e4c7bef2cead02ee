import type { Incident } from "../incident/incident.ts";
import type { Effect, ObjectChange } from "../kubernetes/manifest-edit.ts";
import { inverseOf, type Remediation } from "../kubernetes/remediation.ts";
import { mergeCommitOf, type OutcomeOnRecord } from "./outcome.ts";

/** A merged change that a person wants to be reverted. */
export interface Rollback {
  readonly incident: Incident;
  /** What was merged, and the fields that it changed. */
  readonly remediation: Remediation;
  readonly effect: Effect;
  /** The commit that it became; absent where an older version put it on record. */
  readonly mergedSha?: string | undefined;
  /** Its pull request, and the newest one of the incident. */
  readonly pull: number;
  readonly latestPull: number;
  /** Who asked, in which comment. */
  readonly by: string;
  readonly comment: number;
  /** How the incident ended, for the sticky comment. */
  readonly ended: string;
}

/** The part of an outcome that can be reverted. */
type Merged = Pick<Rollback, "remediation" | "effect" | "mergedSha">;

/** What is to be reverted under this pull request, or why nothing can be. `outcome` is undefined while it goes on. */
export function rollbackOf(outcome: OutcomeOnRecord | undefined, pull: number): Merged | string {
  if (outcome === undefined) {
    return "Rectify is still at work on this change: it is reverted automatically if it does not help; ask again at its end";
  }
  const { remediation, effect, proposal, mergedSha, revert } = outcome;
  if (remediation === undefined || effect === undefined || mergedSha === undefined) return "nothing of it was merged";
  if (proposal?.number !== pull) return `only the change of #${proposal?.number ?? 0} itself can be rolled back`;
  if (revert?.mergedSha !== undefined) return `#${revert.proposal?.number ?? 0} reverted it already`;
  if (remediation.change.kind === "commit" && mergeCommitOf(mergedSha).kind === "unknown") {
    return "GitHub did not say which commit it became: revert it by hand";
  }
  // Only a commit is reverted by name: of a field the value before is known.
  return { remediation, effect, ...(remediation.change.kind === "commit" ? { mergedSha } : {}) };
}

/** The change back, with who wants it. */
export function remediationBack({ remediation, by, pull, mergedSha }: Rollback): Remediation {
  return {
    ...inverseOf(remediation, mergedSha),
    sizing: [`back to ${remediation.from}, the value before pull request ${pull}: ${by} asked for it`],
  };
}

/** Why the change back would undo more than what was merged; undefined = it starts from exactly that. */
export function driftOf(merged: Pick<Effect, "changes">, back: Pick<Effect, "changes">): string | undefined {
  const wrote = new Map(merged.changes.map((change) => [fieldOf(change), JSON.stringify(change.to)]));
  const other = back.changes.find((change) => wrote.get(fieldOf(change)) !== JSON.stringify(change.from));
  if (other === undefined) return undefined;
  const written = wrote.get(fieldOf(other)) ?? "nothing";
  return `Git asks for ${JSON.stringify(other.from)} now, and the change wrote ${written}: somebody decided otherwise since`;
}

function fieldOf({ object, field }: ObjectChange): string {
  const { apiVersion, kind, namespace, name } = object;
  return JSON.stringify([apiVersion, kind, namespace, name, field]);
}
