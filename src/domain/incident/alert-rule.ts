/** An alerting rule as Prometheus has it loaded. */
export interface AlertRule {
  readonly name: string;
  readonly query: string;
  /** How long the condition must hold before the alert fires. */
  readonly forMs: number;
  /** What Prometheus itself says of it now: `firing`, `pending` or `inactive`. */
  readonly state?: string | undefined;
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
  return { query: measuredIn(match[1]), comparison: match[2] as Threshold["comparison"], limit: Number(match[3]) };
}

/**
 * The operand whose values a query passes on: the left one of `and` and `unless`. The whole query is empty while its
 * condition does not hold, and an empty answer could not be told from a lost metric.
 */
function measuredIn(query: string): string {
  // Same length, so that positions hold: a bracket or a word inside a string is none.
  const bare = query.replace(/"(?:[^"\\]|\\.)*"/g, (text) => "_".repeat(text.length));
  let depth = 0;
  let firstClose = -1;
  for (let index = 0; index < bare.length; index += 1) {
    if ("([{".includes(bare[index] ?? " ")) depth += 1;
    if (")]}".includes(bare[index] ?? " ")) depth -= 1;
    if (depth === 0 && firstClose < 0) firstClose = index;
    if (depth === 0 && /^\b(?:and|unless)\b/i.test(bare.slice(index)) && /[\s)]$/.test(bare.slice(0, index)))
      return measuredIn(query.slice(0, index).trim());
  }
  const wrapped = bare.startsWith("(") && firstClose === bare.length - 1;
  return wrapped ? measuredIn(query.slice(1, -1).trim()) : query;
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
