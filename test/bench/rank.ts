import { performance } from "node:perf_hooks";
import type { NodeSeries } from "../../src/domain/root-cause/ranking/anomaly.ts";
import type { MetricKind } from "../../src/domain/root-cause/ranking/node-metric.ts";
import { rankServices } from "../../src/domain/root-cause/ranking/services.ts";
import type { ServiceGraph } from "../../src/domain/root-cause/service-graph.ts";

/**
 * Ranks a generated system with one slow service: `tsx test/bench/rank.ts [services] [metrics] [points]`, by default
 * 500 × 20 × 288. Prints one JSON object: milliseconds, peak memory of the whole process, and whether it was right.
 */
const [services = 500, metricsEach = 20, points = 288] = process.argv.slice(2).map(Number);
const kinds: readonly MetricKind[] = ["latency", "availability", "requests", "errors", "saturation", "usage", "signs"];
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
const series = new Map(names.map((name) => [name, metricsOf(name)]));

const start = performance.now();
const cpuBefore = process.cpuUsage();
const windows = [2, 1].map((times) => ({ start: points - times * windowPoints, end: points }));
const ranking = rankServices({ graph, series, symptom: names[0] ?? "", windows });
const ms = performance.now() - start;
const cpu = process.cpuUsage(cpuBefore);
const first = ranking[0]?.node;
console.log(
  JSON.stringify({
    services,
    metricsEach,
    points,
    ms: Math.round(ms * 10) / 10,
    // What the process itself took: the other figure grows with whatever else the machine does.
    cpuMs: Math.round((cpu.user + cpu.system) / 100) / 10,
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

function metricsOf(name: string): readonly NodeSeries[] {
  return Array.from({ length: metricsEach }, (_, index) => {
    const kind = kinds[index % kinds.length] ?? "latency";
    const usual = usualOf(kind, name);
    const noisy = () => (random() < 0.01 ? Number.NaN : usual * (1 + 0.05 * (random() - 0.5)));
    const extra = kind === "latency" && slow.has(name) ? 0.5 : 0;
    const values = Float64Array.from(
      { length: points },
      (_, at) => noisy() + (at >= points - windowPoints / 2 ? extra : 0),
    );
    return { what: `${kind} ${index}`, kind, values };
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
    case "signs":
    case "calls":
      return 1;
    case "usage":
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
