import { expect, test } from "vitest";
import { readKubeYaml } from "../../../src/manifests/yaml/kube-yaml.ts";

const valueOf = (text: string) => {
  const read = readKubeYaml(`v: ${text}`);
  return read.ok ? (read.value[0] as { v: unknown }).v : "PROBLEM";
};

// Expected values are what `kubectl kustomize` 1.32 (kustomize 5.5) writes for the same text.
test.each<[string, unknown]>([
  ["010", 8],
  ["0o10", 8],
  ["-010", -8],
  ["08", 8],
  ["0x1F", 31],
  ["0b11", 3],
  ["1_000", 1000],
  ["0_7", 7],
  ["+5", 5],
  ["1.", 1],
  [".5", 0.5],
  ["1.0", 1],
  ["1e3", 1000],
  ["-0.0", 0],
  ["yes", "yes"],
  ["on", "on"],
  ["tRue", "tRue"],
  ["TRUE", true],
  ["~", null],
  ["1:30", "1:30"],
  ["0x", "0x"],
  ["_1", "_1"],
  ["1e", "1e"],
  ["!!str 5", "5"],
  ["'010'", "010"],
  ['"\\u00e9"', "é"],
  ["", undefined],
])("a plain scalar is read as Kustomize reads it: %s", (text, expected) => {
  expect(valueOf(text)).toEqual(expected);
});

test.each([
  ["a date, which becomes a time in one reader", "2020-01-01"],
  ["a number beyond exact integers", "12345678901234567890"],
  ["an infinity", ".inf"],
  ["a strange tag", "!foo bar"],
  ["a key that is a number", "{1: a}"],
  ["a key that JavaScript takes for something else", "{__proto__: {a: 1}}"],
  ["a key that stands twice", "{a: 1, a: 2}"],
  ["an alias without an anchor", "*none"],
  ["a merge of what is no map", "{<<: 1}"],
])("refused: %s", (_name, text) => {
  expect(valueOf(text)).toBe("PROBLEM");
});

test("anchors are copies and merge keys do not win over own keys", () => {
  const read = readKubeYaml("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: *x\n");
  expect(read).toEqual({ ok: true, value: [{ a: { p: 1, q: 2 }, b: { p: 1, q: 3 }, c: { p: 1, q: 2 } }] });
});

test("truth values of YAML 1.1 are refused where some tools read them", () => {
  expect(readKubeYaml("a: yes", "kubernetes").ok).toBe(false);
  expect(readKubeYaml("a: 'yes'", "kubernetes").ok).toBe(true);
});

test("a byte order mark, CRLF, comments and empty documents are no values", () => {
  const read = readKubeYaml("\uFEFF# hello\r\n---\r\na: |\r\n  x\r\n  y\r\n--- # empty\r\n---\r\nb: 1\r\n");
  expect(read).toEqual({ ok: true, value: [{ a: "x\ny\n" }, { b: 1 }] });
});

test("a text that ends with the file has no line end", () => {
  expect(readKubeYaml("a: |\n  x")).toEqual({ ok: true, value: [{ a: "x" }] });
  expect(readKubeYaml("a: |\n  x\n")).toEqual({ ok: true, value: [{ a: "x\n" }] });
});

test.each([
  ["a separator with text", "a: 1\n---b\nc: 1\n"],
  ["a directive", "%YAML 1.1\n---\na: 1\n"],
  ["a document end in the middle", "a: 1\n...\n---\nb: 1\n"],
  ["a folded text with indented lines", "a: >\n  x\n    y\n  z\n"],
  ["a folded text with several line ends", "a: >+\n  x\n\n"],
  ["an empty value in braces", "a: {b: }\n"],
  ["a control character", 'a: "\\x07"\n'],
  ["an unusual space", "a: x\u00a0y\n"],
  ["an escape of JSON that go-yaml lacks", 'a: "\\/"\n'],
  ["a block text that begins with a tab", "a: |\n    \tx\n"],
  ["YAML that breaks off", "a: [1,\n"],
])("refused because readers differ: %s", (_name, text) => {
  expect(readKubeYaml(text).ok).toBe(false);
});

test.each([
  [
    "a number that no reader can hold",
    "a: 0x17f3786dffc6D47767f4f4954F9fD8bb6AADf0\n",
    "0x17f3786dffc6D47767f4f4954F9fD8bb6AADf0",
  ],
  ["a date", "a: 2024-01-01\n", "2024-01-01"],
  ["an unusual space", "a: x\u00a0y\n", "x\u00a0y"],
])("in the output of a tool, which is held against another output, %s is a text", (_name, text, value) => {
  expect(readKubeYaml(text).ok).toBe(false);
  expect(readKubeYaml(text, "output")).toEqual({ ok: true, value: [{ a: value }] });
});

test("anchors that multiply end at a limit", () => {
  const lines = ["a0: &a0 [1,1,1,1,1,1,1,1,1,1]"];
  for (let level = 1; level < 12; level += 1) {
    lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(",")}]`);
  }
  expect(readKubeYaml(lines.join("\n"))).toMatchObject({ ok: false, problem: expect.stringContaining("more than") });
});

test("deep nesting ends at a limit", () => {
  expect(readKubeYaml("[".repeat(50_000)).ok).toBe(false);
});
