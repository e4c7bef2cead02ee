import { renderDuration } from "../../domain/text/duration.ts";
import { oneLine } from "../../domain/text/one-line.ts";
import { Refused, Unavailable } from "../../ports/errors.ts";
import { withTimeout } from "../http/timeout.ts";
import type { Store } from "../postgres/store.ts";
import { pauseBehind } from "./patience.ts";

/** What came of one attempt of a step, as it goes on record. */
export type Attempt<T> =
  | { readonly kind: "answer"; readonly value: T }
  /** `stuck` = it never returned. */
  | { readonly kind: "unavailable"; readonly because: string; readonly pauseMs: number; readonly stuck?: true }
  | { readonly kind: "refused"; readonly because: string };

const longestFault = 500;

/** The attempt `count` of a step, from 0. */
export async function attemptOnce<T>(work: () => Promise<T>, count: number): Promise<Attempt<T>> {
  try {
    return { kind: "answer", value: await work() };
  } catch (error) {
    if (error instanceof Refused) return { kind: "refused", because: error.message };
    // A fault of our own: the incident is parked with it, or it would stay open with nobody at work. No adapter wrote
    // its message, so that nobody took the secrets out.
    if (!(error instanceof Unavailable))
      return { kind: "refused", because: `an error of Rectify itself: ${oneLine(String(error), longestFault)}` };
    // Long enough was waited already.
    if (error instanceof Stuck)
      return { kind: "unavailable", because: error.message, pauseMs: pauseBehind(0, Math.random), stuck: true };
    return {
      kind: "unavailable",
      because: error.message,
      pauseMs: Math.max(error.retryAfterMs ?? 0, pauseBehind(count, Math.random)),
    };
  }
}

class Stuck extends Unavailable {}

/** Every call to the outside has its own, shorter deadline: what is still under way by then never returns. */
export async function orStuck<T>(work: Promise<T>, deadlineMs: number): Promise<T> {
  let returned = false;
  try {
    return await withTimeout(
      deadlineMs,
      work.finally(() => (returned = true)),
    );
  } catch (error) {
    if (returned) throw error;
    throw new Stuck(`it did not return within ${renderDuration(deadlineMs)}: it is begun anew`);
  }
}

interface Counts {
  readonly recoveries: Pick<Store, "beginning" | "survived">;
  /** So many deaths in attempts of one step are allowed. */
  readonly mostRecoveries: number;
}

/**
 * Of a workflow whose process is gone nobody knows whether it ended it: it may have slept, or waited for its turn. So an
 * attempt of its next step is put on record before it begins and taken off when it has ended: what is on record again
 * and again ends its process. Such a step is refused, and its incident is parked in order.
 */
export function outliving({ recoveries, mostRecoveries }: Counts) {
  return async <T>(workflow: string, attempt: () => Promise<T>): Promise<T> => {
    const times = await recoveries.beginning(workflow);
    if (times === undefined) return attempt();
    try {
      if (times > mostRecoveries) throw new Refused(`the process ended ${times - 1} times while it was done`);
      return await attempt();
    } finally {
      await recoveries.survived(workflow);
    }
  };
}
