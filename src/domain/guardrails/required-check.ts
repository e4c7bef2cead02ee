import type { Guardrails } from "./guardrails.ts";

/** A check that the branch's protection asks for, as it stands on one commit. */
export interface RequiredCheck {
  readonly name: string;
  readonly state: CheckState;
  /**
   * What each App said under this name, where the protection names no App; `state` is `pending` then: anyone who may
   * report a check could have said it.
   */
  readonly byApp?: readonly { readonly app: number; readonly state: CheckState }[] | undefined;
}

export type CheckState = "passed" | "failed" | "pending";

/** Where the protection names no App, the guardrails do; where neither does, the check never passes. */
export function trustedChecks(
  checks: readonly RequiredCheck[],
  { requiredChecks }: Pick<Guardrails, "requiredChecks">,
): readonly RequiredCheck[] {
  return checks.map(({ name, state, byApp }) => {
    if (byApp === undefined) return { name, state };
    const expected = requiredChecks.find((check) => check.name === name);
    if (expected === undefined) {
      return {
        name: `${name}: name its App in the branch protection or in requiredChecks (guardrails)`,
        state: "pending",
      };
    }
    return { name, state: byApp.find(({ app }) => app === expected.app)?.state ?? "pending" };
  });
}
