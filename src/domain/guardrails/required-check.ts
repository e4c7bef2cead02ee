import type { Guardrails } from "./guardrails.ts";

/** A check that the branch's protection asks for, as it stands on one commit. */
export interface RequiredCheck {
  readonly name: string;
  /** By our own, stricter rule: only the success of the expected App counts. */
  readonly state: CheckState;
  /** As the code host counts it for a merge: there neutral and skipped are enough. Absent = as by our own rule. */
  readonly counted?: CheckState | undefined;
  /**
   * What each App said under this name, where the protection names no App; `state` is `pending` then: anyone who may
   * report a check could have said it.
   */
  readonly byApp?: readonly { readonly app: number; readonly state: CheckState }[] | undefined;
  /** Why it cannot be known, where it cannot. */
  readonly because?: string | undefined;
}

export type CheckState = "passed" | "failed" | "pending";

/** The worst of what was said; nothing said is pending. */
export function worstOf(states: readonly CheckState[]): CheckState {
  if (states.includes("failed")) return "failed";
  return states.length === 0 || states.includes("pending") ? "pending" : "passed";
}

/** The name under which our own policy gate runs as a workflow of the repository. */
const policyGate = "rectify-policy";

/**
 * Where the protection names no App, the guardrails do; where neither does, the check never passes by itself. What the
 * guardrails name, and our own policy gate, must be green for a person's merge too.
 */
export function trustedChecks(
  checks: readonly RequiredCheck[],
  { requiredChecks }: Pick<Guardrails, "requiredChecks">,
): readonly RequiredCheck[] {
  return checks.map((check) => {
    const expected = requiredChecks.find(({ name }) => name === check.name);
    const trusted = check.byApp === undefined ? check : trustedBy(check, expected?.app);
    const { name, state, counted = state, because } = trusted;
    const strict = expected !== undefined || check.name === policyGate;
    if (!strict || counted === "failed" || state === "passed") return { name, state, counted, because };
    return { name, state, counted: "pending", because: state === "failed" ? "skipped or neutral" : because };
  });
}

function trustedBy(check: RequiredCheck, app: number | undefined): RequiredCheck {
  const { name, counted, byApp = [], because } = check;
  if (app === undefined) {
    const fix = "name its App in the branch protection or in requiredChecks (guardrails)";
    return { name, state: "pending", counted, because: because ?? fix };
  }
  return { name, state: byApp.find((one) => one.app === app)?.state ?? "pending", counted, because };
}
