import { inert, inertCode } from "../text/inert.ts";
import type { PolicyResult, PolicyVerdict } from "./policy-report.ts";
import type { CheckVerdict } from "../proposal/pull-request.ts";

/** The Check Run of a verdict. No verdict is neutral: a person may still merge, the bot may not. */
export function checkOf(verdict: PolicyVerdict): CheckVerdict {
  const conclusion = { passed: "success", refused: "failure", "not-evaluated": "neutral" } as const;
  return { conclusion: conclusion[verdict.kind], title: titleOf(verdict), summary: renderVerdict(verdict) };
}

/** The verdict as Markdown: what was refused and why, what only warns, what nobody judged. */
export function renderVerdict(verdict: PolicyVerdict): string {
  const warnings = verdict.results.filter((result) => isWarning(result));
  const judged = verdict.results.filter((result) => result.result === "pass").length;
  return [
    `**${titleOf(verdict)}**`,
    ...(verdict.kind === "not-evaluated" ? [`No verdict: ${inertCode(verdict.because)}. A person must merge.`] : []),
    ...(verdict.kind === "refused" ? [listed("Refused", verdict.failures)] : []),
    ...(warnings.length > 0 ? [listed("Shown only", warnings)] : []),
    ...(verdict.notEvaluated.length > 0
      ? [`Not evaluated here:\n\n${verdict.notEvaluated.map((what) => `- ${inertCode(what)}`).join("\n")}`]
      : []),
    `${judged} ${judged === 1 ? "check" : "checks"} passed.`,
  ].join("\n\n");
}

function titleOf(verdict: PolicyVerdict): string {
  switch (verdict.kind) {
    case "passed":
      return verdict.notEvaluated.length > 0 ? "Policies passed, some were not evaluated" : "All policies passed";
    case "refused":
      return inert(`Refused by ${[...new Set(verdict.failures.map((failure) => failure.policy))].join(", ")}`, 200);
    case "not-evaluated":
      return "Policies were not evaluated";
  }
}

function isWarning(result: PolicyResult): boolean {
  return result.result === "warn" || (result.audit && result.result === "fail");
}

function listed(title: string, results: readonly PolicyResult[]): string {
  const lines = results.map(
    ({ policy, object, message }) => `- ${inertCode(policy)} on ${inertCode(object)}: ${inertCode(message)}`,
  );
  return `${title}:\n\n${lines.slice(0, 50).join("\n")}`;
}
