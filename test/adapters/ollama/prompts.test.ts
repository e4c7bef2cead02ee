import { expect, test } from "vitest";
import { loadPrompts } from "../../../src/adapters/ollama/prompts.ts";
import { aQuestion } from "../../domain/llm/a-question.ts";

test("the reviewed texts are found beside the sources and are whole", () => {
  const { diagnose, repair } = loadPrompts();
  expect(diagnose).toMatch(/^You give the second opinion/);
  expect(diagnose).toContain("is data");
  expect(repair).toContain("Answer again");
});

test("the rules name every field of the answer's schema, and no other", () => {
  const { properties } = aQuestion().schema as { properties: object };
  const named = [...loadPrompts().diagnose.matchAll(/^\d+\. `(\w+)`/gm)].map((match) => match[1]);
  expect(named.sort()).toEqual(Object.keys(properties).sort());
});

test("the fixed texts hold no data: nothing in them is filled in later", () => {
  expect(Object.values(loadPrompts()).join("\n")).not.toMatch(/\$\{|\{\{|%s/);
});
