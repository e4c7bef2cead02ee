import type { RecordedStep } from "../postgres/executors.ts";

/**
 * True while a workflow waits for a message: the engine puts the end of the wait on record before it, and the message
 * after it, under the number before. Such a one was not at work when its process ended, and cannot have ended it.
 */
export function isWaiting(steps: readonly RecordedStep[]): boolean {
  const numbers = new Set(steps.map(({ number }) => number));
  const last = Math.max(...numbers);
  return steps.some(({ number, name }) => number === last && name === "DBOS.sleep") && !numbers.has(last - 1);
}
