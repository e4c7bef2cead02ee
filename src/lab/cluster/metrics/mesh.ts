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

/** Adds to a counter; `mark` tells the counters of one name apart, `own` are the labels beyond the base. */
type Add = (
  name: string,
  to: { readonly mark: string; readonly base: Labels; readonly own?: Labels },
  by: number,
) => void;

/** `bounds`: those of the latency histogram, ascending, in milliseconds. */
export function createCounters(bounds: readonly number[]): Counters {
  const byPod = new Map<string, Map<string, Counter>>();
  return {
    count: (flow, pods, tick) => {
      for (const pod of pods) {
        const own = byPod.get(pod.metadata.name) ?? new Map<string, Counter>();
        byPod.set(pod.metadata.name, own);
        countPod(adderOf(own), flow, { pod, share: 1 / pods.length, tick, bounds });
        const labels = containerLabels(flow, pod);
        own.set("memory", { name: "container_memory_working_set_bytes", labels, value: tick.memoryPerPod });
      }
    },
    samples: (alive) => {
      for (const pod of byPod.keys()) if (!alive.has(pod)) byPod.delete(pod);
      return [...byPod.values()].flatMap((own) => [...own.values()]);
    },
  };
}

function adderOf(own: Map<string, Counter>): Add {
  return (name, to, by) => {
    const key = `${name} ${to.mark}`;
    const known = own.get(key);
    // The labels are made once per counter: this runs for every bucket of every pod on every tick.
    if (known) known.value += by;
    else own.set(key, { name, labels: { ...to.base, ...to.own }, value: by });
  };
}

interface Part {
  readonly pod: KubeObject;
  /** The pod's share of the workload's traffic. */
  readonly share: number;
  readonly tick: Tick;
  readonly bounds: readonly number[];
}

function countPod(add: Add, flow: Flow, { pod, share, tick, bounds }: Part): void {
  const { seconds, flows } = tick;
  const namespace = pod.metadata.namespace ?? "";
  const base = { namespace, deployment: flow.name, pod: pod.metadata.name };
  countProxy(
    add,
    { mark: "in", base: { ...base, direction: "inbound" }, bounds },
    flow,
    flow.offered * share * seconds,
  );
  for (const { callee, rate } of flow.outbound) {
    const below = flows.get(callee);
    const outbound = { ...base, direction: "outbound", dst_deployment: callee, dst_namespace: namespace };
    if (below) countProxy(add, { mark: callee, base: outbound, bounds }, below, rate * share * seconds);
  }
  const container = { mark: "", base: containerLabels(flow, pod) };
  add("container_cpu_usage_seconds_total", container, flow.cores * share * seconds);
  // The kernel counts CPU periods of 100 ms.
  add("container_cpu_cfs_periods_total", container, seconds * 10);
  add("container_cpu_cfs_throttled_periods_total", container, seconds * 10 * flow.throttled);
}

function containerLabels(flow: Flow, { metadata, spec }: KubeObject): Labels {
  const { namespace = "", name: pod } = metadata;
  return { namespace, pod, container: flow.name, node: String(spec?.nodeName ?? "") };
}

type Proxy = { readonly mark: string; readonly base: Labels; readonly bounds: readonly number[] };

function countProxy(add: Add, { mark, base, bounds }: Proxy, { failedShare, latencyMs }: Flow, requests: number): void {
  add("request_total", { mark, base }, requests);
  const answered = (classification: string, status_code: string, share: number) =>
    add(
      "response_total",
      { mark: `${mark} ${status_code}`, base, own: { classification, status_code } },
      requests * share,
    );
  answered("success", "200", 1 - failedShare);
  answered("failure", "503", failedShare);
  const bucket = (le: string, share: number) =>
    add("response_latency_ms_bucket", { mark: `${mark} ${le}`, base, own: { le } }, requests * share);
  let below = 0;
  for (const bound of bounds) {
    while (below < quantiles && (latencyMs[below] ?? 0) <= bound) below += 1;
    bucket(String(bound), below / quantiles);
  }
  bucket("+Inf", 1);
  add("response_latency_ms_count", { mark, base }, requests);
  const mean = latencyMs.reduce((sum, value) => sum + value, 0) / quantiles;
  add("response_latency_ms_sum", { mark, base }, requests * mean);
}
