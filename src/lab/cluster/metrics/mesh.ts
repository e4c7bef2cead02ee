import type { KubeObject } from "../objects/kube-object.ts";
import type { Labels, Sample } from "./series-store.ts";
import { quantiles } from "../simulation/service-model.ts";
import type { Flow } from "../simulation/traffic.ts";

/** The bounds of Linkerd's latency histogram in milliseconds (linkerd2-proxy, `metrics/latency`). */
export const linkerdBounds: readonly number[] = [
  1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 1000, 2000, 3000, 4000, 5000, 10_000, 20_000, 30_000,
  40_000, 50_000,
];

/** Counters of the proxies and of cAdvisor: they only grow while their pod lives. */
export interface Counters {
  /** Counts one tick of a workload's traffic, shared evenly by its ready pods. */
  count(flow: Flow, pods: readonly KubeObject[], tick: Tick): void;
  /** The counters of the pods that live; they go on counting. */
  samples(alive: ReadonlySet<string>): Sample[];
}

interface Tick {
  readonly seconds: number;
  readonly flows: ReadonlyMap<string, Flow>;
  readonly memoryPerPod: number;
}

interface Counter {
  readonly name: string;
  readonly labels: Labels;
  value: number;
}

/**
 * The counters of one pod. They are made once and then only added to: this runs for every bucket of every pod on every
 * tick. A proxy's are told apart by its mark.
 */
interface PodCounters {
  readonly all: Counter[];
  readonly proxies: Map<string, ProxyCounters>;
  readonly container: readonly [cpu: Counter, periods: Counter, throttled: Counter];
  readonly memory: Counter;
}

interface ProxyCounters {
  readonly requests: Counter;
  readonly success: Counter;
  readonly failure: Counter;
  /** One for each bound, and one for all. */
  readonly buckets: readonly Counter[];
  readonly count: Counter;
  readonly sum: Counter;
}

/** `bounds`: those of the latency histogram, ascending, in milliseconds. */
export function createCounters(bounds: readonly number[]): Counters {
  const byPod = new Map<string, PodCounters>();
  return {
    count: (flow, pods, tick) => {
      for (const pod of pods) {
        const own = byPod.get(pod.metadata.name) ?? countersOf(flow, pod);
        byPod.set(pod.metadata.name, own);
        countPod(own, flow, { pod, share: 1 / pods.length, tick, bounds });
        own.memory.value = tick.memoryPerPod;
      }
    },
    samples: (alive) => {
      for (const pod of byPod.keys()) if (!alive.has(pod)) byPod.delete(pod);
      return [...byPod.values()].flatMap(({ all }) => all);
    },
  };
}

function countersOf(flow: Flow, pod: KubeObject): PodCounters {
  const labels = containerLabels(flow, pod);
  const counter = (name: string): Counter => ({ name, labels, value: 0 });
  const container = [
    counter("container_cpu_usage_seconds_total"),
    counter("container_cpu_cfs_periods_total"),
    counter("container_cpu_cfs_throttled_periods_total"),
  ] as const;
  const memory = counter("container_memory_working_set_bytes");
  return { all: [...container, memory], proxies: new Map(), container, memory };
}

interface Part {
  readonly pod: KubeObject;
  /** The pod's share of the workload's traffic. */
  readonly share: number;
  readonly tick: Tick;
  readonly bounds: readonly number[];
}

function countPod(own: PodCounters, flow: Flow, { pod, share, tick, bounds }: Part): void {
  const { seconds, flows } = tick;
  const namespace = pod.metadata.namespace ?? "";
  const base = { namespace, deployment: flow.name, pod: pod.metadata.name };
  const inbound = proxyOf(own, "in", bounds, () => ({ ...base, direction: "inbound" }));
  countProxy(inbound, bounds, flow, flow.offered * share * seconds);
  for (const { callee, rate } of flow.outbound) {
    const below = flows.get(callee);
    if (below === undefined) continue;
    const outbound = proxyOf(own, `out ${callee}`, bounds, () => {
      return { ...base, direction: "outbound", dst_deployment: callee, dst_namespace: namespace };
    });
    countProxy(outbound, bounds, below, rate * share * seconds);
  }
  const [cpu, periods, throttled] = own.container;
  cpu.value += flow.cores * share * seconds;
  // The kernel counts CPU periods of 100 ms.
  periods.value += seconds * 10;
  throttled.value += seconds * 10 * flow.throttled;
}

function proxyOf(own: PodCounters, mark: string, bounds: readonly number[], labels: () => Labels): ProxyCounters {
  const known = own.proxies.get(mark);
  if (known !== undefined) return known;
  const base = labels();
  const counter = (name: string, more?: Labels): Counter => {
    const made = { name, labels: { ...base, ...more }, value: 0 };
    own.all.push(made);
    return made;
  };
  const made: ProxyCounters = {
    requests: counter("request_total"),
    success: counter("response_total", { classification: "success", status_code: "200" }),
    failure: counter("response_total", { classification: "failure", status_code: "503" }),
    buckets: [...bounds.map(String), "+Inf"].map((le) => counter("response_latency_ms_bucket", { le })),
    count: counter("response_latency_ms_count"),
    sum: counter("response_latency_ms_sum"),
  };
  own.proxies.set(mark, made);
  return made;
}

function containerLabels(flow: Flow, { metadata, spec }: KubeObject): Labels {
  const { namespace = "", name: pod } = metadata;
  return { namespace, pod, container: flow.name, node: String(spec?.nodeName ?? "") };
}

function countProxy(
  proxy: ProxyCounters,
  bounds: readonly number[],
  { failedShare, latencyMs }: Flow,
  requests: number,
): void {
  proxy.requests.value += requests;
  proxy.success.value += requests * (1 - failedShare);
  proxy.failure.value += requests * failedShare;
  let below = 0;
  for (const [index, counter] of proxy.buckets.entries()) {
    const bound = bounds[index] ?? Number.POSITIVE_INFINITY;
    while (below < quantiles && (latencyMs[below] ?? 0) <= bound) below += 1;
    counter.value += requests * (index < bounds.length ? below / quantiles : 1);
  }
  proxy.count.value += requests;
  const mean = latencyMs.reduce((sum, value) => sum + value, 0) / quantiles;
  proxy.sum.value += requests * mean;
}
