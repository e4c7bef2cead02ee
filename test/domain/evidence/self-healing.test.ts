import { describe, expect, test } from "vitest";
import {
  doubtOf,
  type Firing,
  firingsOf,
  holdBackOf,
  selfHealingOf,
} from "../../../src/domain/evidence/self-healing.ts";
import { at, points, start } from "../incident/incident-fixture.ts";

const firing = (from: number, to: number | undefined, touched = false): Firing => ({
  startedAt: at(from),
  endedAt: to === undefined ? undefined : at(to),
  touched,
});
const healed = firing(0, 5);
const stayed = firing(0, 50);
const judge = (history: readonly Firing[]) => selfHealingOf(history, { withinMs: 10 * 60_000, now: at(100) });

describe("would it have healed anyway", () => {
  test.each<[string, readonly Firing[], number]>([
    ["all cleared in time", [healed, healed, healed], 1],
    ["none did", [stayed, stayed, stayed], 0],
    ["some did", [healed, stayed, healed, stayed], 0.5],
    ["one was touched before it could show", [healed, healed, stayed, stayed, firing(0, 5, true)], 0.5],
    ["one was touched after it had failed to clear", [healed, healed, firing(0, 50, true)], 2 / 3],
    ["one still fires and is past the time", [healed, healed, firing(0, undefined)], 2 / 3],
    ["one still fires and is young", [healed, healed, stayed, firing(95, undefined)], 2 / 3],
  ])("%s", (_, history, share) => {
    const judged = judge(history);
    expect(judged.kind === "known" ? judged.share : undefined).toBeCloseTo(share);
  });

  test.each<[string, readonly Firing[]]>([
    ["no history", []],
    ["too little of it", [healed, stayed]],
    ["only touched ones", [1, 2, 3, 4].map((minute) => firing(minute, minute + 1, true))],
    ["times that cannot be read", [healed, healed, { startedAt: "x", endedAt: "y", touched: false }]],
    ["one that ends before it starts", [healed, healed, firing(5, 1)]],
  ])("abstains with %s", (_, history) => expect(judge(history).kind).toBe("unknown"));

  test("says how much the few firings prove at least, and in words", () => {
    expect(judge([healed, healed, healed, stayed])).toMatchObject({
      because: "3 of 4 untouched past firings cleared by themselves within 10 min",
      atLeast: expect.closeTo(0.301, 2),
    });
  });
});

describe("firings from the series ALERTS", () => {
  const read = (values: readonly number[], endMinute: number, touches: readonly string[] = []) =>
    firingsOf(
      { labels: {}, points: points(values).filter(([, value]) => value > 0) },
      { stepSeconds: 60, endsAt: at(endMinute), touches },
    );

  test("a gap of more than two steps ends a firing", () => {
    expect(read([1, 1, 0, 1, 0, 0, 0, 1, 1], 30)).toEqual([firing(0, 4), firing(7, 9)]);
  });

  test("one that reaches the end of the window still fires", () => {
    expect(read([0, 0, 1, 1], 4)).toEqual([firing(2, undefined)]);
  });

  test("a change while it fired touches it, one before does not", () => {
    expect(read([0, 0, 0, 1, 1], 30, [at(4)])[0]?.touched).toBe(true);
    expect(read([0, 0, 0, 1, 1], 30, [at(1)])[0]?.touched).toBe(false);
  });

  test("no points, no firings", () => {
    expect(
      firingsOf({ labels: {}, points: [] }, { stepSeconds: 60, endsAt: new Date(start).toISOString(), touches: [] }),
    ).toEqual([]);
  });
});

describe("what follows for an alert that mostly clears by itself", () => {
  const often = judge([healed, healed, healed, healed, healed]);
  const sometimes = judge([healed, stayed, healed, stayed]);
  const young = { severity: "warning", startedAt: at(0), withinMs: 10 * 60_000 };

  test("a low severity waits until the firing had its time", () => {
    expect(holdBackOf(often, young)).toEqual({ until: at(10), because: expect.stringMatching(/^5 of 5 untouched/) });
  });

  test.each(["page", "critical", "error", "sev1", "none", ""])("severity %j never waits", (severity) => {
    expect(holdBackOf(often, { ...young, severity })).toBeUndefined();
  });

  test("nothing waits without history, or where it says too little", () => {
    expect(holdBackOf(judge([]), young)).toBeUndefined();
    expect(holdBackOf(judge([healed, healed, healed]), young)).toBeUndefined();
    expect(holdBackOf(sometimes, young)).toBeUndefined();
  });

  test.each([
    ["within that time proves nothing", 9, false],
    ["after that time does", 11, true],
  ])("a recovery %s", (_, minute, proves) => {
    const recovery = { startedAt: at(0), recoveredAt: at(minute), withinMs: 10 * 60_000 };
    expect(doubtOf(often, recovery)).toEqual({ because: expect.stringContaining("5 of 5"), proves });
    expect(doubtOf(sometimes, recovery)).toBeUndefined();
  });
});
