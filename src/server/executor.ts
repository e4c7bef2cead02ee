import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { ownPlace, type Place } from "../adapters/postgres/executors.ts";
import type { Store } from "../adapters/postgres/store.ts";
import type { Telemetry } from "../ports/runtime.ts";
import { onceAtATime, repeat } from "../adapters/http/repeat.ts";

/** This process among those that share the database. */
export interface Executor {
  readonly id: string;
  /**
   * Runs work that nobody else may do at the same time. It does not begin while others may take this process for gone,
   * and never again once they did or it leaves.
   */
  during<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Resolves while others cannot take this process for gone, and never after they did. Waited for before each write: a
   * process that was frozen in the middle of a step may find that its work is somebody else's.
   */
  held(): Promise<void>;
  /** What one process does for all of them is this one's. */
  leads(): boolean;
  /** From now on, after each beat: looks for work of processes that are gone. Runs once before it resolves. */
  watch(recover: () => Promise<void>): Promise<void>;
  /** Resolves with the reason when others took this process for gone: it must end. */
  readonly lost: Promise<string>;
  /** Begins nothing any more, and waits for what has begun, as long as a shutdown may take. */
  drain(): Promise<void>;
  /** After the drain: others take over at once. Says nothing when something is still in hand: then silence tells. */
  leave(): Promise<void>;
}

interface ExecutorOptions {
  readonly store: Pick<Store, "joinExecutor" | "beatExecutor" | "markGone" | "leadExecutors" | "leaveExecutor">;
  readonly version: string;
  readonly telemetry: Telemetry;
  readonly place?: Place;
  readonly cluster?: string | undefined;
  readonly beatMs?: number;
}

const defaultBeatMs = 5_000;
// Well before others may call it gone, so that what begins just in time has time to end.
const trustedBeats = 4;
// Who missed no beat for so long may say that others missed theirs.
const heardBeats = 3;
const longestDrainMs = 10_000;

/** Joins the processes on this database under an id of its own, and says from now on that it lives. */
export async function joinExecutors(options: ExecutorOptions): Promise<Executor> {
  const { store, version, telemetry, place = ownPlace(), cluster, beatMs = defaultBeatMs } = options;
  const id = `${hostname()}/${randomBytes(6).toString("hex")}`;
  await store.joinExecutor(id, version, { ...place, ...(cluster === undefined ? {} : { cluster }) });
  const pulse = pulseOf(beatMs);
  const { beat, leads, lost } = beating({ ...options, place }, id, pulse);
  let recover: (() => Promise<void>) | undefined;
  const recovering = onceAtATime(async () => {
    await recover?.().catch((error: Error) => telemetry.log("", "executor", `recovery: ${error.message}`));
  });
  await beat();
  const round = toldOnce(beat, telemetry);
  const beats = repeat(beatMs, async () => {
    await round();
    void recovering.run();
  });
  const work = inHand();
  return {
    id,
    lost,
    leads,
    held: pulse.held,
    during: async (begin) => {
      await pulse.trusted();
      return work.run(begin);
    },
    watch: async (looking) => {
      await looking();
      recover = looking;
    },
    drain: async () => {
      recover = undefined;
      pulse.stop();
      await recovering.ended();
      await work.empty(longestDrainMs);
    },
    leave: async () => {
      await beats.stop();
      if (work.count() === 0) await store.leaveExecutor(id);
    },
  };
}

type Pulse = ReturnType<typeof pulseOf>;

/** What is done with each beat: to say that it lives, to notice who does not, and to lead if nobody does. */
function beating({ store, telemetry, place = ownPlace() }: ExecutorOptions, id: string, pulse: Pulse) {
  let leading = false;
  let tellLost: (because: string) => void = () => undefined;
  const lost = new Promise<string>((tell) => {
    tellLost = tell;
  });
  let isLost = false;
  const beat = async () => {
    if (isLost) return;
    const sentAt = performance.now();
    if (!(await store.beatExecutor(id))) {
      isLost = true;
      pulse.lose();
      const because = "other processes took this one for gone, because Postgres had not heard of it for 30 s";
      telemetry.log("", "executor", because);
      return tellLost(because);
    }
    pulse.felt(sentAt);
    for (const gone of await store.markGone(id, place, pulse.isSteady())) {
      telemetry.log("", "executor", `${gone} is gone: its work goes to others`);
    }
    leading = await store.leadExecutors(id);
  };
  return { beat, lost, leads: () => leading && pulse.isTrusted() };
}

/** Of failures in a row the first one is told. */
function toldOnce(beat: () => Promise<void>, telemetry: Telemetry): () => Promise<void> {
  let failing = false;
  return async () => {
    try {
      await beat();
      failing = false;
    } catch (error) {
      if (!failing) telemetry.log("", "executor", `no beat: ${(error as Error).message}`);
      failing = true;
    }
  };
}

/** Whether others can be sure that this process lives. */
function pulseOf(beatMs: number) {
  let lastAt = performance.now();
  let steadySince = lastAt;
  let stopped = false;
  let lost = false;
  let waiting: (() => void)[] = [];
  const isFresh = () => performance.now() - lastAt < trustedBeats * beatMs;
  const freshUnless = (over: () => boolean) => async () => {
    while (over() || !isFresh()) await new Promise<void>((goOn) => (over() ? undefined : waiting.push(goOn)));
  };
  return {
    felt: (at: number) => {
      if (at - lastAt > 2 * beatMs) steadySince = at;
      lastAt = at;
      for (const goOn of waiting.splice(0)) goOn();
    },
    /** Nothing begins any more; what has begun may go on. */
    stop: () => {
      stopped = true;
    },
    lose: () => {
      stopped = lost = true;
      waiting = [];
    },
    isTrusted: () => !stopped && isFresh(),
    isSteady: () => lastAt - steadySince >= heardBeats * beatMs,
    /** Resolves while it is trusted; never after the end. */
    trusted: freshUnless(() => stopped),
    held: freshUnless(() => lost),
  };
}

function inHand() {
  let count = 0;
  let waiting: (() => void)[] = [];
  return {
    count: () => count,
    run: async <T>(work: () => Promise<T>): Promise<T> => {
      count += 1;
      try {
        return await work();
      } finally {
        count -= 1;
        if (count === 0) for (const goOn of waiting.splice(0)) goOn();
      }
    },
    empty: async (longestMs: number) => {
      if (count === 0) return;
      await new Promise<void>((goOn) => {
        const timer = setTimeout(goOn, longestMs);
        waiting = [...waiting, () => (clearTimeout(timer), goOn())];
      });
    },
  };
}
