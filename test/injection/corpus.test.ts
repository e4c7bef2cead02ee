import { expect, test } from "vitest";
import { readCorpus } from "./corpus.ts";

const line = (change: object = {}) =>
  JSON.stringify({ id: "a", category: "orders", channel: "log", text: "t", kind: "attack", ...change });

test("a corpus of others is read, whatever its line ends, order and spelling of kind", () => {
  const read = readCorpus(
    "c.jsonl",
    `\uFEFF${line()}\r\n\n${line({ id: 7, kind: " Benign " })}\r${line({ text: "" })}\n`,
  );
  expect(read.ok && read.samples.map(({ id, kind }) => [id, kind])).toEqual([
    ["a", "attack"],
    ["7", "benign"],
    ["a", "attack"],
  ]);
});

test("a line separator of Unicode inside a text ends no line", () => {
  const read = readCorpus("c.jsonl", line({ text: "one\u2028two\u2029three\u0085four" }));
  expect(read.ok && read.samples.map(({ text }) => text)).toEqual(["one\u2028two\u2029three\u0085four"]);
});

test("what may be missing is missing: the line goes by its place, and its channel is everywhere", () => {
  const read = readCorpus("c.jsonl", '{"text":"t","kind":"attack","more":1}');
  expect(read).toEqual({
    ok: true,
    samples: [{ id: "c.jsonl:1", category: "", channel: "", text: "t", kind: "attack" }],
  });
});

test.each([
  ["no JSON", "{", "c.jsonl:2: is not JSON"],
  ["no text", '{"kind":"attack"}', "c.jsonl:2: text: must be a text"],
  ["an unknown kind", line({ kind: "odd" }), 'c.jsonl:2: kind: must be "attack" or "benign"'],
  ["no object", "[]", "c.jsonl:2: the line: Invalid input: expected object, received array"],
])("%s is told with its line and field", (_what, second, problem) => {
  expect(readCorpus("c.jsonl", `${line()}\n${second}`)).toEqual({ ok: false, problems: [problem] });
});

test("an empty file is no corpus", () => {
  expect(readCorpus("c.jsonl", "\n").ok).toBe(false);
});
