import { createHash } from "node:crypto";
import type { Evidence } from "../../domain/evidence/evidence.ts";
import { type Dependencies, silentSources } from "../../domain/incident/reexamination.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { guardrailsPath } from "./load-guardrails.ts";

/** What the outcome of an examination hung on, for another look when it changes. */
export function dependenciesOf(
  evidence: readonly Evidence[],
  head: { readonly sha: string; readonly tree: Tree },
): Dependencies {
  return { silent: silentSources(evidence), revision: head.sha, guardrails: guardrailsHash(head.tree) };
}

/** Empty where there is no guardrails file. */
export function guardrailsHash(tree: Tree): string {
  const bytes = tree.read(guardrailsPath);
  return bytes === undefined ? "" : createHash("sha256").update(bytes).digest("hex");
}
