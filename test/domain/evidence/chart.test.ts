import fc from "fast-check";
import { expect, test } from "vitest";
import { renderChart } from "../../../src/domain/evidence/chart.ts";
import { points } from "../incident/incident-fixture.ts";

const chart = (values: readonly number[], more: { title?: string; unit?: string; limit?: number } = {}) =>
  renderChart({
    title: "p95 latency of web",
    unit: "seconds",
    series: { labels: {}, points: points(values) },
    ...more,
  });

test("draws the series, its time and the limit", () => {
  expect(chart([0.1, 0.2, 1.5], { limit: 0.5 })).toBe(
    [
      "```mermaid",
      "xychart-beta",
      '    title "p95 latency of web"',
      '    x-axis "minutes before 2026-01-02 10:02 UTC" -2 --> 0',
      '    y-axis "seconds" 0 --> 1.575',
      "    line [0.1, 0.2, 1.5]",
      "    line [0.5, 0.5, 0.5]",
      "```",
    ].join("\n"),
  );
});

test.each([
  ["no points", []],
  ["one point", [1]],
  ["nothing but gaps", [Number.NaN, Number.NaN, Number.NaN]],
])("is left out with %s", (_, values) => expect(chart(values)).toBeUndefined());

test("shows a spike of one point among many", () => {
  const values = Array.from({ length: 1000 }, (_, index) => (index === 777 ? 90 : 1));
  const line = /line \[(.*)\]/.exec(chart(values) ?? "")?.[1]?.split(", ") ?? [];
  expect(line).toContain("90");
  expect(line.length).toBeLessThanOrEqual(40);
});

test.each([
  ["quotes", 'a "b" c'],
  ["a markdown string", "`bold`"],
  ["a comment", "a %%{init: {}}%% b"],
  ["a second line", "a\n```\n# heading"],
  ["an entity", "a #quot; b"],
  ["markup", "<script>alert(1)</script>"],
])("takes %s out of the title", (_, title) => {
  const lines = chart([1, 2], { title })?.split("\n") ?? [];
  expect(lines).toHaveLength(7);
  expect(lines[2]).toMatch(/^ {4}title "[\p{L}\p{N} _.,:()/+*=-]*"$/u);
});

// The lexer's own number: no exponent, digits on both sides of the point.
const number = "-?\\d+(?:\\.\\d+)?";
const grammar = new RegExp(
  [
    "^```mermaid",
    "xychart-beta",
    '    title "[^"`#;%]*"',
    `    x-axis "[^"\`#;%]*" ${number} --> 0`,
    `    y-axis "[^"\`#;%]*" ${number} --> ${number}`,
    `    line \\[${number}(?:, ${number})*\\]`,
    "```$",
  ].join("\n"),
);

test("is valid Mermaid for any numbers", () => {
  const value = fc.double({ min: -1e30, max: 1e30 });
  fc.assert(
    fc.property(fc.array(value, { minLength: 2, maxLength: 100 }), fc.string(), (values, unit) => {
      const drawn = chart(values, { unit });
      const finite = values.filter(Number.isFinite).length;
      return drawn === undefined ? finite < 2 : grammar.test(drawn);
    }),
  );
});

test("the range of the values is never empty", () => {
  for (const values of [
    [0, 0],
    [5, 5],
    [-3, -3],
    [-1, 1],
  ]) {
    const [, low, high] = /y-axis "seconds" (\S+) --> (\S+)/.exec(chart(values) ?? "") ?? [];
    expect(Number(low)).toBeLessThan(Number(high));
  }
});
