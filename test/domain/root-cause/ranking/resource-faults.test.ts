import { describe, expect, test } from "vitest";
import { rankSymptom } from "../../../../src/domain/root-cause/symptom.ts";
import { type FaultKind, type FaultCase, incidentOfFault } from "../../../bench/rca/resource-faults.ts";

// Made-up applications without any latency; `test/bench/rca-resources.ts` measures many more of them.
const seeds = [1, 2, 4, 8, 10];

function firstOf(faultCase: FaultCase): { readonly first: string | undefined; readonly culprit: string | undefined } {
  const { incident, evidence, culprit } = incidentOfFault(faultCase);
  const ranking = rankSymptom(incident.workload, evidence);
  return { first: ranking.kind === "ranked" ? ranking.suspects[0]?.workload.name : undefined, culprit };
}

const shareOf = (cases: readonly FaultCase[], accept: (seen: ReturnType<typeof firstOf>) => boolean) =>
  cases.map(firstOf).filter(accept).length / cases.length;

describe.each<FaultKind>(["cpu", "memory", "throttling"])("a fault of %s", (kind) => {
  test.each([true, false])("that is older than all since a hole is named; the alert's start is known: %s", (known) => {
    const cases = seeds.map((seed): FaultCase => ({ seed, kind, begin: 0, known }));
    expect(shareOf(cases, ({ first, culprit }) => first === culprit)).toBe(1);
  });

  test("that begins within it is named where the alert's start is known", () => {
    const cases = seeds.flatMap((seed) => [0.3, 0.7].map((begin): FaultCase => ({ seed, kind, begin, known: true })));
    expect(shareOf(cases, ({ first, culprit }) => first === culprit)).toBe(1);
  });
});

test("another day, another load, a restart and a collector are seldom taken for a fault", () => {
  const quiet = [3, 4, 5, 7, 8, 9, 11, 12].flatMap((seed) =>
    [0, 0.5].map((begin): FaultCase => ({ seed, kind: "none", begin, known: true })),
  );
  expect(shareOf(quiet, ({ first }) => first !== undefined)).toBeLessThanOrEqual(0.07);
});
