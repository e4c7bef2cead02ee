import { type Guardrails, renderDefaultGuardrails } from "../../domain/guardrails/guardrails.ts";
import { inert } from "../../domain/text/inert.ts";
import { readGuardrails } from "../../manifests/repository/guardrails-file.ts";
import type { GuardrailsHost, ProposedFile } from "../../ports/guardrails-host.ts";
import { guardrailsPath } from "../collect/load-guardrails.ts";

/** Judges the guardrails as a pull request would have them, before they stop everything on the default branch. */
export async function checkGuardrails(pull: number, host: GuardrailsHost): Promise<void> {
  const file = await host.changedIn(pull, guardrailsPath);
  if (file === undefined) return;
  const read = file.bytes === undefined ? undefined : readGuardrails(file.bytes);
  const problems =
    read === undefined ? [{ line: 1, text: "without this file Rectify writes nothing" }] : read.ok ? [] : read.problems;
  const lines = problems.map(({ line, text }) => `- line ${line}: ${inert(text)}`);
  await host.check(file, {
    path: guardrailsPath,
    conclusion: problems.length === 0 ? "success" : "failure",
    title: problems.length === 0 ? "the guardrails are valid" : `${problems.length} problems in the guardrails`,
    summary:
      problems.length === 0 ? "Rectify can read them." : `Nothing is written while they stand:\n\n${lines.join("\n")}`,
    problems: read === undefined ? [] : problems,
  });
}

/** The guardrails to begin with, and why. */
export interface Fitted {
  readonly namespaces: readonly string[];
  readonly requiredChecks: Guardrails["requiredChecks"];
  /** One sentence each. */
  readonly reasons: readonly string[];
}

/**
 * Proposes the file, once: with its defaults, which allow nothing yet, or with what fits the installation. Nothing happens
 * before a person merges it.
 */
export async function proposeGuardrails(host: GuardrailsHost, fitted: Fitted = nothingFound): Promise<ProposedFile> {
  return host.proposeOnce({
    branch: "rectify/onboarding",
    title: "Add the guardrails of Rectify",
    body: onboarding(fitted),
    path: guardrailsPath,
    content: renderDefaultGuardrails(fitted.namespaces, fitted),
  });
}

const nothingFound: Fitted = { namespaces: [], requiredChecks: [], reasons: [] };

function onboarding({ namespaces, reasons }: Fitted): string {
  const scope =
    namespaces.length === 0
      ? "It names no namespace: shadow mode then looks at all of them. Before you switch anything to `mode: live`, name those whose workloads may be changed under `namespaces`: without that every live change is refused."
      : `Once it is live, it may change workloads in ${namespaces.map((name) => `\`${name}\``).join(", ")}.`;
  const found = reasons.length === 0 ? "" : `\n\nWhat was found:\n\n${reasons.map((line) => `- ${line}`).join("\n")}`;
  return `Rectify is installed on this repository and does nothing yet: it needs \`${guardrailsPath}\`, where you say what it may do.

- Until this is merged, Rectify writes nothing else here.
- It begins in shadow mode (\`mode: shadow\`): it runs on every alert, writes nothing but the dashboard issue (\`dashboard: false\`: nothing at all), and tells for each incident what it would have done against what people did. \`mode: live\` lets it open pull requests.
- ${scope}
- Nothing merges without a person unless you set \`autoMerge\`.${found}

Every field is explained in the file. Close this pull request if you do not want it: it is not opened again.`;
}
