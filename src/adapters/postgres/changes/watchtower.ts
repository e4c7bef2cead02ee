import type { Watchtower } from "../../../domain/guardrails/watchtower.ts";
import type { Query } from "../query.ts";

/** The stored mode. */
export function watchtowerRecord(query: Query) {
  return {
    /** Undefined before the first event. */
    async readWatchtower(): Promise<unknown> {
      const { rows } = await query("select state from watchtower");
      return rows[0]?.state;
    },
    async saveWatchtower(state: Watchtower): Promise<void> {
      const text =
        "insert into watchtower (state) values ($1) on conflict (only_one) do update set state = excluded.state";
      await query(text, [JSON.stringify(state)]);
    },
  };
}
