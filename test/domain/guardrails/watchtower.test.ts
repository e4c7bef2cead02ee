import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isWatching,
  newWatchtower,
  nextWatchtower,
  p99,
  readWatchtower,
  renderWatchtower,
  type Watchtower,
  type WatchtowerEvent,
  watchtowerLimits,
} from "../../../src/domain/guardrails/watchtower.ts";

const second = 1000;
const minute = 60 * second;
const slow: WatchtowerEvent = { kind: "call", durationMs: 61 * second, ok: true };
const fast: WatchtowerEvent = { kind: "call", durationMs: 2 * second, ok: true };
const broken: WatchtowerEvent = { kind: "call", durationMs: 2 * second, ok: false };
const tick: WatchtowerEvent = { kind: "tick" };
const signals = (change: object): WatchtowerEvent => ({ kind: "signals", ...change });

/** Runs events at their minutes. */
function after(...events: readonly (readonly [number, WatchtowerEvent])[]): Watchtower {
  return events.reduce((state, [at, event]) => nextWatchtower(state, event, at * minute), newWatchtower(0));
}

test("begins by acting", () => {
  expect(newWatchtower(0)).toMatchObject({ mode: "acting", reasons: [], episode: 0 });
  expect(renderWatchtower(newWatchtower(0))).toBe("acting: changes are proposed");
});

describe("it watches", () => {
  test.each<[string, readonly (readonly [number, WatchtowerEvent])[], string]>([
    [
      "when calls take over 60 s",
      [[1, slow]],
      "the slowest of the model's calls take 60 s or longer (99th percentile)",
    ],
    [
      "when calls are broken off at 60 s",
      [[1, { kind: "call", durationMs: minute, ok: false }]],
      "the slowest of the model's calls take 60 s or longer (99th percentile)",
    ],
    ["when the breaker is open", [[1, signals({ breakerOpen: true })]], "the model failed several times in a row"],
    [
      "when the model is required and cannot be reached",
      [[1, signals({ modelRule: "required", modelReachable: false })]],
      "the guardrails require the model, and it cannot be reached",
    ],
    [
      "when the guardrails cannot be read",
      [[1, signals({ guardrailsReadable: false })]],
      "the guardrails cannot be read",
    ],
    [
      "when the guardrails cannot be read and the model is off",
      [[1, signals({ modelRule: "off", guardrailsReadable: false })]],
      "the guardrails cannot be read",
    ],
  ])("%s", (_when, events, reason) => {
    const state = after(...events);
    expect(state).toMatchObject({ mode: "watching", reasons: [reason], episode: 1, since: minute });
    expect(isWatching(state)).toBe(true);
    expect(renderWatchtower(state)).toBe(
      `watching since 1970-01-01T00:01:00.000Z: ${reason}. No change is proposed meanwhile, and open ones merge only by a person's approval; it ends by itself`,
    );
  });
});

describe("it acts on", () => {
  test.each<[string, readonly (readonly [number, WatchtowerEvent])[]]>([
    [
      "while calls are fast",
      [
        [1, fast],
        [2, fast],
      ],
    ],
    ["when one call fails", [[1, broken]]],
    ["when the model is optional and cannot be reached", [[1, signals({ modelReachable: false })]]],
    [
      "when the model is off, whatever it does",
      [
        [1, signals({ modelRule: "off", breakerOpen: true, modelReachable: false })],
        [2, slow],
      ],
    ],
    ["when one call of two hundred was slow", [...Array.from({ length: 200 }, () => [1, fast] as const), [1, slow]]],
  ])("%s", (_when, events) => {
    expect(after(...events).mode).toBe("acting");
  });
});

describe("L05 it ends by itself", () => {
  const { quietMs, windowMs } = watchtowerLimits;

  test("after three good calls in a row and a quiet minute, not before", () => {
    const recovering = after([0, slow], [0.1, fast], [0.2, fast]);
    expect(recovering.mode).toBe("watching");
    const third = nextWatchtower(recovering, fast, 0.3 * minute);
    expect(third.mode).toBe("watching");
    expect(nextWatchtower(third, tick, 0.2 * minute + quietMs - 1).mode).toBe("watching");
    expect(nextWatchtower(third, tick, 0.2 * minute + quietMs)).toMatchObject({ mode: "acting", reasons: [] });
  });

  test("a bad call in between starts the count anew", () => {
    const state = after([0, slow], [0.1, fast], [0.2, fast], [0.3, broken], [0.4, fast], [0.5, fast], [5, tick]);
    expect(state.mode).toBe("watching");
    expect(nextWatchtower(state, fast, 5.1 * minute).reasons).toEqual(state.reasons);
  });

  test("a call that is just fast enough does not prove that it is over", () => {
    const middling: WatchtowerEvent = { kind: "call", durationMs: 45 * second, ok: true };
    expect(after([0, slow], [1, middling], [2, middling], [3, middling], [5, tick]).mode).toBe("watching");
  });

  test("without any calls when the slow one has left the window", () => {
    const state = after([0, slow]);
    const left = nextWatchtower(state, tick, windowMs + 1);
    expect(left).toMatchObject({ mode: "acting", calls: [] });
  });

  test("when the signal has been good for a quiet minute, and it does not flap", () => {
    const on = after([0, signals({ breakerOpen: true })]);
    const off = nextWatchtower(on, signals({ breakerOpen: false }), 0.5 * minute);
    expect(off.mode).toBe("watching");
    const again = nextWatchtower(off, signals({ breakerOpen: true }), 0.9 * minute);
    expect(again).toMatchObject({ mode: "watching", episode: 1, since: 0 });
    const good = nextWatchtower(again, signals({ breakerOpen: false }), minute);
    expect(nextWatchtower(good, tick, 1.5 * minute).mode).toBe("watching");
    expect(nextWatchtower(good, tick, 2 * minute).mode).toBe("acting");
  });

  test("and counts an episode each time it begins, so that people are told once", () => {
    const first = after([0, signals({ breakerOpen: true })], [1, signals({ breakerOpen: false })], [3, tick]);
    expect(first).toMatchObject({ mode: "acting", episode: 1 });
    expect(nextWatchtower(first, slow, 4 * minute).episode).toBe(2);
  });
});

describe("a restart", () => {
  test("goes on where it was", () => {
    const state = after([0, slow], [0.1, fast], [0.2, signals({ guardrailsReadable: false })]);
    expect(readWatchtower(JSON.parse(JSON.stringify(state)), minute)).toEqual(state);
    expect(readWatchtower(JSON.parse(JSON.stringify(newWatchtower(5))), minute)).toEqual(newWatchtower(5));
  });

  test.each([
    ["nothing", undefined],
    ["a number", 3],
    ["another shape", { mode: "acting" }],
    ["a mode that is none", { ...newWatchtower(0), mode: "off" }],
  ])("with %s stored watches until it knows better", (_what, stored) => {
    const state = readWatchtower(stored, 0);
    expect(state).toMatchObject({ mode: "watching", reasons: ["the stored state could not be read"] });
    expect(nextWatchtower(state, tick, watchtowerLimits.quietMs).mode).toBe("acting");
  });
});

test.each([
  [[], undefined],
  [[5], 5],
  [[1, 2, 3], 3],
  [Array.from({ length: 100 }, (_, index) => index + 1), 99],
  [Array.from({ length: 1000 }, (_, index) => index + 1), 990],
])("the 99th percentile by nearest rank (%#)", (durations, expected) => {
  expect(p99(durations)).toBe(expected);
});

test("whatever happens: it never acts while there is a reason, always ends when there is none, and stays small", () => {
  const event: fc.Arbitrary<WatchtowerEvent> = fc.oneof(
    fc.record({ kind: fc.constant("call" as const), durationMs: fc.nat(120_000), ok: fc.boolean() }),
    fc.record({ kind: fc.constant("signals" as const), breakerOpen: fc.boolean(), guardrailsReadable: fc.boolean() }),
    fc.constant(tick),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat(90_000)), { maxLength: 60 }), (steps) => {
      let state = newWatchtower(0);
      let now = 0;
      for (const [next, pause] of steps) {
        now += pause;
        state = nextWatchtower(state, next, now);
        const { breakerOpen, guardrailsReadable } = state.signals;
        if (breakerOpen || !guardrailsReadable) expect(state.mode).toBe("watching");
        expect(state.mode === "watching").toBe(state.reasons.length > 0);
        expect(state.calls.every(({ at }) => at > now - watchtowerLimits.windowMs)).toBe(true);
      }
      const good = nextWatchtower(
        state,
        signals({ breakerOpen: false, guardrailsReadable: true, modelReachable: true }),
        now,
      );
      const later = nextWatchtower(good, tick, now + watchtowerLimits.windowMs + 1);
      expect(nextWatchtower(later, tick, now + 2 * watchtowerLimits.windowMs).mode).toBe("acting");
    }),
  );
});
