import { describe, expect, test } from "vitest";
import { rankSymptom } from "../../../../src/domain/root-cause/symptom.ts";
import { type FaultKind, type Play, sceneOf } from "../../../bench/rca/resource-faults.ts";

// Made-up applications without any latency; `test/bench/rca-resources.ts` measures many more of them.
const seeds = [1, 2, 4, 8, 10];

function firstOf(play: Play): { readonly first: string | undefined; readonly culprit: string | undefined } {
  const { incident, evidence, culprit } = sceneOf(play);
  const ranking = rankSymptom(incident.workload, evidence);
  return { first: ranking.kind === "ranked" ? ranking.suspects[0]?.workload.name : undefined, culprit };
}

const shareOf = (plays: readonly Play[], accept: (seen: ReturnType<typeof firstOf>) => boolean) =>
  plays.map(firstOf).filter(accept).length / plays.length;

describe.each<FaultKind>(["cpu", "memory", "throttling"])("a fault of %s", (kind) => {
  test.each([true, false])("that is older than all since a hole is named; the alert's start is known: %s", (known) => {
    const plays = seeds.map((seed): Play => ({ seed, kind, begin: 0, known }));
    expect(shareOf(plays, ({ first, culprit }) => first === culprit)).toBe(1);
  });

  test("that begins within it is named where the alert's start is known", () => {
    const plays = seeds.flatMap((seed) => [0.3, 0.7].map((begin): Play => ({ seed, kind, begin, known: true })));
    expect(shareOf(plays, ({ first, culprit }) => first === culprit)).toBe(1);
  });
});

test("another day, another load, a restart and a collector are seldom taken for a fault", () => {
  const quiet = [3, 4, 5, 7, 8, 9, 11, 12].flatMap((seed) =>
    [0, 0.5].map((begin): Play => ({ seed, kind: "none", begin, known: true })),
  );
  expect(shareOf(quiet, ({ first }) => first !== undefined)).toBeLessThanOrEqual(0.07);
});
