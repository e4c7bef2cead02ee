import { parsePromql } from "../src/adapters/monitoring/promql.ts";
import type { AlertRule } from "../src/domain/incident/alert-rule.ts";

/** An alerting rule as the adapter reads it. */
export function aRule(name: string, query: string, forMs = 0, changes: Partial<AlertRule> = {}): AlertRule {
  return { name, query, forMs, labels: {}, expression: parsePromql(query), ...changes };
}
