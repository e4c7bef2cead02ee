import { expect, test } from "vitest";
import { visible } from "../../../src/domain/text/visible.ts";

test.each([
  ["a\u202eb\u2066c\u200ed", "abcd"],
  ["a\u0000b\u001b[31mc\u009bd\u007f", "ab[31mcd"],
  ["a\u200bb\ufeffc\u00add\u{e0041}e", "abcde"],
  ["one\r\ntwo\rthree\tfour\u2028five", "one\ntwo\nthree\tfourfive"],
  ["\ud800x", "x"],
])("%j is shown as %j", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("scripts and emoji stay as they are", () => {
  const text = "Größe 每 می‌خواهم 👩‍💻 — ok";
  expect(visible(text)).toBe(text);
});
