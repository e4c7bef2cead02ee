const firstPauseMs = 500;
const longestPauseMs = 5 * 60_000;

/** Attempts of one step before its workflow is parked: at least three hours with all pauses at their shortest, five on average. */
export const mostAttempts = 84;

/** A step that takes longer than this never returns; one that did so this often is not begun again. */
export const longestStepMs = 15 * 60_000;
export const mostStuck = 4;

/**
 * How long to wait behind the attempt `count`, from 0. Half of it is jitter: with full jitter half of all waits end after
 * half of the time, and GitHub was away for longer than that. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function pauseBehind(count: number, random: () => number): number {
  const longest = Math.min(longestPauseMs, firstPauseMs * 2 ** count);
  return Math.ceil(longest / 2 + (random() * longest) / 2);
}
