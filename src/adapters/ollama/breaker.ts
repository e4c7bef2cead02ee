import { Unavailable } from "../../ports/errors.ts";

/** Stops asking someone who keeps failing, and tries again after a rest with one single call. */
interface Breaker {
  /** Runs the work, or throws `Unavailable` at once while open. A failure that `counts` brings it nearer to opening. */
  guard<T>(work: () => Promise<T>): Promise<T>;
  isOpen(): boolean;
}

interface BreakerOptions {
  readonly failures: number;
  readonly restMs: number;
  readonly counts: (error: unknown) => boolean;
}

/** Opens after `failures` in a row, rests, then lets one call through: its outcome closes or opens it again. */
export function breaker(name: string, { failures, restMs, counts }: BreakerOptions): Breaker {
  let inARow = 0;
  let openUntil = 0;
  let trying = false;
  return {
    isOpen: () => inARow >= failures,
    guard: async (work) => {
      const now = performance.now();
      const open = inARow >= failures;
      if (open && (trying || now < openUntil)) {
        throw new Unavailable(`${name}: failed ${inARow} times in a row, resting`, {
          retryAfterMs: Math.max(0, Math.ceil(openUntil - now)),
        });
      }
      trying = open;
      try {
        const answer = await work();
        inARow = 0;
        return answer;
      } catch (error) {
        if (counts(error)) {
          inARow += 1;
          openUntil = performance.now() + restMs;
        }
        throw error;
      } finally {
        if (open) trying = false;
      }
    },
  };
}
