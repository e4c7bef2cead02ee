import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { defused, inert, inertCode } from "../../../src/domain/text/inert.ts";
import { oneLine } from "../../../src/domain/text/one-line.ts";

const invisible = "\u200b";

/** Secrets that no pattern finds any more once the text was made inert, or as long as invisible signs stand in them. */
const secrets: readonly (readonly [string, string, string])[] = [
  ["a password in an address", "postgres://shop:hunter2pass@db/shop", "hunter2pass"],
  ["a token of GitHub", `ghp_${"Ab3".repeat(12)}`, "Ab3Ab3Ab3"],
  ["a token with an invisible sign in it", `ghp_${"Ab3".repeat(4)}${invisible}${"Ab3".repeat(8)}`, "Ab3Ab3Ab3"],
  ["a password with an invisible sign before it", `pass${invisible}word: hunter2pass`, "hunter2pass"],
  ["a web hook", "https://hooks.slack.com/services/T000/B000/hunter2pass", "hunter2pass"],
  ["a key in a query", "https://shop.example/?code=hunter2pass&x=1", "hunter2pass"],
  ["a key over two lines", "-----BEGIN PRIVATE KEY-----\nhunter2pass\n-----END PRIVATE KEY-----", "hunter2pass"],
];

const doors: Readonly<Record<string, (text: string) => string>> = {
  inert: (text) => inert(text),
  defused: (text) => defused(text),
  inertCode: (text) => inertCode(text),
  oneLine: (text) => oneLine(text, 1000),
};

const cases = Object.keys(doors).flatMap((door) =>
  secrets.map(([what, text, secret]) => ({ door, what, text, secret })),
);

test.each(cases)("$door masks $what before it disarms the rest", ({ door, text, secret }) => {
  const shown = (doors[door] ?? String)(`the log says ${text} at the end`);
  expect(shown).toContain("masked");
  // Entities and invisible signs hide nothing from a reader.
  const read = shown.replace(/&#(\d+);/g, (_, sign: string) => String.fromCodePoint(Number(sign)));
  expect(read.replaceAll(invisible, "")).not.toContain(secret);
});

test("nowhere is masked what was made inert before", () => {
  const root = join(import.meta.dirname, "../../../src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const wrong = files.filter((name) =>
    /\bmasked\w*\(\s*(?:inert|inertCode|defused|escaped)\(/.test(readFileSync(join(root, name), "utf8")),
  );
  expect(wrong).toEqual([]);
});
