import { performance } from "node:perf_hooks";
import type { MetricKind, NodeMetric } from "../../src/domain/root-cause/ranking/node-metric.ts";
import { rankCauses } from "../../src/domain/root-cause/ranking/attribution.ts";
import type { ServiceGraph } from "../../src/domain/root-cause/service-graph.ts";

/**
 * Ranks a generated system with one slow service: `tsx test/bench/rank.ts [services] [metrics] [points]`, by default
 * 500 × 20 × 288. Prints one JSON object: milliseconds, peak memory of the whole process, and whether it was right.
 */
const [services = 500, metricsEach = 20, points = 288] = process.argv.slice(2).map(Number);
const kinds: readonly MetricKind[] = ["latency", "availability", "requests", "errors", "saturation"];
const windowPoints = 12;
const random = randomFrom(7);

const names = Array.from({ length: services }, (_, index) => `service-${index}`);
// A tree of branching three with every tenth service called by a second one: all are reachable from the first.
const calls = names.slice(1).flatMap((callee, index) => {
  const caller = names[Math.floor(index / 3)] ?? "";
  const second = index % 10 === 0 ? [{ caller: names[Math.floor(index / 2)] ?? "", callee }] : [];
  return [{ caller, callee }, ...second];
});
const graph: ServiceGraph = { calls, roles: {} };
const culprit = names[Math.floor(services * 0.7)] ?? "";
const slow = callersUpFrom(culprit);
const metrics = new Map(names.map((name) => [name, metricsOf(name)]));

const start = performance.now();
const ranking = rankCauses({ graph, metrics, symptom: { node: names[0] ?? "", kind: "latency" } });
const ms = performance.now() - start;
const first = ranking.kind === "ranked" ? ranking.causes[0]?.node : ranking.because;
console.log(
  JSON.stringify({
    services,
    metricsEach,
    points,
    ms: Math.round(ms * 10) / 10,
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
    first,
    right: first === culprit,
  }),
);

function callersUpFrom(node: string): ReadonlySet<string> {
  const found = new Set([node]);
  for (const name of found) for (const { caller, callee } of calls) if (callee === name) found.add(caller);
  return found;
}

function metricsOf(name: string): readonly NodeMetric[] {
  return Array.from({ length: metricsEach }, (_, index) => {
    const kind = kinds[index % kinds.length] ?? "latency";
    const usual = usualOf(kind, name);
    const noisy = () => (random() < 0.01 ? Number.NaN : usual * (1 + 0.05 * (random() - 0.5)));
    const extra = kind === "latency" && slow.has(name) ? 0.5 : 0;
    return {
      kind,
      normal: Float64Array.from({ length: points - windowPoints }, noisy),
      abnormal: Float64Array.from({ length: windowPoints }, (_, at) => noisy() + (at >= windowPoints / 2 ? extra : 0)),
    };
  });
}

function usualOf(kind: MetricKind, name: string): number {
  switch (kind) {
    case "latency":
      return name === culprit ? 0.02 : 0.2;
    case "availability":
      return 1;
    case "requests":
      return 100;
    case "errors":
      return 1;
    case "saturation":
      return 0.5;
  }
}

/** A small repeatable source of numbers in [0, 1): a linear congruential generator. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
