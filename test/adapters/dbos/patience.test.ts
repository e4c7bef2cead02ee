import { expect, test } from "vitest";
import { mostAttempts, pauseBehind } from "../../../src/adapters/dbos/patience.ts";

const hour = 3_600_000;
const all = (random: () => number) =>
  Array.from({ length: mostAttempts - 1 }, (_, count) => pauseBehind(count, random)).reduce((sum, ms) => sum + ms, 0);

test("O03 three hours without an answer park nothing, whatever the jitter, and half a day is not waited", () => {
  expect(all(() => 0)).toBeGreaterThan(3 * hour);
  expect(all(() => 0.999)).toBeLessThan(8 * hour);
});

test("the first tries follow soon, and no pause is longer than five minutes", () => {
  expect([pauseBehind(0, () => 0), pauseBehind(0, () => 0.999), pauseBehind(1_000, () => 0.999)]).toEqual([
    250, 500, 299_850,
  ]);
});
