import { Unavailable } from "../../ports/errors.ts";

/**
 * The work for each of them, one after the other. What goes wrong with one of them is told and costs the others nothing;
 * that somebody outside is away ends the round, for all of them.
 */
export async function eachApart<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<void>,
  tell: (item: Item, because: string) => void,
): Promise<void> {
  for (const item of items) {
    await work(item).catch((error: unknown) => {
      if (error instanceof Unavailable) throw error;
      tell(item, error instanceof Error ? error.message : String(error));
    });
  }
}

/** Work that is never done twice at once. */
interface OnceAtATime<T> {
  /** Begins it, or waits for what is under way; both get the same end. */
  run(): Promise<T>;
  /** Resolves when nothing is under way. */
  ended(): Promise<unknown>;
}

/** Who asks while the work is under way waits for it, and begins no other. */
export function onceAtATime<T>(work: () => Promise<T>): OnceAtATime<T> {
  let current: Promise<T> | undefined;
  const run = () => {
    current ??= work().finally(() => {
      current = undefined;
    });
    return current;
  };
  return { run, ended: async () => current };
}

/** The work again and again, once at a time: a beat that finds it under way is left out. */
interface Repeated {
  /** Does it now, or waits for what is under way. */
  now(): Promise<void>;
  /** No beat begins it any more; resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** Does the work with each beat until it is stopped. */
export function repeat(pauseMs: number, work: () => Promise<void>): Repeated {
  const once = onceAtATime(work);
  const timer = setInterval(() => void once.run(), pauseMs);
  return {
    now: once.run,
    stop: async () => {
      clearInterval(timer);
      await once.ended();
    },
  };
}

/** Pauses of one loop: whoever wakes it ends the one that it is in. */
export function pausing(): { pause(ms: number): Promise<void>; wake(): void } {
  let wake: () => void = () => undefined;
  const pause = (ms: number) =>
    new Promise<void>((resume) => {
      const timer = setTimeout(resume, ms);
      wake = () => {
        clearTimeout(timer);
        resume();
      };
    });
  return { pause, wake: () => wake() };
}
