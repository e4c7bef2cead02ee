import type { Workload } from "../../domain/kubernetes/workload.ts";
import type { AutoscalerReport, QuotaUse, Surroundings, Termination } from "../../domain/kubernetes/workload-state.ts";
import { Refused } from "../../ports/errors.ts";
import { podPattern } from "./resources.ts";
import { type Moment, type PastSample, samplesAt, selectorOf } from "./samples.ts";

/** What stood around a workload then, as far as kube-state-metrics exported it. */
export async function surroundingsThen(
  workload: Workload,
  moment: Moment & { readonly lookbackMs: number },
): Promise<Surroundings> {
  const { namespace } = workload;
  const [pods, sets, quotas, scalers] = await Promise.all([
    podSamples(workload, moment),
    samplesAt(selectorOf("kube_replicaset_", ["owner", "created"], { namespace }), moment),
    samplesAt(`kube_resourcequota{namespace=${JSON.stringify(namespace)}}`, moment),
    samplesAt(selectorOf("kube_horizontalpodautoscaler_", scalerNames, { namespace }), moment),
  ]);
  if (pods.length === 0) throw new Refused("kube-state-metrics has no pod of the workload at that time");
  const nodes = new Set(pods.flatMap(({ name, labels }) => (name === "kube_pod_info" ? (labels.node ?? []) : [])));
  const autoscaler = autoscalerOf(scalers, workload);
  const [terminations, pressures] = await Promise.all([
    terminationsOf(workload, pods, moment),
    pressuresOf(nodes, moment),
  ]);
  const rollouts = rolloutsOf(sets, workload);
  return {
    ...{ terminations, nodePressures: pressures, podStates: statesOf(pods), quotas: quotasOf(quotas) },
    ...(autoscaler === undefined ? {} : { autoscaler }),
    notes: [],
    // Asked for by name, each of them is missing evidence; an empty list would say that there was nothing.
    get events(): readonly string[] {
      throw new Refused("events of that time are not kept");
    },
    get rollouts(): Readonly<Record<string, string>> {
      if (rollouts === undefined) throw new Refused("when ReplicaSets of that time were made is not recorded");
      return rollouts;
    },
  };
}

const scalerNames = [
  "info",
  "spec_min_replicas",
  "spec_max_replicas",
  "status_current_replicas",
  "status_desired_replicas",
];

function podSamples(workload: Workload, moment: Moment): Promise<readonly PastSample[]> {
  const names = ["info", "container_status_waiting_reason", "container_status_last_terminated_reason"];
  const codes = "container_status_last_terminated_exitcode";
  const base = selectorOf("kube_pod_", [...names, codes, "status_unschedulable"], { namespace: workload.namespace });
  return samplesAt(`${base.slice(0, -1)},pod=~${JSON.stringify(podPattern(workload))}}`, moment);
}

function statesOf(pods: readonly PastSample[]): Record<string, string> {
  return Object.fromEntries(
    pods.flatMap(({ name, labels: { pod = "", container = "", reason = "" }, value }): [string, string][] => {
      if (value !== 1) return [];
      if (name === "kube_pod_status_unschedulable") return [[pod, "Unschedulable: "]];
      const isWaiting = name === "kube_pod_container_status_waiting_reason" && reason !== "ContainerCreating";
      return isWaiting ? [[`${pod}/${container}`, `waiting ${reason}: `]] : [];
    }),
  );
}

/** A kill counts where restarts rose since the lookback began: kube-state-metrics remembers the last one for ever. */
async function terminationsOf(
  { namespace }: Workload,
  pods: readonly PastSample[],
  { metrics, at, lookbackMs }: Moment & { readonly lookbackMs: number },
): Promise<readonly Termination[]> {
  const ended = pods.filter(({ name, value }) => name.endsWith("last_terminated_reason") && value === 1);
  if (ended.length === 0) return [];
  const query = `kube_pod_container_status_restarts_total{namespace=${JSON.stringify(namespace)}}`;
  const { series } = await metrics.range(query, new Date(at.getTime() - lookbackMs), at);
  return ended.flatMap(({ labels: { pod = "", container = "", reason = "unknown" } }) => {
    const points = series.find((one) => one.labels.pod === pod && one.labels.container === container)?.points ?? [];
    const rise = points.findLast(([, value], place) => place > 0 && value > (points[place - 1]?.[1] ?? value));
    const when = new Date(rise === undefined ? 0 : rise[0] * 1000).toISOString();
    const code = pods.find(
      ({ name, labels }) => name.endsWith("exitcode") && labels.pod === pod && labels.container === container,
    )?.value;
    // The kernel's kill has one code; another ending without its code is not told.
    const exitCode = code ?? (reason === "OOMKilled" ? 137 : undefined);
    return exitCode === undefined
      ? []
      : [{ pod, container, reason, exitCode, restarts: points.at(-1)?.[1] ?? 0, at: when }];
  });
}

async function pressuresOf(nodes: ReadonlySet<string>, moment: Moment): Promise<readonly string[]> {
  if (nodes.size === 0) return [];
  const samples = await samplesAt('kube_node_status_condition{status="true"}', moment);
  return samples.flatMap(({ labels: { node = "", condition = "" }, value }) => {
    if (!nodes.has(node)) return [];
    if (condition === "Ready") return value === 1 ? [] : [`${node}: NotReady`];
    return value === 1 ? [`${node}: ${condition}`] : [];
  });
}

function rolloutsOf(sets: readonly PastSample[], { kind, name }: Workload): Record<string, string> | undefined {
  const mine = sets.flatMap(({ name: series, labels }) =>
    series === "kube_replicaset_owner" && labels.owner_kind === kind && labels.owner_name === name
      ? (labels.replicaset ?? [])
      : [],
  );
  const made = sets.flatMap(({ name: series, labels, value }) =>
    series === "kube_replicaset_created" && mine.includes(labels.replicaset ?? "") ? [value] : [],
  );
  if (made.length === 0) return undefined;
  // The revision is an annotation, which is not exported: they are counted by their age.
  const byAge = made.sort((a, b) => a - b);
  return Object.fromEntries(byAge.map((seconds, place) => [String(place + 1), new Date(seconds * 1000).toISOString()]));
}

function quotasOf(samples: readonly PastSample[]): readonly QuotaUse[] {
  return samples.flatMap(({ labels: { resourcequota: quota = "", resource = "", type }, value: hard }) => {
    if (type !== "hard") return [];
    const used = samples.find(
      ({ labels }) => labels.type === "used" && labels.resourcequota === quota && labels.resource === resource,
    )?.value;
    return used === undefined ? [] : [{ quota, resource, used: String(used), hard: String(hard) }];
  });
}

function autoscalerOf(samples: readonly PastSample[], { kind, name }: Workload): AutoscalerReport | undefined {
  const hpa = samples.find(({ labels }) => labels.scaletargetref_kind === kind && labels.scaletargetref_name === name)
    ?.labels.horizontalpodautoscaler;
  if (hpa === undefined) return undefined;
  const value = (metric: string) =>
    samples.find(
      (sample) =>
        sample.name === `kube_horizontalpodautoscaler_${metric}` && sample.labels.horizontalpodautoscaler === hpa,
    )?.value ?? 0;
  const [current, desired] = [value("status_current_replicas"), value("status_desired_replicas")];
  return { name: hpa, current, desired, min: value("spec_min_replicas"), max: value("spec_max_replicas") };
}
