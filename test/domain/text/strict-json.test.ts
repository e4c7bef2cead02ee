import { expect, test } from "vitest";
import { parseStrictJson } from "../../../src/domain/text/strict-json.ts";

test.each([
  ['{"a":1,"a":2}', "a"],
  ['{"a":1,"\\u0061":2}', "a"],
  ['{"x":[{"b":1},{"b":{"c":1,"c":1}}]}', "c"],
  ['{"__proto__":1,"__proto__":2}', "__proto__"],
])("%s has a key twice", (text, key) => {
  expect(parseStrictJson(text)).toEqual({ kind: "repeated", key });
});

test.each(['{"a":{"a":1},"b":[{"a":1},{"a":"\\"a\\":"}]}', '"a:a"', "[]", '{"a":":","b":"{\\"a\\":1"}'])(
  "%s has each key once",
  (text) => {
    expect(parseStrictJson(text)).toEqual({ kind: "value", value: JSON.parse(text) });
  },
);

test("what is no JSON is broken", () => {
  expect(parseStrictJson('{"a":1')).toEqual({ kind: "broken" });
});
