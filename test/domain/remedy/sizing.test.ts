import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sizeMaxReplicas, sizeReplicas, sizeResources } from "../../../src/domain/remedy/sizing.ts";

const bounds = { min: 1, max: 20, growthLimit: 4 };

describe("replicas", () => {
  test.each([
    ["90 % of the request against 60 %", { current: 2, used: 0.9, requested: 1 }, 3],
    ["twice the request", { current: 3, used: 6, requested: 3 }, 10],
    ["another target", { current: 4, used: 3.2, requested: 4, target: 0.8 }, undefined],
    ["idle replicas", { current: 10, used: 1, requested: 10 }, 2],
    [
      "throughput alone",
      { current: 2, used: undefined, requested: undefined, requestsPerSecond: 90, perReplica: 25 },
      6,
    ],
    ["throughput above CPU", { current: 2, used: 0.9, requested: 1, requestsPerSecond: 90, perReplica: 25 }, 6],
    ["CPU above throughput", { current: 2, used: 2, requested: 1, requestsPerSecond: 10, perReplica: 25 }, 7],
  ])("%s", (_, load, to) => {
    const sizing = sizeReplicas({ ...load, bounds });
    expect(sizing.kind === "sized" ? sizing.to : undefined).toBe(to);
  });

  test("shows the arithmetic", () => {
    const sizing = sizeReplicas({ current: 2, used: 0.9, requested: 1, bounds });
    expect(sizing).toEqual({
      kind: "sized",
      to: 3,
      arithmetic: ["CPU 0.9 of 1 requested cores = 90 %; ceil(2 × 90 % / 60 %) = 3"],
    });
  });

  test.each([
    ["nothing measured", { current: 2, used: undefined, requested: undefined }, /measured/],
    ["no request to compare with", { current: 2, used: 1, requested: 0 }, /measured/],
    ["not a number", { current: 2, used: Number.NaN, requested: 1 }, /measured/],
    [
      "throughput of one replica unknown",
      { current: 2, used: undefined, requested: 1, requestsPerSecond: 9 },
      /measured/,
    ],
    ["within the tolerance", { current: 3, used: 1.9, requested: 3 }, /within 10 %/],
    ["slow but idle", { current: 3, used: 0.3, requested: 3, latency: { value: 2, limit: 0.5 } }, /not the bottleneck/],
    ["no replica", { current: 0, used: 1, requested: 1 }, /nothing to measure/],
    ["target of zero", { current: 2, used: 1, requested: 1, target: 0 }, /target/],
  ])("abstains: %s", (_, load, because) => {
    expect(sizeReplicas({ ...load, bounds })).toMatchObject({
      kind: "abstained",
      because: expect.stringMatching(because),
    });
  });

  test.each([
    ["the maximum", { min: 1, max: 5, growthLimit: 10 }, 5, "14 wanted, at most 5 allowed"],
    ["the growth limit", { min: 1, max: 20, growthLimit: 2 }, 8, "14 wanted, at most 2 × 4 = 8 in one change allowed"],
  ])("is held by %s and says so", (_, limits, to, bounded) => {
    expect(sizeReplicas({ current: 4, used: 8, requested: 4, bounds: limits })).toMatchObject({ to, bounded });
  });

  test.each([
    ["at the maximum", { min: 1, max: 4, growthLimit: 3 }],
    ["above the maximum", { min: 1, max: 3, growthLimit: 3 }],
    ["a growth limit that adds no replica", { min: 1, max: 9, growthLimit: 1.2 }],
  ])("never shrinks or repeats under load: %s", (_, limits) => {
    expect(sizeReplicas({ current: 4, used: 8, requested: 4, bounds: limits }).kind).toBe("abstained");
  });

  test("stays within its bounds for every load", () => {
    const number = fc.double({ min: 0, max: 1e4, noNaN: true });
    const load = fc.record({ current: fc.integer({ min: 1, max: 50 }), used: number, requested: number });
    fc.assert(
      fc.property(
        load,
        fc.integer({ min: 1, max: 40 }),
        fc.double({ min: 1, max: 5, noNaN: true }),
        (it, max, growth) => {
          const sizing = sizeReplicas({ ...it, bounds: { min: 1, max, growthLimit: growth } });
          if (sizing.kind === "abstained") return sizing.because.length > 0;
          const grown = sizing.to <= Math.max(1, it.current * growth) + 1e-6;
          return Number.isInteger(sizing.to) && sizing.to >= 1 && sizing.to <= max && grown && sizing.to !== it.current;
        },
      ),
    );
  });
});

describe("the ceiling of an autoscaler", () => {
  const hot = { current: 5, ceiling: 5, used: 6, requested: 5, bounds };

  test("grows to the need plus room to steer", () => {
    expect(sizeMaxReplicas(hot)).toMatchObject({ kind: "sized", to: 12 });
  });

  test.each([
    ["the ceiling is not reached", { ...hot, current: 4 }, /not reached/],
    ["the load is as wanted", { ...hot, used: 3 }, /within/],
    ["nothing was measured", { ...hot, used: undefined }, /measured/],
    ["people allow no more", { ...hot, bounds: { ...bounds, max: 5 } }, /at most 5/],
  ])("stays when %s", (_, load, because) => {
    expect(sizeMaxReplicas(load)).toMatchObject({ kind: "abstained", because: expect.stringMatching(because) });
  });

  test("is held by the bounds of the guardrails", () => {
    expect(sizeMaxReplicas({ ...hot, bounds: { ...bounds, max: 8 } })).toMatchObject({
      to: 8,
      bounded: expect.stringContaining("at most 8"),
    });
  });
});

describe("resources", () => {
  const mebi = 2 ** 20;
  const limits = { max: "4Gi", growthLimit: 3 };
  const memory = { field: "limits.memory" as const, current: "256Mi", peak: 250 * mebi, bounds: limits };
  const cpu = { field: "limits.cpu" as const, current: "500m", peak: 0.5, bounds: { max: "4", growthLimit: 3 } };

  test.each([
    ["memory above the peak", memory, "320Mi"],
    ["memory after an OOM kill", { ...memory, outOfMemory: true }, "352Mi"],
    ["much memory after an OOM kill", { ...memory, current: "2Gi", peak: 2000 * mebi, outOfMemory: true }, "2560Mi"],
    ["CPU above the peak", cpu, "630m"],
    ["CPU above one core", { ...cpu, current: "1", peak: 1.3 }, "1700m"],
    ["a value that was not set", { ...cpu, current: undefined }, "630m"],
    ["whole gibibytes", { ...memory, current: "1Gi", peak: 1638 * mebi }, "2Gi"],
  ])("%s", (_, load, to) => {
    expect(sizeResources(load)).toMatchObject({ kind: "sized", to });
  });

  test.each([
    ["nothing measured", { ...memory, peak: undefined }, /not measured/],
    ["enough already", { ...memory, current: "1Gi" }, /already/],
    ["no growth allowed", { ...memory, bounds: { max: "256Mi", growthLimit: 3 } }, /at most 256Mi/],
    ["a bound that is no quantity", { ...memory, bounds: { max: "lots", growthLimit: 3 } }, /no quantity/],
    ["a value that is no quantity", { ...memory, current: "{{ .mem }}" }, /no quantity/],
  ])("abstains: %s", (_, load, because) => {
    expect(sizeResources(load)).toMatchObject({ kind: "abstained", because: expect.stringMatching(because) });
  });

  test.each([
    ["the maximum", { max: "300Mi", growthLimit: 3 }, "300Mi"],
    ["the growth limit", { max: "4Gi", growthLimit: 1.1 }, "281Mi"],
  ])("is held by %s", (_, held, to) => {
    expect(sizeResources({ ...memory, bounds: held })).toMatchObject({
      to,
      bounded: expect.stringContaining("wanted"),
    });
  });
});
