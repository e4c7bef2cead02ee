import { describe, expect, test } from "vitest";
import { baselineOf, meanOf, medianOf } from "../../../../src/domain/root-cause/ranking/robust-score.ts";

test.each([
  [[], undefined],
  [[Number.NaN], undefined],
  [[3], 3],
  [[4, 1, 3], 3],
  [[4, 1, 3, 2], 2.5],
  [[1, Number.NaN, 3, Number.POSITIVE_INFINITY], 2],
])("the median of %j is %s", (values, median) => expect(medianOf(values)).toBe(median));

test("the mean leaves out what is missing", () => {
  expect(meanOf([1, Number.NaN, 3])).toBe(2);
  expect(meanOf([Number.NaN])).toBeUndefined();
});

describe("a baseline", () => {
  const usual = [1, 2, 3, 4, 5, 6, 7, 8, 9];

  test("is the median and 1.4826 times the median absolute deviation", () => {
    expect(baselineOf(usual)).toEqual({ median: 5, scale: 1.4826 * 2, count: 9 });
  });

  test("hardly moves with an outlier", () => {
    expect(baselineOf([...usual.slice(1), 1e9])?.median).toBe(6);
    expect(baselineOf([...usual.slice(1), 1e9])?.scale).toBeCloseTo(1.4826 * 2);
  });

  test("falls back to the mean deviation where more than half the values are equal", () => {
    expect(baselineOf([0, 0, 0, 0, 0, 0, 0, 0, 0, 10])?.scale).toBeCloseTo(1.2533);
  });

  test("does not exist for too few values", () => {
    expect(baselineOf([1, 2, 3, 4, 5, 6, 7])).toBeUndefined();
    expect(baselineOf([1, 2, 3], 3)?.median).toBe(2);
  });

  test("leaves its input as it was", () => {
    const given = Float64Array.from([3, 1, 2, 9, 8, 7, 6, 5]);
    baselineOf(given);
    expect([...given]).toEqual([3, 1, 2, 9, 8, 7, 6, 5]);
  });
});
