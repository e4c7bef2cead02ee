import { z } from "zod";
import { estimateTokens } from "../../domain/llm/prompt-budget.ts";
import { answerTokens } from "../../domain/llm/question.ts";
import { Refused } from "../../ports/errors.ts";

const Shown = z.object({
  capabilities: z.array(z.string()).default([]),
  details: z.object({ family: z.string().default("") }).default({ family: "" }),
});

/** How a model that thinks is kept from it; undefined = it cannot think, and would refuse to be told. */
type Thinking = { readonly think: false | "low" } | undefined;

/** Reads it from what the server shows of the model. The family gpt-oss can only think less. */
export async function thinkingOf(show: () => Promise<unknown>): Promise<Thinking> {
  const shown = Shown.safeParse(
    await show().catch((error) => {
      // A server that does not show its models knows no thinking either.
      if (!(error instanceof Refused)) throw error;
    }),
  );
  if (!shown.success || !shown.data.capabilities.includes("thinking")) return undefined;
  return { think: /^gpt-?oss/i.test(shown.data.details.family) ? "low" : false };
}

// Some think all the same: room for that is no loss where they do not.
const thinkingTokens = 1_500;

/** How many tokens the answer may have. */
export function roomFor(question: string, context: number, thinks: Thinking): number {
  if (thinks === undefined) return answerTokens;
  return Math.max(answerTokens, Math.min(answerTokens + thinkingTokens, context - estimateTokens(question)));
}
