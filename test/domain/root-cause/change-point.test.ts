import { expect, test } from "vitest";
import { stepOf } from "../../../src/domain/root-cause/change-point.ts";
import { level, points, start, step } from "../incident/incident-fixture.ts";

const stepIn = (values: readonly number[]) => stepOf({ labels: {}, points: points(values) });
const minuteOf = (values: readonly number[]) => {
  const found = stepIn(values);
  return found && (found.at - start / 1000) / 60;
};

test.each([
  ["a step up", step(1, 5, 12), 12],
  ["a step down", step(5, 1, 25), 25],
  ["a step near the end", step(1, 5, 28), 28],
  ["a step after zeros", [0, 0, 0, 0, 0, 3, 3, 3, 3], 5],
])("%s is found where it begins", (_, values, minute) => expect(minuteOf(values)).toBe(minute));

test.each([
  ["a level", level(3)],
  ["zeros", [0, 0, 0, 0, 0, 0]],
  ["one spike", [1, 1.1, 0.9, 1, 9, 1, 1.1, 0.9, 1, 1, 1, 1]],
  ["a swing", Array.from({ length: 30 }, (_, i) => Math.sin(i))],
  ["too few points", [1, 1, 5, 5]],
  ["nothing", []],
])("%s is no step", (_, values) => expect(minuteOf(values)).toBeUndefined());

test("missing points do not hide it", () => {
  const gaps = step(1, 5).map((value, index) => (index % 3 === 0 ? Number.NaN : value));
  expect(minuteOf(gaps)).toBe(20);
});
