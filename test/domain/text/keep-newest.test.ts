import { expect, test } from "vitest";
import { keepNewest } from "../../../src/domain/text/keep-newest.ts";

test("of more than the most the one that was kept longest ago is forgotten", () => {
  const kept = new Map<string, number>();
  for (const [key, value] of [
    ["a", 1],
    ["b", 2],
    ["a", 3],
    ["c", 4],
  ] as const)
    keepNewest(kept, key, value, 2);
  expect([...kept]).toEqual([
    ["a", 3],
    ["c", 4],
  ]);
});
