import { expect, test } from "vitest";
import { referencesOf } from "../../../src/domain/incident/references.ts";

type Labels = Readonly<Record<string, string>>;

/** What is asked for, in order: `kind name`. */
function asked(labels: Labels): string[] {
  const read = referencesOf(labels);
  if (read.kind === "none") return [read.because];
  return read.references.map((reference) => {
    if (reference.kind === "workload") {
      const { kind, namespace, name } = reference.workload;
      return `${namespace}/${kind}/${name}`;
    }
    if (reference.kind === "target") return `target ${reference.instance} ${reference.job}`;
    const type = reference.kind === "object" ? reference.type : reference.kind;
    return `${type} ${reference.namespace}/${reference.name}`;
  });
}

test.each<[string, Labels, string[]]>([
  ["a workload's own label", { namespace: "shop", deployment: "web" }, ["shop/Deployment/web"]],
  ["a DaemonSet", { namespace: "shop", daemonset: "agent" }, ["shop/DaemonSet/agent"]],
  [
    "workload and its type",
    { namespace: "shop", workload: "web", workload_type: "statefulset" },
    ["shop/StatefulSet/web"],
  ],
  ["workload without a type", { namespace: "shop", workload: "web" }, ["named shop/web"]],
  ["an owner", { namespace: "shop", owner_kind: "DaemonSet", owner_name: "agent" }, ["shop/DaemonSet/agent"]],
  ["no owner", { namespace: "shop", owner_kind: "<none>", owner_name: "<none>", pod: "p" }, ["pod shop/p"]],
  ["a pod", { namespace: "shop", pod: "web-1", container: "app" }, ["pod shop/web-1", "container shop/app"]],
  [
    "an autoscaler before the pod that exposes it",
    { namespace: "shop", horizontalpodautoscaler: "web", pod: "ksm-1", container: "ksm" },
    ["horizontalpodautoscaler shop/web", "pod shop/ksm-1", "container shop/ksm"],
  ],
  ["a job of Kubernetes and not of the scrape", { namespace: "shop", job: "ksm", job_name: "n" }, ["job shop/n"]],
  ["a claim", { namespace: "shop", persistentvolumeclaim: "data-db-0" }, ["persistentvolumeclaim shop/data-db-0"]],
  ["a service", { namespace: "shop", service: "web", job: "web" }, ["service shop/web"]],
  [
    "what the scrape renamed, and not the exporter's own",
    { namespace: "monitoring", pod: "ksm-1", service: "ksm", exported_namespace: "shop", exported_pod: "web-1" },
    ["pod shop/web-1"],
  ],
  [
    "a workload whose namespace alone was renamed",
    { namespace: "monitoring", pod: "ksm-1", exported_namespace: "shop", deployment: "web" },
    ["shop/Deployment/web"],
  ],
  [
    "OpenTelemetry's names",
    { "k8s.namespace.name": "shop", "k8s.deployment.name": "web", "k8s.cluster.name": "eu" },
    ["shop/Deployment/web"],
  ],
  ["OpenTelemetry's names with underscores", { k8s_namespace_name: "shop", k8s_pod_name: "web-1" }, ["pod shop/web-1"]],
  ["OpenTelemetry's job", { k8s_namespace_name: "shop", k8s_job_name: "n" }, ["job shop/n"]],
  [
    "the destination of a call",
    { destination_workload: "web", destination_workload_namespace: "shop" },
    ["named shop/web"],
  ],
  ["what was scraped", { instance: "10.0.0.7:8080", job: "web" }, ["target 10.0.0.7:8080 web"]],
  [
    "a node is no workload",
    { node: "n1", instance: "10.0.0.7:8080", job: "ksm" },
    ["it is about a node (n1), not about a workload"],
  ],
  ["a pod without a namespace", { pod: "web-1" }, ["it names a pod and no namespace"]],
  [
    "several workloads",
    { namespace: "shop", deployment: "a", statefulset: "b" },
    ["its labels name several workloads: deployment, statefulset"],
  ],
  [
    "the same workload twice",
    { namespace: "shop", deployment: "a", workload: "a", workload_type: "deployment" },
    ["shop/Deployment/a"],
  ],
  [
    "a name that is none",
    { namespace: "shop", deployment: "../x" },
    ["its labels name what Kubernetes could not hold"],
  ],
  ["an empty label", { namespace: "shop", deployment: "", pod: "web-1" }, ["pod shop/web-1"]],
])("%s", (_, labels, expected) => {
  expect(asked(labels)).toEqual(expected);
});
