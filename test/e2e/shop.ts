import { createServer } from "node:http";
import { kubeStateSamples } from "../../src/lab/cluster/metrics/exporters.ts";
import { at, type KubeObject } from "../../src/lab/cluster/objects/kube-object.ts";
import { linkerdBounds } from "../../src/lab/cluster/metrics/mesh.ts";
import type { Sample } from "../../src/lab/cluster/metrics/series-store.ts";
import { quietLoad, shopCalls, shopServices } from "../../src/lab/cluster/simulation/shop.ts";
import { letTrafficRun } from "../../src/lab/cluster/simulation/step.ts";
import { readyPods } from "../../src/lab/cluster/simulation/workload-pods.ts";
import { writeLogs } from "../../src/lab/cluster/simulation/log-lines.ts";
import { createWorld, type SimulationSettings, type ClusterState } from "../../src/lab/cluster/world.ts";
import type { KubeClient } from "./kube-client.ts";
import { startKubelet } from "./kubelet.ts";
import { every } from "./processes.ts";

export const namespace = "shop-production";

/** The shop's requests: the queueing model of the lab, run over the pods that the real API server calls ready. */
export interface Shop {
  /** `host:port` that serves `/metrics`. */
  readonly target: string;
  /** What kube-state-metrics says of the shop's objects, on the same address. */
  readonly kubeStatePath: string;
  /** What answers there, and only while the Service of web leads to a pod that is ready. */
  readonly servicePath: string;
  setLoad(workload: string, requestsPerSecond: number): void;
  /** Back to a quiet shop; `noHelp` is the workload that no number of replicas helps from now on. */
  calm(noHelp?: string): void;
  /** Writes a log line as the workload would. */
  inject(workload: string, line: string): void;
  readyReplicas(workload: string): number;
  close(): Promise<void>;
}

const tickMs = 100;
const lookMs = 400;

/** Log lines go to Loki's push API at `lokiUrl`. */
export async function openShop(kube: KubeClient, lokiUrl: () => string | undefined): Promise<Shop> {
  const settings: { -readonly [K in keyof SimulationSettings]: SimulationSettings[K] } = { ...quietSettings };
  const world = createWorld(settings, Date.now());
  const asked = new Map<string, number>();
  world.clock.live = true;
  world.clock.nowMs = Date.now();
  const server = createServer((request, response) => {
    const samples = request.url === undefined ? undefined : exporters[request.url]?.(world);
    response.writeHead(samples === undefined ? 503 : 200, { "content-type": "text/plain; version=0.0.4" });
    response.end(samples === undefined ? "" : exposition(samples));
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  const stops = [
    startKubelet(kube, namespace),
    every(lookMs, () => look(world, kube)),
    every(tickMs, async () => tick(world, asked)),
    every(1_000, () => tellLogs(world, lokiUrl())),
  ];
  return {
    ...{ kubeStatePath, servicePath },
    target: `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    setLoad: (workload, rate) => void asked.set(workload, rate),
    calm: (noHelp) => {
      asked.clear();
      world.backlogs.clear();
      world.firstReady.clear();
      settings.noHelp = noHelp;
    },
    inject: (workload, line) => {
      const pod = readyPods(world, workload)[0];
      if (pod) world.logs.add(lineOf(pod, workload, line));
    },
    readyReplicas: (workload) => readyPods(world, workload).length,
    close: async () => {
      await Promise.all(stops.map((stop) => stop()));
      const closed = new Promise((done) => server.close(done));
      // Prometheus keeps its connection: where a scrape is under way it would be waited for for ever.
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Only what the model of requests reads; everything else of the simulation stands still here. */
const quietSettings: SimulationSettings = {
  ...{ services: shopServices, calls: shopCalls, load: (workload) => quietLoad[workload] ?? 0 },
  ...{ noHelp: undefined, fault: undefined, badImages: [], rules: [], seed: 1, podStartMs: 0, historyMs: 0 },
  ...{
    tickMs,
    scrapeMs: tickMs,
    rulesMs: tickMs,
    syncMs: tickMs,
    autoscaleMs: tickMs,
    scaleDownMs: tickMs,
    retentionMs: 0,
  },
  latencyBoundsMs: linkerdBounds,
  desired: async () => ({ revision: "", objects: [] }),
  entry: { object: "", path: "" },
};

const kinds: readonly (readonly [kind: string, path: string])[] = [
  ["Deployment", `/apis/apps/v1/namespaces/${namespace}/deployments`],
  ["ReplicaSet", `/apis/apps/v1/namespaces/${namespace}/replicasets`],
  ["Pod", `/api/v1/namespaces/${namespace}/pods`],
  ["HorizontalPodAutoscaler", `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers`],
  ["ResourceQuota", `/api/v1/namespaces/${namespace}/resourcequotas`],
  ["Node", "/api/v1/nodes"],
  ["EndpointSlice", `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`],
];

/** The objects as the API server has them now. While it is away, the shop goes on with what it had. */
async function look({ kube }: ClusterState, client: KubeClient): Promise<void> {
  const lists = await Promise.all(kinds.map(([, path]) => client.list(path)));
  for (const [index, [kind]] of kinds.entries()) {
    for (const old of kube.list(kind)) kube.remove(old);
    for (const object of lists[index] ?? []) kube.put({ ...object, kind } as unknown as KubeObject);
  }
}

/** Requests from outside come through the Service: where it leads to no pod, none arrives. */
function tick(world: ClusterState, asked: ReadonlyMap<string, number>): void {
  world.loads.clear();
  for (const [workload, rate] of asked) world.loads.set(workload, rate);
  for (const workload of Object.keys(quietLoad)) if (isCutOff(world, workload)) world.loads.set(workload, 0);
  const now = Date.now();
  // A machine that was busy counts the requests of the time that it missed.
  const seconds = Math.min(2_000, now - world.clock.nowMs) / 1000;
  world.clock.nowMs = now;
  letTrafficRun(world, world.kube.list("Deployment"), seconds);
}

const kubeStatePath = "/kube-state-metrics";
const servicePath = "/service/web";

/** Whether there is a Service of this name whose endpoints are known, none of them ready. */
function isCutOff({ kube }: ClusterState, service: string): boolean {
  const slices = kube
    .list("EndpointSlice")
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === service);
  const endpoints = slices.flatMap((slice) => (at(slice, "endpoints") ?? []) as readonly object[]);
  return slices.length > 0 && !endpoints.some((endpoint) => at(endpoint, "conditions", "ready") === true);
}

/** Who is scraped, by path. */
const exporters: Readonly<Record<string, (world: ClusterState) => readonly Sample[] | undefined>> = {
  "/metrics": ({ kube, counters }) => counters.samples(new Set(kube.list("Pod").map((pod) => pod.metadata.name))),
  [servicePath]: (world) => (isCutOff(world, "web") ? undefined : []),
  [kubeStatePath]: ({ kube }) => [...kubeStateSamples(kube), ...kube.list("Pod").flatMap(phaseSamples)],
};

const phases = ["Pending", "Succeeded", "Failed", "Running", "Unknown"];

/** One series for each phase, as kube-state-metrics has them. */
function phaseSamples({ metadata, status }: KubeObject): readonly Sample[] {
  const labels = { namespace: metadata.namespace ?? "", pod: metadata.name, job: "kube-state-metrics" };
  const current = at(status, "phase");
  return phases.map((phase) => ({
    name: "kube_pod_status_phase",
    labels: { ...labels, phase },
    value: Number(phase === current),
  }));
}

/** Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function exposition(samples: readonly Sample[]): string {
  return groups(samples, (sample) => sample.name)
    .flat()
    .map(({ name, labels, value }) => {
      const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
      return `${name}{${pairs.join(",")}} ${value}\n`;
    })
    .join("");
}

function groups<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const byKey = new Map<string, T[]>();
  for (const item of items) {
    const group = byKey.get(keyOf(item)) ?? [];
    byKey.set(keyOf(item), group);
    group.push(item);
  }
  return [...byKey.values()];
}

let pushed = 0;

async function tellLogs(world: ClusterState, lokiUrl: string | undefined): Promise<void> {
  writeLogs(world);
  const lines = world.logs.lines();
  const fresh = lines.filter((line) => line.atMs > pushed);
  if (lokiUrl === undefined || fresh.length === 0) return;
  const streams = groups(fresh, ({ labels }) => JSON.stringify(labels)).map((group) => ({
    stream: group[0]?.labels,
    // Lines of one moment need moments of their own, or Loki takes equal ones for one.
    values: group.map(({ atMs, line }, index) => [`${BigInt(Math.round(atMs)) * 1_000_000n + BigInt(index)}`, line]),
  }));
  const response = await fetch(`${lokiUrl}/loki/api/v1/push`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ streams }),
    signal: AbortSignal.timeout(3_000),
  });
  await response.body?.cancel();
  if (response.ok) pushed = Math.max(...fresh.map((line) => line.atMs));
}

function lineOf(pod: KubeObject, workload: string, line: string) {
  const labels = { namespace, pod: pod.metadata.name, container: workload, app: workload };
  return { atMs: Date.now(), labels, line };
}
