import { Unavailable } from "../../ports/errors.ts";

/**
 * GitHub may have done what it answered with an error, and its lists lag: what "already exists" and cannot be seen is
 * most likely our own.
 */
export interface Doubts {
  /** Throws `Unavailable` for two minutes from the first time; afterwards it is somebody else's. */
  await(what: string): void;
}

const longestLagMs = 120_000;
const lookAgainMs = 5_000;

export function doubtsOf(now: () => number): Doubts {
  const since = new Map<string, number>();
  return {
    await: (what) => {
      const first = since.get(what) ?? now();
      since.set(what, first);
      if (now() - first < longestLagMs) {
        throw new Unavailable(`GitHub: ${what} exists and is not listed yet`, { retryAfterMs: lookAgainMs });
      }
      since.delete(what);
    },
  };
}
