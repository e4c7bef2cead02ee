import type { ModeSubject } from "../src/domain/guardrails/mode.ts";
import type { GitHost } from "../src/ports/github.ts";
import { type ShadowLatch, shadowLatch } from "../src/server/jobs/backtest/shadow-latch.ts";

interface LatchWorld {
  /** What every write is about. */
  readonly subject?: ModeSubject;
  /** What an earlier process left in the store, and where this one leaves it. */
  readonly kept?: { modes?: unknown };
  /** By default each look is a new one. */
  readonly now?: () => number;
}

/** The last door over a store in memory. */
export function aLatch(head: GitHost["head"], { subject, kept = {}, now }: LatchWorld = {}): ShadowLatch {
  let looks = 0;
  return shadowLatch({
    head,
    now: now ?? (() => (looks += 1) * 60_000),
    kept: {
      readModes: async () => kept.modes,
      keepModes: async (modes) => void (kept.modes = JSON.parse(JSON.stringify(modes))),
    },
    subjectOf: async () => subject,
  });
}
