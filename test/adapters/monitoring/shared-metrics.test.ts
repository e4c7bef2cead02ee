import { expect, test } from "vitest";
import { sharedMetrics } from "../../../src/adapters/monitoring/shared-metrics.ts";
import type { Metrics } from "../../../src/ports/monitoring.ts";
import { Unavailable } from "../../../src/ports/errors.ts";

const at = (ms: number) => new Date(1_800_000_000_000 + ms);
const spanMs = 60_000;

function counted(fails = 0, until = Promise.resolve()) {
  const asked: string[] = [];
  const metrics: Metrics = {
    range: async (query, _from, to) => {
      asked.push(`${query} to ${to.getTime() - at(0).getTime()}`);
      const place = asked.length;
      await until;
      if (place <= fails) throw new Unavailable("not now");
      return { series: [], notes: [`answer ${place}`] };
    },
    ruleOf: async () => undefined,
  };
  const shared = sharedMetrics(metrics, 2_000);
  const ask = (query: string, ms: number, span = spanMs, since?: number) =>
    shared.range(query, at(ms - span), at(ms), since === undefined ? {} : { notBefore: at(since) });
  return { asked, ask };
}

test("forty incidents that ask the same in the same second are one question", async () => {
  const { asked, ask } = counted();
  const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => ask("up", index * 25)));
  expect(new Set(answers.map(({ notes }) => notes[0]))).toEqual(new Set(["answer 1"]));
  // Who asked last must not take the answer's end for his own: a series that goes on would look like one that ended.
  expect(answers.map(({ until }) => until)).toEqual(answers.map(() => at(0)));
  expect(asked).toEqual(["up to 0"]);
});

test("another query, another span and a later moment are asked anew", async () => {
  const { asked, ask } = counted();
  await ask("up", 0);
  await ask("down", 0);
  await ask("up", 0, 2 * spanMs);
  await ask("up", 1_999);
  await ask("up", 2_000);
  expect(asked).toEqual(["up to 0", "down to 0", "up to 0", "up to 2000"]);
});

test("an answer that ends before what is asked about began is asked anew, on its way or not", async () => {
  const { asked, ask } = counted();
  await Promise.all([ask("up", 0), ask("up", 1_000, spanMs, 500), ask("up", 1_100, spanMs, 1_000)]);
  await ask("up", 1_200, spanMs, 1_001);
  expect(asked).toEqual(["up to 0", "up to 1000", "up to 1200"]);
});

test("a long range is fresh for longer: twelve seconds of an hour", async () => {
  const { asked, ask } = counted();
  const hour = 3_600_000;
  await ask("up", 0, hour);
  await ask("up", 11_999, hour);
  await ask("up", 12_000, hour);
  expect(asked).toEqual(["up to 0", "up to 12000"]);
});

test("an answer that is on its way is waited for, however late: a slow server is not asked the same again", async () => {
  let arrive = () => undefined as void;
  const { asked, ask } = counted(0, new Promise<void>((resolve) => (arrive = resolve)));
  const answers = Promise.all([ask("up", 0), ask("up", 9_999)]);
  const later = ask("up", 10_000);
  arrive();
  expect((await answers).map(({ notes }) => notes[0])).toEqual(["answer 1", "answer 1"]);
  expect((await later).notes).toEqual(["answer 2"]);
  expect(asked).toEqual(["up to 0", "up to 10000"]);
});

test("a failure is everybody's who waits for it, and nobody's after it", async () => {
  const { asked, ask } = counted(1);
  const first = await Promise.allSettled([ask("up", 0), ask("up", 10)]);
  expect(first.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect((await ask("up", 20)).notes).toEqual(["answer 2"]);
  expect(asked).toHaveLength(2);
});
