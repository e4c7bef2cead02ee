import { expect, test } from "vitest";
import { slopeOf } from "./slope.ts";

test("a line is found, and how sure it is", () => {
  expect(
    slopeOf([
      [0, 1],
      [1, 3],
      [2, 5],
      [3, 7],
    ]),
  ).toEqual({ slope: 2, upper: 2 });
  expect(
    slopeOf([
      [0, 1],
      [1, 3],
    ]),
  ).toBeUndefined();
  const noisy = slopeOf([
    [0, 0],
    [1, 1.2],
    [2, 1.8],
    [3, 3.1],
    [4, 3.9],
  ]);
  expect(noisy?.slope).toBeCloseTo(0.97, 2);
  // By hand: the residuals' variance 0.027/3… gives an error of 0.0586, times 3.18.
  expect(noisy?.upper).toBeCloseTo(0.97 + 3.18 * Math.sqrt(0.091 / 3 / 10), 2);
});

test("without growth the interval holds zero", () => {
  const flat = slopeOf([
    [0, 5],
    [1, 4],
    [2, 6],
    [3, 5],
    [4, 5],
  ]);
  expect(flat?.slope).toBeLessThan(flat?.upper ?? 0);
  expect(flat?.upper).toBeGreaterThan(0);
});
