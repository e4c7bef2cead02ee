import type { EvidenceKey, Series } from "./evidence.ts";
import type { Incident } from "../incident/incident.ts";
import type { Workload } from "../kubernetes/workload.ts";

/** One way to ask, in the words of one exporter. */
interface Dialect {
  readonly query: string;
  /** Labels of the exporter by the ones that name a workload here. */
  readonly rename?: Readonly<Record<string, string>>;
  /** How the series of one workload's pods become one series of the workload. */
  readonly fold?: "sum" | "max";
}

/** One measurement of the collection: the first dialect that knows it answers. `metric` marks what feeds the ranking. */
export interface PromQuestion {
  readonly key: EvidenceKey;
  readonly title: string;
  readonly unit: string;
  readonly dialects: readonly Dialect[];
  readonly metric?: "latency" | "latency-seen" | "requests" | "errors" | "saturation";
  /** Not every exporter measures it: nobody misses an empty answer. */
  readonly optional?: true;
}

/**
 * What is asked about a whole namespace, because the workload that hurts is not always the one that is sick: traffic as
 * Linkerd, Istio, OpenTelemetry's service graph or the application itself publish it, the rest as cAdvisor and
 * kube-state-metrics do. `window` is a Prometheus duration.
 */
export function promQuestions(workload: Workload, window: string): readonly PromQuestion[] {
  return [...trafficQuestions(workload, window), ...resourceQuestions(workload, window)];
}

function trafficQuestions({ namespace }: Workload, window: string): readonly PromQuestion[] {
  const traffic = [linkerd, istio, openTelemetry].map((dialect) => dialect(JSON.stringify(namespace), window));
  const plain = plainHttp(JSON.stringify(namespace), window);
  return [
    {
      ...{ key: "requests", title: "requests per second", unit: "1/s", metric: "requests" },
      dialects: [...traffic.map(({ requests }) => requests), plain.requests],
    },
    {
      ...{ key: "error-share", title: "share of requests that fail", unit: "", metric: "errors" },
      dialects: [...traffic.map(({ errorShare }) => errorShare), plain.errorShare],
    },
    {
      ...{ key: "node-metrics", title: "95th percentile of the latency", unit: "ms", metric: "latency" },
      dialects: traffic.map(({ latency }) => latency),
    },
    {
      ...{ key: "node-metrics", title: "95th percentile of the latency as callers see it", unit: "ms" },
      ...{ metric: "latency-seen", optional: true },
      dialects: traffic.map(({ latencySeen }) => latencySeen),
    },
    {
      ...{ key: "calls", title: "who calls whom", unit: "1/s" },
      dialects: traffic.map(({ calls }) => calls),
    },
  ];
}

interface Traffic {
  readonly requests: Dialect;
  readonly errorShare: Dialect;
  readonly latency: Dialect;
  /** Where the calls come from: a slow network between two workloads shows only there. */
  readonly latencySeen: Dialect;
  readonly calls: Dialect;
}

/** https://linkerd.io/2/reference/proxy-metrics/ */
function linkerd(namespace: string, window: string): Traffic {
  const inbound = `namespace=${namespace},direction="inbound"`;
  const each = "namespace, deployment, statefulset";
  const failed = `sum by (${each}) (rate(response_total{${inbound},classification="failure"}[${window}]))`;
  const answered = `sum by (${each}) (rate(response_total{${inbound}}[${window}]))`;
  const buckets = `sum by (${each}, le) (rate(response_latency_ms_bucket{${inbound}}[${window}]))`;
  const ends = `${each}, dst_namespace, dst_deployment, dst_statefulset`;
  const outbound = `namespace=${namespace},direction="outbound"`;
  const callee = "dst_namespace, dst_deployment, dst_statefulset";
  const seen = `sum by (${callee}, le) (rate(response_latency_ms_bucket{${outbound}}[${window}]))`;
  const rename = { dst_namespace: "namespace", dst_deployment: "deployment", dst_statefulset: "statefulset" };
  return {
    requests: { query: `sum by (${each}) (rate(request_total{${inbound}}[${window}]))` },
    errorShare: { query: `${failed} / ${answered}` },
    latency: { query: `histogram_quantile(0.95, ${buckets})` },
    latencySeen: { query: `histogram_quantile(0.95, ${seen})`, rename },
    calls: { query: `sum by (${ends}) (rate(request_total{namespace=${namespace},direction="outbound"}[${window}]))` },
  };
}

/** https://istio.io/latest/docs/reference/config/metrics/ names no kinds: its workloads are taken as Deployments. */
function istio(namespace: string, window: string): Traffic {
  const here = `reporter="destination",destination_workload_namespace=${namespace}`;
  const each = "destination_workload_namespace, destination_workload";
  const rename = { destination_workload: "deployment", destination_workload_namespace: "namespace" };
  const rate = (more = "") => `sum by (${each}) (rate(istio_requests_total{${here}${more}}[${window}]))`;
  const buckets = `sum by (${each}, le) (rate(istio_request_duration_milliseconds_bucket{${here}}[${window}]))`;
  const ends = `source_workload, source_workload_namespace, ${each}`;
  return {
    requests: { query: rate(), rename },
    errorShare: { query: `${rate(',response_code=~"5.."')} / ${rate()}`, rename },
    latency: { query: `histogram_quantile(0.95, ${buckets})`, rename },
    latencySeen: {
      query: `histogram_quantile(0.95, ${buckets.replace('reporter="destination"', 'reporter="source"')})`,
      rename,
    },
    calls: { query: `sum by (${ends}) (rate(istio_requests_total{${here}}[${window}]))` },
  };
}

/**
 * OpenTelemetry's service graph connector and Tempo's generator. They know services, not namespaces: a service is taken
 * as the Deployment of its name here.
 */
function openTelemetry(_: string, window: string): Traffic {
  const rename = { server: "deployment" };
  const rate = (what: string) => `sum by (server) (rate(traces_service_graph_request_${what}_total[${window}]))`;
  const all = `sum by (server) (rate(traces_service_graph_request_total[${window}]))`;
  const buckets = `sum by (server, le) (rate(traces_service_graph_request_server_seconds_bucket[${window}]))`;
  return {
    requests: { query: all, rename },
    errorShare: { query: `${rate("failed")} / ${all}`, rename },
    latency: { query: `1000 * histogram_quantile(0.95, ${buckets})`, rename },
    latencySeen: { query: `1000 * histogram_quantile(0.95, ${buckets.replace("_server_", "_client_")})`, rename },
    calls: { query: `sum by (client, server) (rate(traces_service_graph_request_total[${window}]))` },
  };
}

/** The counter that most client libraries suggest, with the status under `code` or `status`. */
function plainHttp(namespace: string, window: string): Pick<Traffic, "requests" | "errorShare"> {
  const rate = (more = "") =>
    `sum by (namespace, pod) (rate(http_requests_total{namespace=${namespace}${more}}[${window}]))`;
  return {
    requests: { query: rate(), fold: "sum" },
    errorShare: { query: `(${rate(',code=~"5.."')} or ${rate(',status=~"5.."')}) / ${rate()}`, fold: "max" },
  };
}

function resourceQuestions({ namespace }: Workload, window: string): readonly PromQuestion[] {
  const here = `namespace=${JSON.stringify(namespace)}`;
  const containers = `${here},container!=""`;
  const pods = (expression: string) => `sum by (namespace, pod) (${expression})`;
  const one = (query: string, fold: "sum" | "max"): Pick<PromQuestion, "dialects"> => ({ dialects: [{ query, fold }] });
  const periods = (which: string) => pods(`rate(container_cpu_cfs_${which}periods_total{${containers}}[${window}])`);
  const limits = `max by (namespace, pod) (kube_pod_container_resource_limits{${here},resource="memory"})`;
  return [
    {
      ...{ key: "cpu-used", title: "CPU used", unit: "cores" },
      ...one(pods(`rate(container_cpu_usage_seconds_total{${containers}}[${window}])`), "sum"),
    },
    {
      ...{ key: "cpu-requested", title: "CPU requested", unit: "cores" },
      ...one(pods(`kube_pod_container_resource_requests{${here},resource="cpu"}`), "sum"),
    },
    {
      ...{ key: "cpu-throttled", title: "share of CPU periods that were throttled", unit: "" },
      ...one(`${periods("throttled_")} / ${periods("")}`, "max"),
    },
    {
      ...{ key: "memory-used", title: "memory of the fullest container", unit: "bytes" },
      ...one(`max by (namespace, pod) (container_memory_working_set_bytes{${containers}})`, "max"),
    },
    { ...{ key: "memory-limit", title: "memory limit", unit: "bytes" }, ...one(limits, "max") },
    {
      ...{ key: "restarts", title: "restarts of containers", unit: "" },
      ...one(pods(`increase(kube_pod_container_status_restarts_total{${here}}[${window}])`), "sum"),
    },
  ];
}

/** Labels that tell which firings of an alert are about the same thing. */
const identifying = ["namespace", "deployment", "statefulset", "rollout", "service", "job", "severity"];

/** When this alert fired for this workload, as Prometheus itself recorded it: one series, 1 while it did. */
export function historyQuery({ alert }: Incident): string {
  const same = identifying.flatMap((label) => {
    const value = alert.labels[label];
    return value === undefined ? [] : [`${label}=${JSON.stringify(value)}`];
  });
  const matchers = [`alertname=${JSON.stringify(alert.name)}`, 'alertstate="firing"', ...same];
  return `max(ALERTS{${matchers.join(",")}})`;
}

/** The series of an answer in our words: labels renamed, pods folded into their workloads. */
export function dialectSeries(series: readonly Series[], { rename = {}, fold }: Dialect): readonly Series[] {
  const renamed = series.map(({ labels, points }) => ({
    labels: Object.fromEntries(Object.entries(labels).map(([label, value]) => [rename[label] ?? label, value])),
    points,
  }));
  return fold === undefined ? renamed : foldPods(renamed, fold);
}

// Names that the Deployment and StatefulSet controllers give: <name>-<hash>-<id> and <name>-<ordinal>.
const deploymentPod = /^(.+)-[a-z0-9]{6,10}-[a-z0-9]{5}$/;
const statefulPod = /^(.+)-\d+$/;

/** Folds the series of pods into one per workload; the pod's name tells whose it is. Series without a pod stay. */
function foldPods(series: readonly Series[], fold: "sum" | "max"): readonly Series[] {
  const byWorkload = new Map<string, { labels: Record<string, string>; points: Map<number, number> }>();
  for (const { labels, points } of series) {
    const owner = ownerOf(labels);
    const key = JSON.stringify(owner);
    const kept = byWorkload.get(key) ?? { labels: owner, points: new Map<number, number>() };
    byWorkload.set(key, kept);
    for (const [at, value] of points) {
      const before = kept.points.get(at);
      kept.points.set(at, before === undefined ? value : fold === "sum" ? before + value : Math.max(before, value));
    }
  }
  return [...byWorkload.values()].map(({ labels, points }) => ({
    labels,
    points: [...points].sort(([a], [b]) => a - b),
  }));
}

function ownerOf({ pod, ...labels }: Readonly<Record<string, string>>): Record<string, string> {
  if (pod === undefined) return labels;
  const deployment = deploymentPod.exec(pod)?.[1];
  if (deployment !== undefined) return { ...labels, deployment };
  const statefulset = statefulPod.exec(pod)?.[1];
  return statefulset === undefined ? { ...labels, pod } : { ...labels, statefulset };
}
