import { parseQuantity } from "../../../domain/kubernetes/quantity.ts";
import { at, containersOf, type KubeObject, numberAt } from "../objects/kube-object.ts";
import type { KubeStore } from "../objects/kube-store.ts";
import { isReady, statusesOf } from "../objects/pods.ts";
import { hardOf, namespaceUsage } from "../objects/quota.ts";
import type { Labels, Sample } from "./series-store.ts";

const job = "kube-state-metrics";

/** What kube-state-metrics exports of the objects that the lab has, and that it is scraped itself. */
export function kubeStateSamples(store: KubeStore): Sample[] {
  return [
    { name: "up", labels: { job, namespace: "monitoring", instance: "kube-state-metrics:8080" }, value: 1 },
    ...store.list("Deployment").flatMap((deployment) => asBefore(deployment, deploymentSamples)),
    ...store.list("Pod").flatMap((pod) => asBefore(pod, podSamples)),
    ...jobSamples([
      ...store.list("HorizontalPodAutoscaler").flatMap(autoscalerSamples),
      ...store.list("ResourceQuota").flatMap((quota) => quotaSamples(store, quota)),
      ...store.list("Node").flatMap(nodeSamples),
    ]),
  ];
}

const before = new WeakMap<KubeObject, { readonly version: string; readonly samples: readonly Sample[] }>();

/** The samples of an object that nobody touched since are those of the last scrape. */
function asBefore(object: KubeObject, samplesOf: (object: KubeObject) => Sample[]): readonly Sample[] {
  const version = object.metadata.resourceVersion ?? "";
  const known = before.get(object);
  if (known?.version === version) return known.samples;
  const samples = jobSamples(samplesOf(object));
  before.set(object, { version, samples });
  return samples;
}

function jobSamples(samples: readonly Sample[]): Sample[] {
  return samples.map(({ name, labels, value }) => ({ name, labels: scraped(name, labels), value }));
}

/** The label sets of every scrape before: one object for each, so that its text is worked out once. */
const known = new Map<string, Labels>();
const mostKnown = 20_000;

function scraped(name: string, labels: Labels): Labels {
  // A metric of one name has its labels in one order.
  const key = `${name}\u0000${Object.values(labels).join("\u0000")}`;
  const found = known.get(key) ?? { ...labels, job };
  if (known.size > mostKnown) known.clear();
  known.set(key, found);
  return found;
}

function deploymentSamples(deployment: KubeObject): Sample[] {
  const { namespace = "", name, generation = 1 } = deployment.metadata;
  const labels = { namespace, deployment: name };
  const status = (field: string) => numberAt(deployment, "status", field) ?? 0;
  const values = {
    kube_deployment_spec_replicas: numberAt(deployment, "spec", "replicas") ?? 1,
    kube_deployment_status_replicas: status("replicas"),
    kube_deployment_status_replicas_ready: status("readyReplicas"),
    kube_deployment_status_replicas_available: status("availableReplicas"),
    kube_deployment_status_replicas_updated: status("updatedReplicas"),
    kube_deployment_status_replicas_unavailable: status("unavailableReplicas"),
    kube_deployment_metadata_generation: generation,
    kube_deployment_status_observed_generation: status("observedGeneration"),
  };
  return Object.entries(values).map(([metric, value]) => ({ name: metric, labels, value }));
}

function podSamples(pod: KubeObject): Sample[] {
  const { namespace = "", name } = pod.metadata;
  const owner = pod.metadata.ownerReferences?.[0];
  const node = String(at(pod, "spec", "nodeName"));
  const labels = { namespace, pod: name };
  const states = new Map(statusesOf(pod).map((state) => [state.name, state]));
  return [
    { name: "kube_pod_info", labels: { ...labels, node }, value: 1 },
    {
      name: "kube_pod_owner",
      labels: { ...labels, owner_kind: owner?.kind ?? "", owner_name: owner?.name ?? "" },
      value: 1,
    },
    { name: "kube_pod_status_ready", labels: { ...labels, condition: "true" }, value: Number(isReady(pod)) },
    ...containersOf(pod.spec).flatMap(({ name: container, requests, limits }) => {
      const state = states.get(container);
      const own = { ...labels, container };
      const reason = String(at(state?.lastState, "terminated", "reason") ?? "");
      const waiting = String(at(state, "state", "waiting", "reason") ?? "");
      return [
        ...amounts("kube_pod_container_resource_requests", { ...own, node }, requests),
        ...amounts("kube_pod_container_resource_limits", { ...own, node }, limits),
        { name: "kube_pod_container_status_restarts_total", labels: own, value: state?.restartCount ?? 0 },
        ...(waiting === ""
          ? []
          : [{ name: "kube_pod_container_status_waiting_reason", labels: { ...own, reason: waiting }, value: 1 }]),
        ...(reason === ""
          ? []
          : [{ name: "kube_pod_container_status_last_terminated_reason", labels: { ...own, reason }, value: 1 }]),
      ];
    }),
  ];
}

function amounts(name: string, labels: Labels, quantities: Readonly<Record<string, string>>): Sample[] {
  return Object.entries(quantities).map(([resource, quantity]) => ({
    name,
    labels: { ...labels, resource, unit: resource === "cpu" ? "core" : "byte" },
    value: parseQuantity(quantity) ?? 0,
  }));
}

function autoscalerSamples(hpa: KubeObject): Sample[] {
  const labels = { namespace: hpa.metadata.namespace ?? "", horizontalpodautoscaler: hpa.metadata.name };
  const values = {
    kube_horizontalpodautoscaler_spec_min_replicas: numberAt(hpa, "spec", "minReplicas") ?? 1,
    kube_horizontalpodautoscaler_spec_max_replicas: numberAt(hpa, "spec", "maxReplicas") ?? 1,
    kube_horizontalpodautoscaler_status_current_replicas: numberAt(hpa, "status", "currentReplicas") ?? 0,
    kube_horizontalpodautoscaler_status_desired_replicas: numberAt(hpa, "status", "desiredReplicas") ?? 0,
  };
  return Object.entries(values).map(([name, value]) => ({ name, labels, value }));
}

function quotaSamples(store: KubeStore, quota: KubeObject): Sample[] {
  const { namespace = "", name: resourcequota } = quota.metadata;
  const used = namespaceUsage(store, namespace);
  return hardOf(quota.spec).flatMap(([resource, hard]) => {
    const labels = { namespace, resourcequota, resource };
    return [
      { name: "kube_resourcequota", labels: { ...labels, type: "hard" }, value: hard },
      { name: "kube_resourcequota", labels: { ...labels, type: "used" }, value: used[resource] ?? 0 },
    ];
  });
}

function nodeSamples(node: KubeObject): Sample[] {
  const conditions = at(node, "status", "conditions");
  return (Array.isArray(conditions) ? conditions : []).map((condition: { type: string; status: string }) => ({
    name: "kube_node_status_condition",
    labels: { node: node.metadata.name, condition: condition.type, status: "true" },
    value: Number(condition.status === "True"),
  }));
}
