import { Unavailable } from "../ports.ts";

/** One turn at a time, a bounded number of waiters, the most urgent first. */
export interface Turns {
  /** Runs the work when its turn comes. Throws `Unavailable` when too many wait, or `signal` ends the waiting. */
  take<T>(work: () => Promise<T>, wish: { readonly urgency: number; readonly signal: AbortSignal }): Promise<T>;
  waiting(): number;
}

interface Waiter {
  readonly urgency: number;
  readonly go: () => void;
  readonly leave: (because: string) => void;
}

/** At most `most` wait. When one more comes, the least urgent of all goes without an answer. */
export function turns(name: string, most: number): Turns {
  const line: Waiter[] = [];
  let busy = false;

  const next = () => {
    const waiter = line.shift();
    busy = waiter !== undefined;
    waiter?.go();
  };
  const enter = (urgency: number, signal: AbortSignal) =>
    new Promise<void>((go, refuse) => {
      const leave = (because: string) => refuse(new Unavailable(`${name}: ${because}`));
      const waiter: Waiter = { urgency, go, leave };
      const place = line.findIndex((other) => other.urgency < urgency);
      line.splice(place === -1 ? line.length : place, 0, waiter);
      signal.addEventListener("abort", () => {
        const index = line.indexOf(waiter);
        if (index >= 0) line.splice(index, 1);
        leave("no turn in time");
      });
      if (line.length > most) line.pop()?.leave(`${most} questions wait already`);
    });

  return {
    take: async (work, { urgency, signal }) => {
      if (busy) await enter(urgency, signal);
      busy = true;
      try {
        return await work();
      } finally {
        next();
      }
    },
    waiting: () => line.length,
  };
}
