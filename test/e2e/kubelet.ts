import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRecord } from "../../src/domain/kubernetes/rendered.ts";
import { at } from "../../src/lab/cluster/objects/kube-object.ts";
import { parseYaml } from "../../src/manifests/yaml/yaml.ts";
import type { ApiObject, KubeClient } from "./kube-client.ts";
import { every } from "./processes.ts";

/** An image that no registry has. */
export const missingImage = "ghcr.io/rectify-lab/shop-web:1.15.0-typo";

const readsConfigMaps = ".spec.containers[].env[]?.valueFrom.configMapKeyRef.name";

/**
 * kwok's stage that makes a pod ready, less the pods of which it cannot know whether they come up: those whose image no
 * registry has, and those that read a ConfigMap. They are `startKubelet`'s.
 */
export function readyStage(shipped: string, directory: string): string {
  const read = parseYaml(readFileSync(shipped, "utf8"));
  const shared = read.ok ? at(read.value, "spec", "selector", "matchExpressions") : undefined;
  if (!read.ok || !isRecord(read.value) || !Array.isArray(shared)) throw new Error(`${shipped} has another shape`);
  const spec = at(read.value, "spec") as Record<string, unknown>;
  const matchExpressions = [
    ...(shared as unknown[]),
    { key: ".spec.containers[].image", operator: "NotIn", values: [missingImage] },
    { key: readsConfigMaps, operator: "DoesNotExist" },
  ];
  const path = join(directory, "pod-ready.yaml");
  writeFileSync(path, JSON.stringify({ ...read.value, spec: { ...spec, selector: { matchExpressions } } }));
  return path;
}

const lookMs = 400;

/** What the kubelet says of a container that it cannot start. */
interface Trouble {
  readonly waiting: { readonly reason: string; readonly message: string };
  /** Of its event, whose reason is `Failed`. */
  readonly event: string;
}

/**
 * Stands in for the kubelets of pods that kwok leaves alone: asks the API server for what a container needs to start, and
 * writes the status and the event that a kubelet writes. Tried again at each look, as a kubelet does. Answers how to stop.
 */
export function startKubelet(kube: KubeClient, namespace: string): () => Promise<void> {
  return every(lookMs, async () => {
    for (const pod of await kube.list(`/api/v1/namespaces/${namespace}/pods`)) {
      if (isHeld(pod) && !isReady(pod)) await tell(kube, pod, await troubleOf(kube, pod));
    }
  });
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly valueFrom?: { readonly configMapKeyRef?: ConfigMapKey } }[];
}

interface ConfigMapKey {
  readonly name: string;
  readonly key: string;
}

const containersOf = (pod: ApiObject) => at(pod, "spec", "containers") as readonly Container[];
const keysOf = ({ env = [] }: Container) => env.flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef ?? []);

function isHeld(pod: ApiObject): boolean {
  if (at(pod, "spec", "nodeName") === undefined || pod.metadata.deletionTimestamp !== undefined) return false;
  return containersOf(pod).some((one) => one.image === missingImage || keysOf(one).length > 0);
}

function isReady(pod: ApiObject): boolean {
  const conditions = (at(pod, "status", "conditions") ?? []) as readonly { type: string; status: string }[];
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

async function troubleOf(kube: KubeClient, pod: ApiObject): Promise<Trouble | undefined> {
  const namespace = pod.metadata.namespace ?? "";
  for (const container of containersOf(pod)) {
    const { image } = container;
    if (image === missingImage) {
      const message = `Back-off pulling image "${image}"`;
      return { waiting: { reason: "ImagePullBackOff", message }, event: `Failed to pull image "${image}": not found` };
    }
    for (const { name, key } of keysOf(container)) {
      const { status, body } = await kube.call("GET", `/api/v1/namespaces/${namespace}/configmaps/${name}`);
      if (status === 200 && at(body, "data", key) !== undefined) continue;
      const message =
        status === 200 ? `couldn't find key ${key} in ConfigMap ${namespace}/${name}` : `configmap "${name}" not found`;
      return { waiting: { reason: "CreateContainerConfigError", message }, event: `Error: ${message}` };
    }
  }
  return undefined;
}

async function tell(kube: KubeClient, pod: ApiObject, trouble: Trouble | undefined): Promise<void> {
  const { name, namespace = "" } = pod.metadata;
  const told = at(pod, "status", "containerStatuses", 0, "state", "waiting", "message");
  if (trouble !== undefined && told === trouble.waiting.message) return;
  const now = new Date().toISOString();
  const ready = trouble === undefined;
  const status = {
    phase: ready ? "Running" : "Pending",
    ...(ready ? { podIP: addressOf(name), startTime: now } : {}),
    conditions: ["Initialized", "Ready", "ContainersReady"].map((type) => ({
      ...{ type, lastTransitionTime: now, status: ready || type === "Initialized" ? "True" : "False" },
      ...(ready ? {} : { reason: "ContainersNotReady" }),
    })),
    containerStatuses: containersOf(pod).map((container) => ({
      ...{ name: container.name, image: container.image, imageID: "", restartCount: 0, ready },
      state: ready ? { running: { startedAt: now } } : { waiting: trouble.waiting },
    })),
  };
  const contentType = "application/strategic-merge-patch+json";
  await kube.ask("PATCH", `/api/v1/namespaces/${namespace}/pods/${name}/status`, { body: { status }, contentType });
  if (trouble !== undefined) await note(kube, pod, trouble.event);
}

async function note(kube: KubeClient, { metadata }: ApiObject, message: string): Promise<void> {
  const { name, namespace = "", uid } = metadata;
  const now = new Date().toISOString();
  await kube.ask("POST", `/api/v1/namespaces/${namespace}/events`, {
    body: {
      ...{ apiVersion: "v1", kind: "Event", metadata: { generateName: `${name}.`, namespace } },
      ...{ involvedObject: { apiVersion: "v1", kind: "Pod", name, namespace, uid } },
      ...{ type: "Warning", reason: "Failed", message, count: 1, firstTimestamp: now, lastTimestamp: now },
      source: { component: "kubelet" },
    },
  });
}

/** Any address of its own in a range that kwok does not give. */
function addressOf(pod: string): string {
  const sum = [...pod].reduce((total, letter) => (total * 31 + letter.charCodeAt(0)) % 65_025, 7);
  return `10.250.${Math.floor(sum / 255)}.${(sum % 255) + 1}`;
}
