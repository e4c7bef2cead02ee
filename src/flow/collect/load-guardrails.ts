import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type LineProblem, readGuardrails } from "../../manifests/repository/guardrails-file.ts";

/** Where people write down what they allow. */
export const guardrailsPath = ".github/rectify.yml";

/** The guardrails of the default branch, or why there are none: then nothing is written. */
export type LoadedGuardrails =
  | { readonly ok: true; readonly value: Guardrails }
  | {
      readonly ok: false;
      /** True when there is no file at all. */
      readonly missing: boolean;
      readonly problems: readonly string[];
    };

/** Reads what people allow. An absent or invalid file allows nothing. */
export function loadGuardrails(tree: Tree): LoadedGuardrails {
  const bytes = tree.read(guardrailsPath);
  if (bytes === undefined) {
    const problem = `${guardrailsPath} is missing on the default branch: add it (rectify config init)`;
    return { ok: false, missing: true, problems: [problem] };
  }
  const read = readGuardrails(bytes);
  return read.ok ? read : { ok: false, missing: false, problems: linesOf(guardrailsPath, read.problems) };
}

/** The problems as lines for people, each with the place in the file. */
export function linesOf(path: string, problems: readonly LineProblem[]): readonly string[] {
  return problems.map(({ line, text }) => `${path}:${line}: ${text}`);
}
