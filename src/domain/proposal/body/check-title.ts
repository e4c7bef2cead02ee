import { plainLine } from "./words.ts";

/** What a person decides, in one line for the Check Run. */
export function decisionTitle(
  { level, reasons }: { readonly level: string; readonly reasons: readonly string[] },
  selfMergeLacks: readonly string[],
): string {
  if (selfMergeLacks.length === 0) return `Auto-merge when the required checks are green (risk ${level})`;
  const [worst = ""] = reasons.map((reason) => reason.replace(/^(?:low|medium|high): /, ""));
  const first = /^unproven here: 0 of/.test(worst) ? "first time here" : worst;
  const lacks = selfMergeLacks.find((lack) => !lack.startsWith("risk is ")) ?? `risk is ${level}`;
  const because = level === "low" || first === "" ? lacks : first;
  return `Waiting for an approval: ${plainLine(because)}`;
}

/** The same once it is decided. */
export function settledTitle(state: "merged" | "closed", because: string): string {
  return `${state === "merged" ? "Merged" : "Closed"}: ${plainLine(because)}`;
}
