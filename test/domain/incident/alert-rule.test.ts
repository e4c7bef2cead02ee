import { expect, test } from "vitest";
import { thresholdOf } from "../../../src/domain/incident/alert-rule.ts";

const rule = (query: string) => ({ name: "A", query, forMs: 0 });

test.each([
  ["up < 1", "up", "<", 1],
  ["(a and b > 2) > 0.95", "a", ">", 0.95],
  ["(predict_linear(x[10s], 20) and (min(y) > 0.004)) > 0.95", "predict_linear(x[10s], 20)", ">", 0.95],
  ['rate(x{path="/a and (b"}[5m]) > 3', 'rate(x{path="/a and (b"}[5m])', ">", 3],
  ["(a) / (b) > 0.05", "(a) / (b)", ">", 0.05],
  ["(a unless on(node) down) >= 7", "a", ">=", 7],
  ["sum by (band) (bandwidth) > 1", "sum by (band) (bandwidth)", ">", 1],
])("%s measures %s", (query, measured, comparison, limit) => {
  expect(thresholdOf(rule(query))).toEqual({ query: measured, comparison, limit });
});

test("a rule that compares with no number has no line to cross", () => {
  expect(thresholdOf(rule("absent(up)"))).toBeUndefined();
});
