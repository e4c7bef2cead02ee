import { expect, test } from "vitest";
import { roomFor, thinkingOf } from "../../../src/adapters/ollama/thinking.ts";
import { answerTokens } from "../../../src/domain/llm/question.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";

test.each([
  [
    "one that can think is told not to",
    { capabilities: ["completion", "thinking"], details: { family: "qwen3" } },
    { think: false },
  ],
  [
    "gpt-oss can only think less",
    { capabilities: ["completion", "thinking"], details: { family: "gptoss" } },
    { think: "low" },
  ],
  ["one that cannot is told nothing", { capabilities: ["completion"], details: { family: "llama" } }, undefined],
  ["an older server says nothing of it", { details: { family: "llama" } }, undefined],
])("%s", async (_, shown, expected) => {
  expect(await thinkingOf(async () => shown)).toEqual(expected);
});

test("a server that does not show its models is taken for one without thinking, one that does not answer is not", async () => {
  expect(await thinkingOf(() => Promise.reject(new Refused("HTTP 404")))).toBeUndefined();
  await expect(thinkingOf(() => Promise.reject(new Unavailable("no answer")))).rejects.toThrow("no answer");
});

test("a model that may think all the same has room for it, within the context", () => {
  expect(roomFor("short", 8192, undefined)).toBe(answerTokens);
  expect(roomFor("short", 8192, { think: false })).toBeGreaterThan(2 * answerTokens);
  expect(roomFor("x".repeat(100_000), 8192, { think: false })).toBe(answerTokens);
});
