/** An alerting rule as Prometheus has it loaded. */
export interface AlertRule {
  readonly name: string;
  readonly query: string;
  /** How long the condition must hold before the alert fires. */
  readonly forMs: number;
}

/** A rule's condition split at its last comparison with a plain number: what is measured, and the line it crossed. */
export interface Threshold {
  readonly query: string;
  readonly comparison: ">" | ">=" | "<" | "<=";
  readonly limit: number;
}

/** Splits `expression > 0.5`; undefined when the rule does not end in a comparison with a number. */
export function thresholdOf(rule: AlertRule): Threshold | undefined {
  const match = /^([\s\S]*?)\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*$/i.exec(rule.query.trim());
  if (!match?.[1]) return undefined;
  return { query: match[1], comparison: match[2] as Threshold["comparison"], limit: Number(match[3]) };
}

/** True when the value is on the alerting side of the threshold. */
export function crosses(threshold: Threshold, value: number): boolean {
  switch (threshold.comparison) {
    case ">":
      return value > threshold.limit;
    case ">=":
      return value >= threshold.limit;
    case "<":
      return value < threshold.limit;
    case "<=":
      return value <= threshold.limit;
  }
}
