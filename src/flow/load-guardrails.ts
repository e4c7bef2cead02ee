import { type Guardrails, parseGuardrails } from "../domain/guardrails.ts";
import type { Tree } from "../domain/tree.ts";
import { parseYaml } from "../manifests/yaml.ts";

/** Where people write down what they allow. */
export const guardrailsPath = ".github/rectify.yml";

/** The guardrails of the default branch, or why there are none: then nothing is written. */
export type LoadedGuardrails =
  | { readonly ok: true; readonly value: Guardrails }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads what people allow. An absent or invalid file allows nothing. */
export function loadGuardrails(tree: Tree): LoadedGuardrails {
  const bytes = tree.read(guardrailsPath);
  if (bytes === undefined) {
    return {
      ok: false,
      problems: [`${guardrailsPath} is missing on the default branch: add it (rectify config init)`],
    };
  }
  const parsed = parseYaml(new TextDecoder().decode(bytes));
  if (!parsed.ok) return { ok: false, problems: [`${guardrailsPath}: ${parsed.problem}`] };
  const read = parseGuardrails(parsed.value);
  return read.ok ? read : { ok: false, problems: read.problems.map((problem) => `${guardrailsPath}: ${problem}`) };
}
