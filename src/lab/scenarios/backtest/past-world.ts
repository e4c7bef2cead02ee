import { join } from "node:path";
import { createSeriesStore, type Sample } from "../../cluster/metrics/series-store.ts";
import { type Answer, type Asked, serveApi } from "../../cluster/servers/api-server.ts";
import { createLogStore, lokiAnswer, type LogStore } from "../../cluster/servers/loki-api.ts";
import { prometheusAnswer } from "../../cluster/servers/prometheus-api.ts";
import { randomFrom } from "../../cluster/simulation/random.ts";
import type { LabRule } from "../../cluster/metrics/rules.ts";
import { commitsOf, eventsOf, type PastEvent, quietBetween, type Running, runningOf, statesOf } from "./past-events.ts";
import { declaredFirst, firstFiles, writePast } from "./past-repository.ts";
import { type PastTrouble, pastWorkloads, usualLoad } from "./past-troubles.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
/** Troubles begin at ten. */
const hourOfTroubles = 10 * 60 * minute;
const scrapeMs = minute;

/** A past with known truth, on loopback: Prometheus, Loki and a repository. */
export interface PastWorldServers {
  readonly prometheus: string;
  readonly loki: string;
  readonly repository: string;
  readonly from: Date;
  readonly to: Date;
  /** How often Prometheus and Loki were asked, and by which methods. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

interface PastSettings {
  readonly directory: string;
  readonly troubles: readonly PastTrouble[];
  readonly days: number;
  /** Undefined = the repository has none. */
  readonly guardrails?: string | undefined;
  /** Files of the repository beside its own. */
  readonly files?: Readonly<Record<string, string>>;
  /** Keeps each answer, for those who will ask the same again. */
  readonly remembers?: boolean;
}

/** The past changes no more: the same question has the same answer. */
function memoized(answer: (asked: Asked) => Answer): (asked: Asked) => Answer {
  const known = new Map<string, Answer>();
  return (asked) => {
    const question = `${asked.method} ${asked.path}?${asked.query.toString()}`;
    const given = known.get(question) ?? answer(asked);
    known.set(question, given);
    return given;
  };
}

/** Writes the history and serves it. */
export async function openPastWorld(settings: PastSettings): Promise<PastWorldServers> {
  const { directory, troubles, days, guardrails, files = {}, remembers = false } = settings;
  const to = Math.floor(Date.parse("2026-11-20T00:00:00Z") / day) * day;
  const from = to - days * day;
  const begin = (trouble: PastTrouble) => from + trouble.day * day + hourOfTroubles;
  const events = troubles.flatMap((trouble) => eventsOf(trouble, begin(trouble))).sort((a, b) => a.at - b.at);
  const repository = join(directory, "past.git");
  await writePast(repository, commitsOf(events, { from: from - day, files: { ...firstFiles(guardrails), ...files } }));
  const store = createSeriesStore(Number.MAX_SAFE_INTEGER);
  const logs = createLogStore(200_000);
  writeSeries(store, logs, { from, to, events });
  const asked: string[] = [];
  const serve = (name: string, answer: (request: Asked) => Answer) => {
    const answered = remembers ? memoized(answer) : answer;
    return serveApi((request) => {
      asked.push(`${request.method} ${name}`);
      return answered(request);
    });
  };
  const now = () => to;
  const state = { store, now, lookbackMs: 5 * minute, rules: pastRules, alerts: () => [] };
  const [prometheus, loki] = await Promise.all([
    serve("prometheus", (request) => prometheusAnswer(state, request)),
    serve("loki", (request) => lokiAnswer(logs, now, request)),
  ]);
  return {
    ...{ prometheus: prometheus.url, loki: loki.url, repository, from: new Date(from), to: new Date(to), asked },
    close: async () => void (await Promise.all([prometheus.close(), loki.close()])),
  };
}

const inbound = 'direction="inbound"';
const pastRules: readonly LabRule[] = [
  {
    alert: "HighRequestLatency",
    expr: `histogram_quantile(0.99, sum by (namespace, deployment, le) (rate(response_latency_ms_bucket{${inbound}}[5m]))) > 300`,
    ...{ forMs: 2 * minute, labels: { severity: "critical" }, annotations: {} },
  },
  {
    alert: "HighErrorRate",
    expr: `sum by (namespace, deployment) (rate(response_total{${inbound},classification="failure"}[5m])) / sum by (namespace, deployment) (rate(response_total{${inbound}}[5m])) > 0.05`,
    ...{ forMs: 2 * minute, labels: { severity: "critical" }, annotations: {} },
  },
];

type PastWorkload = (typeof pastWorkloads)[number];

interface Counters {
  requests: number;
  failures: number;
  fast: number;
  slow: number;
  /** Core seconds by pod. */
  readonly cpu: Map<string, number>;
  pressedSince: number | undefined;
  failingSince: number | undefined;
}

const [coresPerRequest, coresOfPod] = [0.001, 0.1];
const pressed = 0.9;

/** One scrape a minute of what the workloads did, and Prometheus' record of its own alerts. */
function writeSeries(
  store: ReturnType<typeof createSeriesStore>,
  logs: LogStore,
  { from, to, events }: { readonly from: number; readonly to: number; readonly events: readonly PastEvent[] },
): void {
  const random = randomFrom(7);
  const counters = new Map(pastWorkloads.map(({ name }) => [name, emptyCounters()]));
  const states = new Map(pastWorkloads.map((one) => [one.name, statesOf(one, events)]));
  const isQuietAt = quietBetween(events);
  for (let at = from, last = from - scrapeMs; at <= to; at += scrapeMs) {
    // Nothing happens between the troubles: a scrape in four minutes shows that as well.
    if (isQuietAt(at) && at - last < 4 * scrapeMs) continue;
    const seconds = (at - last) / 1000;
    last = at;
    const alerts: Sample[] = [];
    const samples = pastWorkloads.flatMap((one) => {
      const count = counters.get(one.name) ?? emptyCounters();
      const now = states.get(one.name)?.(at) ?? runningOf(usualLoad, declaredFirst(one), declaredFirst(one));
      const noise = 0.97 + 0.06 * random();
      advance(count, one.name, now, { noise, at, seconds });
      alerts.push(...alertsOf(one, count, at));
      if (now.isFailing)
        logs.add({
          atMs: at,
          labels: { namespace: one.namespace, pod: podsOf(one.name, now, 0) },
          line: "error: cannot read the price list",
        });
      return [...trafficOf(one, count), ...podSamples(one, now, count), ...stateSamples(one, now)];
    });
    store.append("shop", at, samples);
    store.append("rules", at, alerts);
  }
}

function emptyCounters(): Counters {
  return {
    requests: 0,
    failures: 0,
    fast: 0,
    slow: 0,
    cpu: new Map(),
    pressedSince: undefined,
    failingSince: undefined,
  };
}

function advance(
  count: Counters,
  name: string,
  running: Running,
  { noise, at, seconds }: { readonly noise: number; readonly at: number; readonly seconds: number },
): void {
  const { load, declared, isFailing } = running;
  const requests = load * noise * seconds;
  const used = Math.min(load * noise * coresPerRequest, declared.replicas * coresOfPod * 1.1);
  const isPressed = used / (declared.replicas * coresOfPod) >= pressed;
  count.requests += requests;
  count.failures += isFailing ? requests * 0.3 : 0;
  count.fast += isPressed ? requests * 0.4 : requests * 0.998;
  count.slow += isPressed ? requests * 0.6 : requests * 0.002;
  for (let place = 0; place < declared.replicas; place += 1) {
    const pod = podsOf(name, running, place);
    count.cpu.set(pod, (count.cpu.get(pod) ?? 0) + (used * seconds) / declared.replicas);
  }
  count.pressedSince = isPressed ? (count.pressedSince ?? at) : undefined;
  count.failingSince = isFailing ? (count.failingSince ?? at) : undefined;
}

const firesAfterMs = 5 * minute;

function alertsOf({ name, namespace }: PastWorkload, { pressedSince, failingSince }: Counters, at: number): Sample[] {
  const fires = (since: number | undefined) => since !== undefined && at - since >= firesAfterMs;
  const about = { namespace, deployment: name, severity: "critical", alertstate: "firing" };
  const one = (alertname: string) => ({ name: "ALERTS", labels: { alertname, ...about }, value: 1 });
  return [
    ...(fires(pressedSince) ? [one("HighRequestLatency")] : []),
    ...(fires(failingSince) ? [one("HighErrorRate")] : []),
  ];
}

function trafficOf({ name, namespace }: PastWorkload, { requests, failures, fast, slow }: Counters): Sample[] {
  const labels = { namespace, deployment: name, direction: "inbound" };
  const bucket = (le: string, value: number) => ({
    name: "response_latency_ms_bucket",
    labels: { ...labels, le },
    value,
  });
  return [
    { name: "request_total", labels, value: requests },
    { name: "response_total", labels: { ...labels, classification: "success" }, value: requests - failures },
    { name: "response_total", labels: { ...labels, classification: "failure" }, value: failures },
    ...[bucket("50", fast), bucket("1000", fast + slow), bucket("+Inf", fast + slow)],
  ];
}

function podsOf(name: string, { declared }: Running, place: number): string {
  const hash = declared.tag === "1.0.0" ? "5d4f8c7b9" : "7c6d9e8fa";
  return `${name}-${hash}-x${place}abc`;
}

function podSamples({ name, namespace }: PastWorkload, running: Running, { cpu }: Counters): Sample[] {
  const { replicas, memory } = running.declared;
  const set = podsOf(name, running, 0).replace(/-x0abc$/, "");
  return Array.from({ length: replicas }).flatMap((_, place): Sample[] => {
    const pod = podsOf(name, running, place);
    const own = { namespace, pod, container: name };
    const limit = Number.parseInt(memory, 10) * 2 ** 20;
    return [
      { name: "container_cpu_usage_seconds_total", labels: own, value: cpu.get(pod) ?? 0 },
      { name: "container_memory_working_set_bytes", labels: own, value: 90 * 2 ** 20 },
      { name: "kube_pod_info", labels: { namespace, pod, node: "node-1" }, value: 1 },
      { name: "kube_pod_owner", labels: { namespace, pod, owner_kind: "ReplicaSet", owner_name: set }, value: 1 },
      { name: "kube_pod_container_status_restarts_total", labels: own, value: 0 },
      {
        name: "kube_pod_container_resource_requests",
        labels: { ...own, resource: "cpu", unit: "core" },
        value: coresOfPod,
      },
      {
        name: "kube_pod_container_resource_requests",
        labels: { ...own, resource: "memory", unit: "byte" },
        value: 2 ** 27,
      },
      {
        name: "kube_pod_container_resource_limits",
        labels: { ...own, resource: "memory", unit: "byte" },
        value: limit,
      },
    ];
  });
}

function stateSamples({ name, namespace }: PastWorkload, { declared: { replicas } }: Running): Sample[] {
  const labels = { namespace, deployment: name };
  const values = {
    ...{ kube_deployment_spec_replicas: replicas, kube_deployment_status_replicas_ready: replicas },
    ...{ kube_deployment_status_replicas_updated: replicas, kube_deployment_metadata_generation: 1 },
    kube_deployment_status_observed_generation: 1,
  };
  return Object.entries(values).map(([metric, value]) => ({ name: metric, labels, value }));
}
