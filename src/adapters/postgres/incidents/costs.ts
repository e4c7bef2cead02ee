import type { Exchange, StepCost } from "../../../domain/records/step-cost.ts";
import { storable } from "../../../domain/incident/storable.ts";
import type { Query } from "../query.ts";

/** What each step of an incident took, and what was said to and by the model. */
export function costStore(query: Query) {
  return {
    /** Adds one attempt to what the step took so far. */
    async addStepCost(incident: string, cost: Omit<StepCost, "times">) {
      const text = `insert into step_cost
          (incident, step, times, duration_ms, github_calls, prompt_tokens, answer_tokens)
        values ($1, $2, 1, $3, $4, $5, $6)
        on conflict (incident, step) do update set times = step_cost.times + 1,
          duration_ms = step_cost.duration_ms + excluded.duration_ms,
          github_calls = step_cost.github_calls + excluded.github_calls,
          prompt_tokens = step_cost.prompt_tokens + excluded.prompt_tokens,
          answer_tokens = step_cost.answer_tokens + excluded.answer_tokens`;
      const { step, durationMs, githubCalls, promptTokens, answerTokens } = cost;
      await query(text, [incident, step, durationMs, githubCalls, promptTokens, answerTokens]);
    },
    /** In the order in which the steps ran first. */
    async stepCosts(incident: string): Promise<StepCost[]> {
      const { rows } = await query(
        `select step, times, duration_ms as "durationMs", github_calls as "githubCalls",
          prompt_tokens as "promptTokens", answer_tokens as "answerTokens"
        from step_cost where incident = $1 order by first_at, step`,
        [incident],
      );
      return rows;
    },
    async addExchange(incident: string, exchange: Exchange) {
      const document = { ...exchange, prompt: storable(exchange.prompt), answer: storable(exchange.answer) };
      await query("insert into exchange (incident, document) values ($1, $2)", [incident, JSON.stringify(document)]);
    },
    /** Oldest first. */
    async exchangesOf(incident: string): Promise<Exchange[]> {
      const { rows } = await query("select document from exchange where incident = $1 order by id", [incident]);
      return rows.map((row) => row.document);
    },
  };
}
