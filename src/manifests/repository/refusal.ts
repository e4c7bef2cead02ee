import type { ManifestEdit, RefusalReason } from "../../domain/kubernetes/manifest-edit.ts";
import { lineOf, type Node } from "../yaml/source.ts";

export type Refusal = Extract<ManifestEdit, { kind: "refused" }>;

/** A refusal; `because` names file and line when there is one. */
export function refused(reason: RefusalReason, because: string, cure: string): Refusal {
  return { kind: "refused", reason, because, cure };
}

/** `path:line` of a written node, for people. */
export function whereIs(node: Node): string {
  return node.start < 0 ? node.file.path : `${node.file.path}:${lineOf(node.file.text, node.start)}`;
}
