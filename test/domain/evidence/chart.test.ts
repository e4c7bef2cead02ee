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

test("draws the series, the time of the day, the unit and the limit", () => {
  expect(chart([0.1, 0.2, 1.5], { limit: 0.5 })?.split("\n").toSpliced(1, 1)).toEqual([
    "```mermaid",
    "xychart-beta",
    '    title "p95 latency of web"',
    '    x-axis "UTC, 2026-01-02" ["10:00", "10:01", "10:02"]',
    '    y-axis "seconds" 0 --> 1.575',
    "    line [0.1, 0.2, 1.5]",
    "    line [0.5, 0.5, 0.5]",
    "```",
  ]);
});

test("the metric is dark and the limit red, on white paper", () => {
  const [, directive = ""] = chart([1, 2], { limit: 1 })?.split("\n") ?? [];
  const { themeVariables } = JSON.parse(directive.slice("%%{init: ".length, -"}%%".length));
  expect(themeVariables.xyChart).toMatchObject({ backgroundColor: "#ffffff", plotColorPalette: "#1f2328, #cf222e" });
});

test("large values are drawn in the unit in which people read them", () => {
  const drawn = chart([250, 1950], { unit: "ms", limit: 300 });
  expect(drawn).toContain('y-axis "s" 0 --> 2.0475');
  expect(drawn).toContain("line [0.25, 1.95]\n    line [0.3, 0.3]");
});

test("no time stands twice on the axis, however short the window", () => {
  const series = { labels: {}, points: Array.from({ length: 40 }, (_, index) => [1.7e9 + index / 10, index] as const) };
  const axis = /x-axis ".*" \[(.*)\]/.exec(renderChart({ title: "x", unit: "", series }) ?? "")?.[1]?.split(", ") ?? [];
  expect(axis.length).toBeGreaterThan(1);
  expect(new Set(axis).size).toBe(axis.length);
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
  expect(line.length).toBeLessThanOrEqual(16);
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
  expect(lines).toHaveLength(8);
  expect(lines[3]).toMatch(/^ {4}title "[\p{L}\p{N} _.,:()/+*=-]*"$/u);
});

test("a single % is no comment and stays, in the title and on the axis", () => {
  const text = chart([0.25, 30.2], { title: "30.2 %, limit 5 %", unit: "%" }) ?? "";
  expect(text).toContain('title "30.2 %, limit 5 %"');
  expect(text).toContain('y-axis "%" 0 --> ');
});

test("an axis with seconds has fewer points: their times need the room", () => {
  const timesOn = (step: number) => {
    const points = Array.from({ length: 31 }, (_, index) => [index * step, index] as const);
    const text = renderChart({ title: "load", unit: "", series: { labels: {}, points } }) ?? "";
    return /x-axis .* \[(.*)\]/.exec(text)?.[1]?.split(", ") ?? [];
  };
  expect(timesOn(1)).toHaveLength(10);
  expect(timesOn(1)[1]).toBe('"00:00:03"');
  expect(timesOn(60)).toHaveLength(16);
  expect(timesOn(60)[1]).toBe('"00:02"');
});

// The lexer's own number: no exponent, digits on both sides of the point.
const number = "-?\\d+(?:\\.\\d+)?";
const grammar = new RegExp(
  [
    "^```mermaid",
    "%%\\{init: .*\\}%%",
    "xychart-beta",
    '    title "(?:[^"`#;%]|%(?!%))*"',
    '    x-axis "UTC, [0-9-]{10}" \\["[0-9:]+"(?:, "[0-9:]+")*\\]',
    `    y-axis "(?:[^"\`#;%]|%(?!%))*" ${number} --> ${number}`,
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
