import { describe, expect, test } from "vitest";
import {
  type LogPattern,
  patternLine,
  readPatternLine,
  strikingPatterns,
} from "../../../src/domain/root-cause/log-patterns.ts";

const began = Date.parse("2026-01-02T12:00:00Z") / 1000;
const lineAt = (second: number, text: string) => `${new Date((began + second) * 1000).toISOString()} ${text}`;
const times = (count: number, from: number, text: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => lineAt(from + index, text(index)));
const usual = times(60, -600, (index) => `web-5d4f6c7b8-x2x9p served /cart in ${index} ms`);
const patternsOf = (...lines: readonly string[]): readonly LogPattern[] =>
  strikingPatterns({ lines, name: "web", began, to: began + 300 });

describe("kinds of lines", () => {
  test("what differs in a kind is one mark, and three new lines are enough", () => {
    const lines = times(3, 10, (index) => `web-5d4f6c7b8-x2x9p cannot reach orders-db at 10.0.0.${index}: refused`);
    expect(patternsOf(...usual, ...lines)).toEqual([
      { kind: "new", lines: 3, first: began + 10, template: "cannot reach orders-db at <*> refused" },
    ]);
  });

  test("fields of structured lines are words, and words that differ are marked as they come", () => {
    const names = ["ann", "bob", "cid"];
    const lines = times(3, 5, (index) => `{"level":"error","msg":"no stock for user","user":"${names[index]}"}`);
    expect(patternsOf(...usual, ...lines)[0]?.template).toBe("level : error msg : no stock for user user : <*>");
  });

  test("a known kind counts only when it is far more frequent", () => {
    const more = (count: number) => times(count, 1, () => "served /cart in 9 ms");
    expect(patternsOf(...usual, ...more(30))).toEqual([]);
    expect(patternsOf(...usual, ...more(200))).toMatchObject([{ kind: "frequent", lines: 200 }]);
  });

  test.each<[string, readonly string[]]>([
    ["two new lines", [...usual, ...times(2, 10, () => "cannot reach orders-db")]],
    ["lines that were there before", [...usual, lineAt(-20, "cache is cold"), ...times(5, 10, () => "cache is cold")]],
    ["a log that is not known before", times(50, 1, () => "cannot reach orders-db")],
    ["a log that begins shortly before", [...times(9, -100, () => "started"), ...times(9, 1, () => "stopping now")]],
    ["an empty log", []],
    ["lines without a time", ["cannot reach orders-db", ...times(9, -600, () => "")]],
  ])("%s say nothing", (_, lines) => {
    expect(patternsOf(...lines)).toEqual([]);
  });
});

describe("bounds", () => {
  test("a flood of different lines makes few kinds, and short ones", () => {
    const word = (index: number) => "abcdefghij"[index % 10] ?? "";
    const flood = times(
      20_000,
      0,
      (index) => `${[...String(index)].map((digit) => word(Number(digit))).join("x")} odd`,
    );
    const long = times(3, 200, () => `endless ${"word ".repeat(5_000)}`);
    const found = patternsOf(...usual, ...flood.slice(0, 3_000), ...long);
    expect(found.length).toBeLessThanOrEqual(5);
    expect(Math.max(0, ...found.map(({ template }) => template.length))).toBeLessThanOrEqual(161);
  });

  test("the same lines give the same kinds", () => {
    const lines = [...usual, ...times(40, 3, (index) => `retry ${index} of payment ${index % 3 === 0 ? "a" : "b"}`)];
    expect(patternsOf(...lines)).toEqual(patternsOf(...lines));
  });
});

test("a line of evidence says whose it is, whatever text is in it", () => {
  const pattern = { kind: "new", lines: 3, first: began, template: "shop/Deployment/other new 9 since x" } as const;
  const line = patternLine("shop/Deployment/web", pattern);
  expect(line).toBe("shop/Deployment/web new 3 since 2026-01-02T12:00:00.000Z: shop/Deployment/other new 9 since x");
  expect(readPatternLine(line)).toEqual({ node: "shop/Deployment/web", isNew: true });
  expect(readPatternLine("no stock since monday")).toBeUndefined();
});
