import { expect, test } from "vitest";
import { ruleFor } from "../../../src/domain/incident/alert-rule.ts";
import { anAlert } from "../../builders.ts";
import { aRule } from "../../rule.ts";

const rule = (query: string, labels: Record<string, string> = {}) => aRule("A", query, 0, { labels });
const alert = (labels: Record<string, string>, generatorUrl = "") => anAlert({ name: "A", labels, generatorUrl });

test("of several rules of one name it is the one whose labels fit", () => {
  const rules = [rule("x < 0.03", { severity: "critical" }), rule("x < 0.15", { severity: "warning" })];
  expect(ruleFor(alert({ severity: "warning", namespace: "shop" }), rules)).toMatchObject({
    kind: "rule",
    rule: { query: "x < 0.15" },
  });
});

test("more labels in common count, and templates fit anything", () => {
  const rules = [
    rule("fast", { severity: "critical", long: "1h", who: "{{ $labels.team }}" }),
    rule("slow", { severity: "critical", long: "6h" }),
    rule("any", { severity: "critical" }),
  ];
  const firing = alert({ severity: "critical", long: "6h", who: "me" });
  expect(ruleFor(firing, rules)).toMatchObject({ rule: { query: "slow" } });
});

test("where the labels do not tell, the alert's own link does", () => {
  const rules = [rule("x > 1"), rule("y > 1")];
  expect(ruleFor(alert({}, "http://prometheus/graph?g0.expr=y+%3E+1&g0.tab=1"), rules)).toMatchObject({
    rule: { query: "y > 1" },
  });
  expect(ruleFor(alert({}), rules)).toMatchObject({ kind: "none", because: expect.stringContaining("2 rules") });
});

test("no rule of that name, or none that fits, is said", () => {
  expect(ruleFor(alert({}), [])).toMatchObject({ kind: "none", because: expect.stringContaining("no rule") });
  expect(ruleFor(alert({ severity: "info" }), [rule("x > 1", { severity: "critical" })])).toMatchObject({
    kind: "none",
    because: expect.stringContaining("no rule of that name fit"),
  });
});
