import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { onceAtATime, repeat } from "../../../src/adapters/http/repeat.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Work that ends when the test says so. */
function held() {
  const ends: (() => void)[] = [];
  return { ends, work: () => new Promise<void>((end) => void ends.push(end)) };
}

test("who asks meanwhile waits for the same work; after its end another may begin", async () => {
  const { ends, work } = held();
  const once = onceAtATime(work);
  const both = [once.run(), once.run()];
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await Promise.all(both);
  await once.ended();
  void once.run();
  expect(ends).toHaveLength(2);
});

test("a failure is told to everybody who waits, and the next try is a new one", async () => {
  let tries = 0;
  const once = onceAtATime(async () => {
    tries += 1;
    throw new Error("no");
  });
  expect(await Promise.allSettled([once.run(), once.run()])).toMatchObject([
    { status: "rejected" },
    { status: "rejected" },
  ]);
  await expect(once.run()).rejects.toThrow("no");
  expect(tries).toBe(2);
});

test("a beat that finds the work under way is left out, and stopping waits for its end", async () => {
  const { ends, work } = held();
  const repeated = repeat(100, work);
  vi.advanceTimersByTime(350);
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await repeated.now();
  vi.advanceTimersByTime(100);
  expect(ends).toHaveLength(2);
  let stopped = false;
  const stopping = repeated.stop().then(() => {
    stopped = true;
  });
  await Promise.resolve();
  expect(stopped).toBe(false);
  ends[1]?.();
  await stopping;
  vi.advanceTimersByTime(1_000);
  expect(ends).toHaveLength(2);
});

test("once at a time, one at a time and the race with a time limit stand in one file each", () => {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.startsWith("lab"),
  );
  const holding = (words: RegExp) => files.filter((file) => words.test(readFileSync(join("src", file), "utf8")));
  expect(holding(/Promise\.race\(/)).toEqual([join("adapters", "http", "timeout.ts")]);
  const onceMore = /\?\?= \w+\(\)\.finally\(/;
  expect(holding(onceMore)).toEqual([join("adapters", "http", "repeat.ts")]);
  const oneAfterTheOther = /(\w+) = (\w+)\.catch\(\(\) => undefined\);\n\s*return \2;/;
  expect(holding(oneAfterTheOther)).toEqual([join("adapters", "http", "one-at-a-time.ts")]);
});
