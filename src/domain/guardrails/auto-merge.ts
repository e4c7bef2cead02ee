import type { Guardrails } from "./guardrails.ts";
import type { RequiredCheck } from "./required-check.ts";
import { isInsideWindows, renderWindow } from "./window.ts";

/** What the guardrails, the branch and the clock say at the moment of the merge. */
interface MergeMoment {
  readonly guardrails: Pick<Guardrails, "autoMerge" | "windows" | "windowExemptSeverities">;
  readonly requiredChecks: readonly RequiredCheck[];
  readonly severity: string;
  /** True in Watchtower mode. */
  readonly watching: boolean;
  readonly now: Date;
}

/**
 * What stands against a merge without a person now. The gate asked the same when the change was proposed; since then
 * people may have taken the permission back, and a window may have closed.
 */
export function autoMergeLacksNow({ guardrails, requiredChecks, severity, watching, now }: MergeMoment): string[] {
  const { autoMerge, windows, windowExemptSeverities } = guardrails;
  const inside = isInsideWindows(windows, now) || windowExemptSeverities.includes(severity);
  const fix = "let its protection or a ruleset require one, such as rectify-policy";
  return [
    ...(autoMerge === "low-risk" ? [] : ["the guardrails allow no auto-merge"]),
    ...(inside ? [] : [`outside the windows (${windows.map(renderWindow).join("; ")})`]),
    ...(watching ? ["Watchtower mode: no auto-merge"] : []),
    ...(requiredChecks.length === 0 ? [`the branch requires no check: ${fix}`] : []),
  ];
}
