import type { KnownModes } from "../../../domain/guardrails/mode.ts";
import type { Query } from "../query.ts";

/** What the guardrails last said about writing, so that a restart does not forget it. */
export function lastModes(query: Query) {
  return {
    /** Undefined before they were read for the first time. */
    async readModes(): Promise<unknown> {
      const { rows } = await query("select modes from last_modes");
      return rows[0]?.modes;
    },
    async keepModes(modes: KnownModes): Promise<void> {
      const text =
        "insert into last_modes (modes) values ($1) on conflict (only_one) do update set modes = excluded.modes";
      await query(text, [JSON.stringify(modes)]);
    },
  };
}
