import { expect, test } from "vitest";
import { limitSteps } from "../../../src/server/observability/step-limits.ts";

const direct = <T>(_workflow: string, _step: string, work: () => Promise<T>) => work();

/** Starts `count` runs of a step that end when they are told to. */
function started(step: string, count: number) {
  const limited = limitSteps(direct);
  const running = new Set<number>();
  const order: number[] = [];
  const ends: (() => void)[] = [];
  const all = Array.from({ length: count }, (_, index) =>
    limited(`incident ${index}`, step, async () => {
      running.add(index);
      order.push(index);
      await new Promise<void>((resume) => ends.push(resume));
      running.delete(index);
      return index;
    }),
  );
  return { running, order, ends, all };
}

const settled = () => new Promise((resume) => setImmediate(resume));

test("of forty collections four run at once, in the order of their coming", async () => {
  const { running, order, ends, all } = started("collect", 40);
  let most = 0;
  for (let ended = 0; ended < 40; ended += 1) {
    await settled();
    most = Math.max(most, running.size);
    ends[ended]?.();
  }
  expect(await Promise.all(all)).toEqual(Array.from({ length: 40 }, (_, index) => index));
  expect(most).toBe(4);
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

test("a collection that fails gives its place to the next", async () => {
  const limited = limitSteps(direct);
  const failing = Array.from({ length: 9 }, async () =>
    limited("one", "collect", async () => {
      throw new Error("no");
    }).catch((error: Error) => error.message),
  );
  expect(await Promise.all(failing)).toEqual(Array(9).fill("no"));
  expect(await limited("one", "collect", async () => "yes")).toBe("yes");
});

test("other steps do not wait", async () => {
  const { running, ends, all } = started("plan", 12);
  await settled();
  expect(running.size).toBe(12);
  for (const end of ends) end();
  await Promise.all(all);
});
