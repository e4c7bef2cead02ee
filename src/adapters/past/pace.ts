/** Lets work begin at most so often; what comes sooner waits its turn, in the order in which it came. */
export interface QueryPace {
  run<T>(work: () => Promise<T>): Promise<T>;
  /** How much was begun so far. */
  count(): number;
}

/** What a pace needs of the machine. */
interface PaceClock {
  now(): number;
  sleep(milliseconds: number): Promise<void>;
}

const machine: PaceClock = {
  now: () => performance.now(),
  sleep: (milliseconds) => new Promise((goOn) => setTimeout(goOn, milliseconds)),
};

/** `perSecond` 0 = without a limit. Nothing is saved up: after a pause the pace is the same. */
export function queryPace(perSecond: number, clock: PaceClock = machine): QueryPace {
  let begun = 0;
  let next = Number.NEGATIVE_INFINITY;
  return {
    run: async (work) => {
      if (perSecond > 0) {
        const now = clock.now();
        const turn = Math.max(now, next);
        next = turn + 1_000 / perSecond;
        if (turn > now) await clock.sleep(turn - now);
      }
      begun += 1;
      return work();
    },
    count: () => begun,
  };
}
