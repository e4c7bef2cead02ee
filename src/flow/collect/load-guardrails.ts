import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { isInShadow, modeSubject } from "../../domain/guardrails/mode.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import type { Remediation } from "../../domain/kubernetes/remediation.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import type { GitHost } from "../../ports/github.ts";
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
      /** All of it, for a list of lines. */
      readonly problems: readonly string[];
      /** What every step says that may not go on without them. */
      readonly because: string;
    };

// A file may be wrong in every line; who reads a refusal repairs the first ones first.
const toldProblems = 3;

/** Reads what people allow. An absent or invalid file allows nothing. */
export function loadGuardrails(tree: Tree): LoadedGuardrails {
  const bytes = tree.read(guardrailsPath);
  if (bytes === undefined) {
    const problem = `${guardrailsPath} is missing on the default branch: add it (rectify config init)`;
    return { ok: false, missing: true, problems: [problem], because: problem };
  }
  const read = readGuardrails(bytes);
  if (read.ok) return read;
  const problems = linesOf(guardrailsPath, read.problems);
  const more = problems.length > toldProblems ? `; and ${problems.length - toldProblems} more` : "";
  const because = `the guardrails are invalid: ${problems.slice(0, toldProblems).join("; ")}${more}`;
  return { ok: false, missing: false, problems, because };
}

/** The guardrails at the tip of the default branch. */
export async function guardrailsOf({ github }: { readonly github: Pick<GitHost, "head"> }): Promise<LoadedGuardrails> {
  return loadGuardrails((await github.head()).tree);
}

/** Whether a planned change is in shadow mode by the guardrails of now. Throws without an answer. */
export async function isPlanShadowed(
  incident: Pick<Incident, "workload" | "alert">,
  change: Pick<Remediation, "kind" | "workload">,
  ports: { readonly github: Pick<GitHost, "head"> },
): Promise<boolean> {
  return isShadowedBy(await guardrailsOf(ports), incident, change);
}

/** Whether these guardrails put a planned change into shadow mode. */
export function isShadowedBy(
  guardrails: LoadedGuardrails,
  incident: Pick<Incident, "workload" | "alert">,
  change: Pick<Remediation, "kind" | "workload">,
): boolean {
  return guardrails.ok && isInShadow(guardrails.value, modeSubject(incident, change));
}

/** How long a lease lasts; nothing, which is read as the default, where the guardrails cannot be read. */
export function leaseDurationOf(guardrails: LoadedGuardrails): string {
  return guardrails.ok ? guardrails.value.leases.duration : "";
}

/** The problems as lines for people, each with the place in the file. */
export function linesOf(path: string, problems: readonly LineProblem[]): readonly string[] {
  return problems.map(({ line, text }) => `${path}:${line}: ${text}`);
}
