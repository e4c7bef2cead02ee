import type { EvidenceKey, Series } from "./evidence.ts";
import type { Workload } from "./workload.ts";

/** One range query of the collection. `metric` marks series that also feed the ranking over the service graph. */
export interface PromQuestion {
  readonly key: EvidenceKey;
  readonly title: string;
  readonly unit: string;
  readonly query: string;
  /** How the series of one workload's pods become one series of the workload. */
  readonly fold?: "sum" | "max";
  readonly metric?: "latency" | "requests" | "errors" | "saturation";
}

/**
 * What is asked about a whole namespace, because the workload that hurts is not always the one that is sick. Names as
 * Linkerd (https://linkerd.io/2/reference/proxy-metrics/), cAdvisor and kube-state-metrics publish them.
 * `window` is a Prometheus duration.
 */
export function promQuestions({ namespace }: Workload, window: string): readonly PromQuestion[] {
  const here = `namespace=${JSON.stringify(namespace)}`;
  const inbound = `${here},direction="inbound"`;
  const containers = `${here},container!=""`;
  const each = "namespace, deployment, statefulset";
  const failed = `sum by (${each}) (rate(response_total{${inbound},classification="failure"}[${window}]))`;
  const answered = `sum by (${each}) (rate(response_total{${inbound}}[${window}]))`;
  const latency = `sum by (${each}, le) (rate(response_latency_ms_bucket{${inbound}}[${window}]))`;
  const pods = (expression: string) => `sum by (namespace, pod) (${expression})`;
  return [
    {
      ...{ key: "requests", title: "requests per second", unit: "1/s", metric: "requests" },
      query: `sum by (${each}) (rate(request_total{${inbound}}[${window}]))`,
    },
    {
      ...{ key: "error-share", title: "share of requests that fail", unit: "", metric: "errors" },
      query: `${failed} / ${answered}`,
    },
    {
      ...{ key: "node-metrics", title: "95th percentile of the latency", unit: "ms", metric: "latency" },
      query: `histogram_quantile(0.95, ${latency})`,
    },
    {
      ...{ key: "calls", title: "who calls whom", unit: "1/s" },
      query: `sum by (${each}, dst_namespace, dst_deployment, dst_statefulset) (rate(request_total{${here},direction="outbound"}[${window}]))`,
    },
    {
      ...{ key: "cpu-used", title: "CPU used", unit: "cores", fold: "sum" },
      query: pods(`rate(container_cpu_usage_seconds_total{${containers}}[${window}])`),
    },
    {
      ...{ key: "cpu-requested", title: "CPU requested", unit: "cores", fold: "sum" },
      query: pods(`kube_pod_container_resource_requests{${here},resource="cpu"}`),
    },
    {
      ...{ key: "cpu-throttled", title: "share of CPU periods that were throttled", unit: "", fold: "max" },
      query: `${pods(`rate(container_cpu_cfs_throttled_periods_total{${containers}}[${window}])`)} / ${pods(`rate(container_cpu_cfs_periods_total{${containers}}[${window}])`)}`,
    },
    {
      ...{ key: "memory-used", title: "memory of the fullest container", unit: "bytes", fold: "max" },
      query: `max by (namespace, pod) (container_memory_working_set_bytes{${containers}})`,
    },
    {
      ...{ key: "memory-limit", title: "memory limit", unit: "bytes", fold: "max" },
      query: `max by (namespace, pod) (kube_pod_container_resource_limits{${here},resource="memory"})`,
    },
    {
      ...{ key: "restarts", title: "restarts of containers", unit: "", fold: "sum" },
      query: pods(`increase(kube_pod_container_status_restarts_total{${here}}[${window}])`),
    },
  ];
}

// Names that the Deployment and StatefulSet controllers give: <name>-<hash>-<id> and <name>-<ordinal>.
const deploymentPod = /^(.+)-[a-z0-9]{6,10}-[a-z0-9]{5}$/;
const statefulPod = /^(.+)-\d+$/;

/** Folds the series of pods into one per workload; the pod's name tells whose it is. Series without a pod stay. */
export function foldPods(series: readonly Series[], fold: "sum" | "max"): readonly Series[] {
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
