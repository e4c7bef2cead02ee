import { at, containersOf, type KubeObject } from "./kube-object.ts";
import type { KubeStore } from "./kube-store.ts";
import { quotaRefusal } from "./quota.ts";
import { type Random, randomName } from "../simulation/random.ts";

/** What the controllers of workloads share. */
export interface Fleet {
  readonly store: KubeStore;
  readonly random: Random;
  readonly now: () => number;
  /** How long a new pod of this workload takes to become ready. */
  readonly podStartMs: (workload: string) => number;
  /** When each pod becomes ready, Unix milliseconds, by pod name. */
  readonly readyAt: Map<string, number>;
  /** Why no new pod of a workload is let in, besides quotas; undefined = it is. */
  refuses?: (workload: string) => string | undefined;
}

/** Creates a pod of the owner unless a quota refuses it. */
export function createPod(fleet: Fleet, owner: KubeObject, workload: KubeObject, name: string): KubeObject | undefined {
  const { store } = fleet;
  const template = at(workload, "spec", "template") as {
    metadata?: { labels?: object; annotations?: object };
    spec?: object;
  };
  const refusal =
    quotaRefusal(store, owner.metadata.namespace, template.spec, name) ?? fleet.refuses?.(workload.metadata.name);
  if (refusal !== undefined) {
    store.note(owner, { type: "Warning", reason: "FailedCreate", message: `Error creating: ${refusal}` });
    return undefined;
  }
  const pod = store.put({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      labels: { ...template.metadata?.labels, ...owner.metadata.labels },
      annotations: { ...template.metadata?.annotations },
      ownerReferences: [ownerOf(owner)],
    },
    spec: { ...structuredClone(template.spec), nodeName: nodeFor(fleet) },
  });
  fleet.readyAt.set(name, fleet.now() + fleet.podStartMs(workload.metadata.name));
  setPodState(pod, false, store.nowIso());
  store.note(owner, { type: "Normal", reason: "SuccessfulCreate", message: `Created pod: ${name}` });
  return pod;
}

export function removePod(fleet: Fleet, owner: KubeObject, pod: KubeObject): void {
  fleet.store.remove(pod);
  fleet.readyAt.delete(pod.metadata.name);
  fleet.store.note(owner, { type: "Normal", reason: "SuccessfulDelete", message: `Deleted pod: ${pod.metadata.name}` });
}

export function ownerOf(owner: KubeObject) {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? "", controller: true };
}

/** Lets pods become ready whose time has come. */
export function ripen(fleet: Fleet): void {
  for (const pod of fleet.store.list("Pod")) {
    const due = (fleet.readyAt.get(pod.metadata.name) ?? 0) <= fleet.now();
    if (due !== isReady(pod)) {
      setPodState(pod, due, fleet.store.nowIso());
      fleet.store.put(pod);
    }
  }
}

export function isReady(pod: KubeObject): boolean {
  const conditions = at(pod, "status", "conditions");
  return Array.isArray(conditions) && conditions.some((item) => item.type === "Ready" && item.status === "True");
}

export function podsOf(store: KubeStore, owner: KubeObject): KubeObject[] {
  return store.ownedBy(owner).filter((object) => object.kind === "Pod");
}

/** Kills every container of the pod for memory: it restarts and is not ready until it has started again. */
export function oomKill(fleet: Fleet, pod: KubeObject, workload: string): void {
  const at = fleet.store.nowIso();
  fleet.readyAt.set(pod.metadata.name, fleet.now() + fleet.podStartMs(workload));
  setPodState(pod, false, at);
  for (const status of statusesOf(pod)) {
    status.restartCount += 1;
    status.lastState = { terminated: { exitCode: 137, reason: "OOMKilled", startedAt: at, finishedAt: at } };
  }
  fleet.store.put(pod);
  fleet.store.note(pod, {
    type: "Warning",
    reason: "BackOff",
    message: `Back-off restarting failed container ${statusesOf(pod)[0]?.name ?? ""} in pod ${pod.metadata.name}`,
  });
}

interface ContainerState {
  readonly name: string;
  readonly image: string;
  ready: boolean;
  restartCount: number;
  state: object;
  lastState: object;
}

export function statusesOf(pod: KubeObject): ContainerState[] {
  return (at(pod, "status", "containerStatuses") ?? []) as ContainerState[];
}

function setPodState(pod: KubeObject, ready: boolean, now: string): void {
  const before = statusesOf(pod);
  const condition = (type: string, holds: boolean) => ({
    type,
    status: holds ? "True" : "False",
    lastTransitionTime: now,
  });
  pod.status = {
    phase: ready || before.length > 0 ? "Running" : "Pending",
    startTime: at(pod, "status", "startTime") ?? now,
    conditions: [condition("PodScheduled", true), condition("ContainersReady", ready), condition("Ready", ready)],
    containerStatuses: containersOf(pod.spec).map(({ name, image }, index) => ({
      ...{ name, image, ready, started: ready },
      restartCount: before[index]?.restartCount ?? 0,
      state: ready ? { running: { startedAt: now } } : { waiting: { reason: "ContainerCreating" } },
      lastState: before[index]?.lastState ?? {},
    })),
  };
}

function nodeFor({ store, random }: Fleet): string {
  const nodes = store.list("Node");
  return nodes[Math.floor(random() * nodes.length)]?.metadata.name ?? "node-1";
}

export function podName(owner: KubeObject, random: Random): string {
  return `${owner.metadata.name}-${randomName(random, 5)}`;
}
