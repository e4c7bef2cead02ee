import { expect, test } from "vitest";
import { repetitionProblem, type RevertedChange } from "../../../src/domain/gate/repetition.ts";

const now = new Date("2026-11-24T12:00:00Z");
const ago = (minutes: number) => new Date(now.getTime() - minutes * 60_000).toISOString();

function attempt(minutesAgo: number, effect = "four replicas"): RevertedChange {
  return {
    remedy: { kind: "scale", title: "scale web from 2 to 4 replicas", effect },
    ...{ pull: 7, mergedAt: ago(minutesAgo + 20), back: 8, backAt: ago(minutesAgo) },
  };
}

const wanted = { kind: "scale", effect: "four replicas" };
const another = { kind: "scale", effect: "six replicas" };

test.each([
  ["the same at once", wanted, [attempt(5)], true],
  ["the same after hours", wanted, [attempt(23 * 60)], true],
  ["the same after a day", wanted, [attempt(25 * 60)], false],
  ["another number within the hour", another, [attempt(59)], true],
  ["another number after the hour", another, [attempt(61)], false],
  ["another remedy", { kind: "resources", effect: "more memory" }, [attempt(5)], false],
  ["the first try", wanted, [], false],
  ["an older attempt behind a newer one", wanted, [attempt(90, "six replicas"), attempt(300)], true],
])("%s", (_what, remedy, attempts, refused) => {
  expect(repetitionProblem(remedy, attempts, now) !== undefined).toBe(refused);
});

test("both attempts are shown, and until when", () => {
  expect(repetitionProblem(wanted, [attempt(5)], now)).toBe(
    "#7 (scale web from 2 to 4 replicas) was merged 2026-11-24T11:35:00.000Z and reverted by #8 2026-11-24T11:55:00.000Z: the same change is not proposed again before 2026-11-25T11:55:00.000Z, a person decides",
  );
});
