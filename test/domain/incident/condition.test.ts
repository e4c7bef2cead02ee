import { expect, test } from "vitest";
import { parsePromql } from "../../../src/adapters/monitoring/promql.ts";
import { conditionOf, crosses, renderThreshold, sourceQuery } from "../../../src/domain/incident/condition.ts";
import { narrowedTo } from "../../../src/domain/incident/expression.ts";

function conditionIn(query: string) {
  const expression = parsePromql(query);
  if (expression === undefined) throw new Error(`no query of Prometheus: ${query}`);
  return conditionOf({ query, expression });
}

test.each([
  ["up < 1", "up", "< 1", true],
  ["(up) < (1)", "up", "< 1", true],
  ["1 > up", "up", "< 1", true],
  ["up == 0", "up", "== 0", true],
  ["up != 1", "up", "!= 1", true],
  ["(a and b > 2) > 0.95", "a", "> 0.95", false],
  ["(predict_linear(x[10s], 20) and (min(y) > 0.004)) > 0.95", "predict_linear(x[10s], 20)", "> 0.95", false],
  ['rate(x{path="/a and (b"}[5m]) > 3', 'rate(x{path="/a and (b"}[5m])', "> 3", true],
  ["(a) / (b) > 0.05", "(a) / (b)", "> 0.05", true],
  ["(a unless on(node) down) >= 7", "a", ">= 7", false],
  ["sum by (band) (bandwidth) > 1", "sum by (band) (bandwidth)", "> 1", true],
  ["x > (25 / 100)", "x", "> 0.25", true],
  ["x < -(2)", "x", "< -2", true],
  ["x > 4 * 24 * 3600", "x", "> 345600", true],
  ["x > vector(2)", "x", "> 2", true],
  ["x > 1e3", "x", "> 1000", true],
  ["time() - x > 12h", "time() - x", "> 43200", true],
  ["x / y > 0.9 < 1", "x / y", "> 0.9 and < 1", true],
  ["x > 1 and x < 5", "x", "> 1 and < 5", true],
  ["(x) < 1 or x > 5", "x", "< 1 or > 5", true],
  ["a > 0.1 and on(service) b > 0.1", "a", "> 0.1", false],
  ["sum(slow1h) > (14.4 * 0.5) and sum(slow5m) > (14.4 * 0.5)", "sum(slow1h)", "> 7.2", false],
  ["a > 2 unless on(pod) b == 1", "a", "> 2", false],
  ["# why\nx\n  > 3 # because", "x", "> 3", true],
])("%s measures %s", (query, measured, line, exact) => {
  const condition = conditionIn(query);
  expect(condition.threshold?.query).toBe(measured);
  expect(condition.threshold && renderThreshold(condition.threshold)).toBe(line);
  expect(condition.exact).toBe(exact);
});

test.each([
  "absent(up)",
  "a > b",
  "a == bool 1",
  "(a == b) and on(x) (c != d)",
  "sum(x > 5)",
  "a and b",
  "changes(a[5m])",
  "x < -2 ^ 2",
])("%s has no number of its own: the query is the measure", (query) => {
  expect(conditionIn(query)).toMatchObject({ query, exact: false });
  expect(conditionIn(query).threshold).toBeUndefined();
});

test.each(["x >", "x +* 1", "sum by (", "", "x{a=b}", 'x{a="b"'])("%s is no query", (query) => {
  expect(parsePromql(query)).toBeUndefined();
});

test("a band is crossed on both sides, or between its lines", () => {
  const outside = conditionIn("x < 1 or x > 5").threshold;
  const inside = conditionIn("x > 0.9 < 1").threshold;
  expect([0, 3, 6].map((value) => outside && crosses(outside, value))).toEqual([true, false, true]);
  expect([0.5, 0.95, 1].map((value) => inside && crosses(inside, value))).toEqual([false, true, false]);
});

test("the job is the scrape job of what is measured first", () => {
  expect(conditionIn('max_over_time(x{job="kube-state-metrics"}[5m]) >= 1').job).toBe("kube-state-metrics");
  expect(conditionIn("x > 1").job).toBeUndefined();
  expect(sourceQuery("ksm", "shop")).toContain('namespace!="shop"');
});

test.each([
  ["up", 'up{cluster="eu"}'],
  ["up{}", 'up{cluster="eu"}'],
  ['rate(x{a="b"}[5m]) / sum(y)', 'rate(x{cluster="eu",a="b"}[5m]) / sum(y{cluster="eu"})'],
  ['x{cluster="us"} > 1', 'x{cluster="us"} > 1'],
  ['{__name__=~"a|b"}', '{cluster="eu",__name__=~"a|b"}'],
])("%s is narrowed to one cluster", (query, narrowed) => {
  const expression = parsePromql(query);
  expect(expression && narrowedTo(query, expression, "cluster", "eu")).toBe(narrowed);
  expect(parsePromql(narrowed)).toBeDefined();
});

test.each<[string, readonly string[] | undefined]>([
  ["(predict_linear(x[10s], 20) and (min(y) > 0.004)) > 0.95", ["predict_linear(x[10s], 20)", "min(y)"]],
  ["a > 2 unless on(pod) b == 1", ["a"]],
  ["a > b", ["a", "b"]],
  ["a / b > c and a / b > d", ["a / b", "c", "d"]],
  ["absent(up)", ["absent(up)"]],
  ["x > 5", undefined],
  [["a", "b", "c", "d", "e", "f", "g"].map((name) => `${name} > 1`).join(" and "), undefined],
])("%s combines its parts", (query, parts) => {
  expect(conditionIn(query).parts).toEqual(parts);
});
