import type { ManifestEdit, RefusalReason } from "../../domain/kubernetes/manifest-edit.ts";
import { lineOf, type Node } from "../yaml/source.ts";

export type Refusal = Extract<ManifestEdit, { kind: "refused" }>;

/** A refusal; `because` names file and line when there is one. */
export function refused(reason: RefusalReason, because: string, fix: string): Refusal {
  return { kind: "refused", reason, because, fix };
}

/** Git holds what is wanted: another change brought it while this one was made ready, or the cluster runs something else. */
export function alreadySaid(because: string): Refusal {
  const fix = "If another change has just brought it, wait for its sync; otherwise find out what the cluster runs.";
  return refused("ambiguous", because, fix);
}

/** `path:line` of a written node, for people. */
export function whereIs(node: Node): string {
  return node.start < 0 ? node.file.path : `${node.file.path}:${lineOf(node.file.text, node.start)}`;
}
