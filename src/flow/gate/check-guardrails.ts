import { renderDefaultGuardrails } from "../../domain/guardrails/guardrails.ts";
import { inert } from "../../domain/text/inert.ts";
import { readGuardrails } from "../../manifests/repository/guardrails-file.ts";
import type { GuardrailsHost } from "../../ports/guardrails-host.ts";
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

/** Proposes the file with its defaults, once: it allows nothing yet, and nothing happens before a person merges it. */
export async function proposeGuardrails(host: GuardrailsHost): Promise<void> {
  await host.proposeOnce({
    branch: "rectify/onboarding",
    title: "Add the guardrails of Rectify",
    body: onboarding,
    path: guardrailsPath,
    content: renderDefaultGuardrails(),
  });
}

const onboarding = `Rectify is installed on this repository and does nothing yet: it needs \`${guardrailsPath}\`, where you say what it may do.

- Until this is merged, Rectify writes nothing else here.
- It begins in shadow mode (\`mode: shadow\`): it runs on every alert, writes nothing but the dashboard issue (\`dashboard: false\`: nothing at all), and tells for each incident what it would have done against what people did. \`mode: live\` lets it open pull requests.
- With the defaults it may change no workload: name namespaces under \`namespaces\`, here or later.
- Nothing merges without a person unless you set \`autoMerge\`.

Every field is explained in the file. Close this pull request if you do not want it: it is not opened again.`;
