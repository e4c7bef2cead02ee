import { expect, test } from "vitest";
import { tidyUp } from "../../src/lab/run.ts";

test("one step of the cleaning up that fails is told, and the others are still taken", async () => {
  const taken: string[] = [];
  const told: string[] = [];
  const steps = [
    () => taken.push("first"),
    () => Promise.reject(new Error("ENOTEMPTY: directory not empty")),
    () => taken.push("last"),
  ];
  await tidyUp(steps, (problem) => told.push(problem));
  expect(taken).toEqual(["first", "last"]);
  expect(told).toEqual(["cleaning up failed: ENOTEMPTY: directory not empty"]);
});
