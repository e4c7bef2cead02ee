import { expect, test } from "vitest";
import { doubtsOf, paceOf } from "../../../src/adapters/github/pace.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import type { PaceWaits, SharedPace } from "../../../src/ports/github.ts";

const free: PaceWaits = { waitMs: 0, silentMs: 0 };

/** A shared pace that writes down what it is asked and told. */
function recorded(answer: () => PaceWaits = () => free) {
  const taken: [number, number][] = [];
  const silences: number[] = [];
  const shared: SharedPace = {
    take: async (gapMs, points) => {
      taken.push([gapMs, points]);
      return answer();
    },
    silence: async (pauseMs) => {
      silences.push(pauseMs);
    },
  };
  return { shared, taken, silences };
}

test("each write is booked for five points, reads by the handful", async () => {
  const { shared, taken } = recorded();
  const pace = paceOf({ gapMs: 1, shared });
  for (let read = 0; read < 11; read += 1) await pace.run("read", async () => read);
  await pace.run("write", async () => undefined);
  expect(taken).toEqual([
    [0, 10],
    [0, 10],
    [1, 5],
  ]);
});

test("a silence that another process was told keeps this one from calling and from its audit line", async () => {
  const { shared } = recorded(() => ({ waitMs: 0, silentMs: 60_000 }));
  const pace = paceOf({ gapMs: 1, shared });
  const done: string[] = [];
  const write = pace.run(
    "write",
    async () => done.push("called"),
    async () => void done.push("audited"),
  );
  await expect(write).rejects.toThrow("waiting for its rate limit");
  // From now on it knows by itself.
  await expect(pace.run("read", async () => done.push("read"))).rejects.toBeInstanceOf(Unavailable);
  expect(done).toEqual([]);
});

test("a limit that GitHub names is told to the others", async () => {
  const { shared, silences } = recorded();
  const pace = paceOf({ gapMs: 1, shared });
  const limited = Object.assign(new Error("secondary rate limit"), { status: 403, headers: { "retry-after": "60" } });
  await expect(pace.run("write", () => Promise.reject(limited))).rejects.toMatchObject({ retryAfterMs: 60_000 });
  expect(silences).toEqual([60_000]);
});

test("a long wait is an answer with its time, not a step that hangs", async () => {
  const { shared } = recorded(() => ({ waitMs: 90_000, silentMs: 0 }));
  const pace = paceOf({ gapMs: 1, shared, now: () => 0 });
  await expect(pace.run("read", async () => "called")).rejects.toMatchObject({ retryAfterMs: 90_000 });
});

test("where the shared pace cannot be asked nobody calls, and the next one asks again", async () => {
  let away = true;
  const { shared } = recorded(() => {
    if (away) throw new Unavailable("Postgres: away");
    return free;
  });
  const pace = paceOf({ gapMs: 1, shared });
  await expect(pace.run("read", async () => "called")).rejects.toThrow("Postgres: away");
  away = false;
  expect(await pace.run("read", async () => "called")).toBe("called");
});

test("without a gap, as in the lab, nobody is asked", async () => {
  const { shared, taken } = recorded();
  await paceOf({ gapMs: 0, shared }).run("write", async () => undefined);
  expect(taken).toEqual([]);
});

test("a doubt lasts two minutes, and another one about the same branch two of its own", () => {
  let now = 0;
  const doubts = doubtsOf(() => now);
  const asked = () => {
    try {
      doubts.await("a pull request of branch x");
      return "somebody else's";
    } catch (error) {
      return error instanceof Unavailable ? "looked for again" : String(error);
    }
  };
  const answers = (from: number, until: number) => {
    const all = new Set<string>();
    for (now = from; now < until; now += 5_000) all.add(asked());
    return [...all];
  };
  expect(answers(0, 120_000)).toEqual(["looked for again"]);
  expect(asked()).toBe("somebody else's");
  // Found after some seconds; the next incident of the workload comes an hour later.
  expect(answers(1_000_000, 1_010_000)).toEqual(["looked for again"]);
  expect(answers(4_600_000, 4_720_000)).toEqual(["looked for again"]);
  expect(asked()).toBe("somebody else's");
});
