/** What all attempts of one step of a workflow took together. Waiting between attempts is not in it. */
export interface StepCost {
  readonly step: string;
  readonly times: number;
  readonly durationMs: number;
  readonly githubCalls: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** One question to the model and what came back. */
export interface Exchange {
  /** RFC 3339, when the answer was there. */
  readonly at: string;
  readonly model: string;
  readonly digest: string;
  readonly prompt: string;
  readonly answer: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly durationMs: number;
}

/** Name and digest of the model that answered: a name may get other weights behind our back. */
export function renderModel({ model, digest }: Pick<Exchange, "model" | "digest">): string {
  return `${model} (${digest.slice(0, 12)})`;
}

/** One line for people: `412 ms, 3 GitHub calls, 1200 + 85 tokens`; undefined when no step ran. */
export function renderStepCosts(costs: readonly StepCost[]): string | undefined {
  if (costs.length === 0) return undefined;
  const sum = (key: "durationMs" | "githubCalls" | "promptTokens" | "answerTokens") =>
    costs.reduce((total, cost) => total + cost[key], 0);
  const [calls, read, written] = [sum("githubCalls"), sum("promptTokens"), sum("answerTokens")];
  return [
    renderMs(sum("durationMs")),
    ...(calls === 0 ? [] : [`${calls} GitHub call${calls === 1 ? "" : "s"}`]),
    ...(read + written === 0 ? [] : [`${read} + ${written} tokens`]),
  ].join(", ");
}

export function renderMs(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
