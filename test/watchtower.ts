import { newWatchtower, type Watchtower } from "../src/domain/guardrails/watchtower.ts";
import type { WatchtowerMode } from "../src/ports/records.ts";

/** Watchtower mode, for a reason that stays. */
export function aWatchtower(change: Partial<Watchtower> = {}): WatchtowerMode {
  const reasons = ["the model failed several times in a row"];
  const state: Watchtower = { ...newWatchtower(0), mode: "watching", reasons, episode: 1, ...change };
  return { state: () => state, record: () => undefined, saved: async () => undefined };
}
