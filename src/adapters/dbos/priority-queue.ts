import { Unavailable } from "../../ports/errors.ts";

/** A bounded number of turns at a time and of waiters, the most urgent first. */
export interface PriorityQueue {
  /** Runs the work when its turn comes. Throws `Unavailable` when too many wait, or `signal` ends the waiting. */
  take<T>(work: () => Promise<T>, wish?: Wish): Promise<T>;
  waiting(): number;
}

interface Wish {
  /** 0 unless told. */
  readonly urgency?: number;
  readonly signal?: AbortSignal;
}

interface QueueLimits {
  /** Works that run at the same time. */
  readonly atOnce: number;
  readonly mostWaiting: number;
}

interface Waiter {
  readonly urgency: number;
  readonly go: () => void;
  readonly leave: (because: string) => void;
}

/** When one more than `mostWaiting` comes, the least urgent of all goes without an answer. */
export function priorityQueue(name: string, { atOnce, mostWaiting }: QueueLimits): PriorityQueue {
  const line: Waiter[] = [];
  let taken = 0;

  // Who leaves hands the turn on: nobody can step in between.
  const leave = () => {
    const waiter = line.shift();
    if (waiter === undefined) taken -= 1;
    else waiter.go();
  };
  const enter = ({ urgency = 0, signal }: Wish) =>
    new Promise<void>((go, refuse) => {
      const giveUp = (because: string) => refuse(new Unavailable(`${name}: ${because}`));
      const waiter: Waiter = { urgency, go, leave: giveUp };
      const place = line.findIndex((other) => other.urgency < urgency);
      line.splice(place === -1 ? line.length : place, 0, waiter);
      signal?.addEventListener("abort", () => {
        const index = line.indexOf(waiter);
        if (index >= 0) line.splice(index, 1);
        giveUp("no turn in time");
      });
      if (line.length > mostWaiting) line.pop()?.leave(`${mostWaiting} questions wait already`);
    });

  return {
    take: async (work, wish = {}) => {
      if (taken >= atOnce) await enter(wish);
      else taken += 1;
      try {
        return await work();
      } finally {
        leave();
      }
    },
    waiting: () => line.length,
  };
}
