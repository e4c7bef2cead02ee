import type { ModeSubject } from "../src/domain/guardrails/mode.ts";
import type { GitHost } from "../src/ports/github.ts";
import { type ShadowLatch, shadowLatch } from "../src/server/jobs/shadow/shadow-latch.ts";

interface LatchWorld {
  /** What every write is about. */
  readonly subject?: ModeSubject;
  /** What an earlier process left in the store, and where this one leaves it. */
  readonly kept?: { modes?: unknown };
}

/** The last door over a store in memory. */
export function aLatch(head: GitHost["head"], { subject, kept = {} }: LatchWorld = {}): ShadowLatch {
  return shadowLatch({
    head,
    kept: {
      readModes: async () => kept.modes,
      keepModes: async (modes) => void (kept.modes = JSON.parse(JSON.stringify(modes))),
    },
    subjectOf: async () => subject,
  });
}
