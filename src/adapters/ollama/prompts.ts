import { readFileSync } from "node:fs";
import type { Prompts } from "../../domain/llm/question.ts";

/** The reviewed prompt texts, from the files beside the sources (and beside the build, which copies them). */
export function loadPrompts(): Prompts {
  const read = (name: string) => readFileSync(new URL(`../../prompts/${name}.md`, import.meta.url), "utf8").trim();
  return { diagnose: read("diagnose"), repair: read("repair") };
}
