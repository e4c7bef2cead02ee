import type { Measure } from "../../adapters/dbos/durable.ts";
import { priorityQueue } from "../../adapters/dbos/priority-queue.ts";

/** The steps that ask much of others, and how many of each run at the same time. */
const atOnce: Readonly<Record<string, number>> = {
  // Some 25 range queries each: Prometheus runs 20 at once by default and lets the rest wait.
  collect: 4,
};

/**
 * In a storm every incident wants to look at the same sources in the same second. Of the steps above only a few run at
 * once in this process, first come, first served; the wait is not part of what is measured.
 */
export function limitSteps(measure: Measure): Measure {
  const lines = new Map(
    Object.entries(atOnce).map(([step, count]) => [
      step,
      priorityQueue(step, { atOnce: count, mostWaiting: Number.POSITIVE_INFINITY }),
    ]),
  );
  return (workflow, step, work) => {
    const line = lines.get(step);
    const measured = () => measure(workflow, step, work);
    return line === undefined ? measured() : line.take(measured);
  };
}
