import { describe, expect, test } from "vitest";
import type { Series } from "../../../../src/domain/evidence/evidence.ts";
import type { NodeSeries } from "../../../../src/domain/root-cause/ranking/anomaly.ts";
import { rankServices } from "../../../../src/domain/root-cause/ranking/services.ts";
import { timelineOf, valuesOn, windowsOf } from "../../../../src/domain/root-cause/ranking/timeline.ts";

const names = Array.from({ length: 12 }, (_, index) => `service-${index}`);
const calls = names.slice(1).map((callee, index) => ({ caller: names[Math.floor(index / 2)] ?? "", callee }));
const normalPoints = 400;

interface Ran {
  /** Points of the incident's stretch, which lies after a hole of a day; without a hole where `unbroken`. */
  readonly points: number;
  readonly unbroken?: boolean;
  /** What a service uses at a point of the stretch, by its usual use. */
  readonly factor: (name: string, at: number) => number;
  /** The same of the memory; as usual where it is left out. */
  readonly memory?: (name: string, at: number) => number;
  readonly graph?: boolean;
}

/** CPU and memory of twelve services once a minute, noise of a fifth, no other measurement. */
function ranked({ points, unbroken = false, factor, memory = () => 1, graph = true }: Ran) {
  const random = randomFrom(11);
  const hole = unbroken ? 0 : 86_400;
  const timeOf = (index: number) => index * 60 + (index < normalPoints ? 0 : hole);
  const measured = names.flatMap((name, rank) =>
    ["CPU", "memory"].map((what) => {
      const spread = what === "CPU" ? 0.2 : 0.02;
      const valueOf = (index: number) => {
        const usual = (rank + 1) * (1 + spread * (random() + random() - 1));
        const changed = what === "memory" ? memory : factor;
        return index < normalPoints ? usual : usual * changed(name, index - normalPoints);
      };
      const series: Series = {
        labels: {},
        points: Array.from({ length: normalPoints + points }, (_, index) => [timeOf(index), valueOf(index)] as const),
      };
      return { name, what, series };
    }),
  );
  const timeline = timelineOf(measured.map(({ series }) => series));
  if (timeline === undefined) throw new Error("no timeline");
  const series = new Map<string, NodeSeries[]>(names.map((name) => [name, []]));
  for (const { name, what, series: one } of measured) {
    series.get(name)?.push({ what, kind: "usage", values: valuesOn(timeline, one) });
  }
  const windows = windowsOf(timeline, undefined);
  return rankServices({ graph: { calls: graph ? calls : [], roles: {} }, series, symptom: names[0] ?? "", windows });
}

/** A small repeatable source of numbers in [0, 1): a linear congruential generator. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const culprit = "service-7";
const timesThree = (name: string) => (name === culprit ? 3 : 1);

describe("a trouble of CPU is named", () => {
  test.each<[string, Ran]>([
    ["that fills all there is since a hole", { points: 10, factor: timesThree }],
    ["and nobody saw a call", { points: 10, factor: timesThree, graph: false }],
    ["that is much older than its alert", { points: 40, factor: (name, at) => (at < 10 ? 1 : timesThree(name)) }],
    ["in an unbroken stretch, for half an hour", { points: 30, unbroken: true, factor: timesThree }],
    ["that begins within the window", { points: 10, factor: (name, at) => (at < 6 ? 1 : timesThree(name)) }],
  ])("%s", (_, ran) => {
    const [first] = ranked(ran);
    expect(first?.node).toBe(culprit);
    expect(first?.score).toBeGreaterThan(1);
  });
});

test.each([10, 40])("in %i points where all is as usual nothing is named", (points) => {
  expect(ranked({ points, factor: () => 1 })[0]?.score ?? 0).toBeLessThan(1);
});

/** The memory of one service lies higher that day, and rises a little more. */
const otherDay = (name: string, at: number) => (name === "service-3" ? (at < 24 ? 1.12 : 1.18) : 1);

test("another day's level that rises a little more is no trouble", () => {
  expect(ranked({ points: 30, factor: () => 1, memory: otherDay })[0]?.score ?? 0).toBeLessThan(1);
});

test("nor does it hide a trouble that fills all there is", () => {
  expect(ranked({ points: 30, factor: timesThree, memory: otherDay })[0]?.node).toBe(culprit);
});

test("a small step elsewhere does not hide a trouble that fills all there is", () => {
  const step = (name: string, at: number) => (name === "service-3" && at >= 5 ? 1.15 : 1);
  expect(ranked({ points: 10, factor: timesThree, memory: step })[0]?.node).toBe(culprit);
});
