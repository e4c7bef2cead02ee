import { createHash } from "node:crypto";
import { at, containersOf, type KubeObject, numberAt } from "./kube-object.ts";
import { createPod, type Fleet, isReady, ownerOf, podName, podsOf, removePod } from "./pods.ts";

const revisionMark = "deployment.kubernetes.io/revision";

/** Moves every Deployment a step towards its spec: new pods first, old ones go when the new are ready. */
export function reconcileDeployments(fleet: Fleet): void {
  for (const deployment of fleet.store.list("Deployment")) reconcile(fleet, deployment);
}

function reconcile(fleet: Fleet, deployment: KubeObject): void {
  const wanted = numberAt(deployment, "spec", "replicas") ?? 1;
  const current = currentSet(fleet, deployment);
  const old = setsOf(fleet, deployment).filter((set) => set !== current);
  scaleTo(fleet, current, deployment, wanted);
  const ready = podsOf(fleet.store, current).filter(isReady).length;
  let spare = Math.max(0, wanted - ready);
  for (const set of old) {
    const pods = podsOf(fleet.store, set);
    const kept = Math.min(spare, pods.length);
    spare -= kept;
    for (const pod of pods.slice(kept)) removePod(fleet, set, pod);
    setReplicas(fleet, set, kept);
  }
  setReplicas(fleet, current, wanted);
  report(fleet, deployment, { current, old, wanted });
}

function scaleTo(fleet: Fleet, set: KubeObject, deployment: KubeObject, wanted: number): void {
  const pods = podsOf(fleet.store, set).sort((a, b) => Number(isReady(b)) - Number(isReady(a)));
  for (const pod of pods.slice(wanted)) removePod(fleet, set, pod);
  for (let missing = wanted - pods.length; missing > 0; missing -= 1) {
    if (!createPod(fleet, set, deployment, podName(set, fleet.random))) return;
  }
}

/** The ReplicaSet of the template as it stands; an older one that fits again gets a new revision, as in Kubernetes. */
function currentSet(fleet: Fleet, deployment: KubeObject): KubeObject {
  const { store } = fleet;
  const hash = templateHash(deployment);
  const name = `${deployment.metadata.name}-${hash}`;
  const sets = setsOf(fleet, deployment);
  const newest = Math.max(0, ...sets.map(revisionOf));
  const known = sets.find((set) => set.metadata.name === name);
  if (known && revisionOf(known) === newest) return known;
  const revision = String(newest + 1);
  deployment.metadata.annotations = { ...deployment.metadata.annotations, [revisionMark]: revision };
  if (known) {
    known.metadata.annotations = { ...known.metadata.annotations, [revisionMark]: revision };
    return known;
  }
  const labels = at(deployment, "spec", "template", "metadata", "labels") as Record<string, string> | undefined;
  return store.put({
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name,
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labels: { ...labels, "pod-template-hash": hash },
      annotations: { [revisionMark]: revision },
      ownerReferences: [ownerOf(deployment)],
    },
    spec: { replicas: 0, template: structuredClone(at(deployment, "spec", "template")) },
    status: { replicas: 0 },
  });
}

export function setsOf({ store }: Pick<Fleet, "store">, deployment: KubeObject): KubeObject[] {
  return store.ownedBy(deployment).filter((object) => object.kind === "ReplicaSet");
}

function revisionOf(set: KubeObject): number {
  return Number(set.metadata.annotations?.[revisionMark] ?? 0);
}

function setReplicas(fleet: Fleet, set: KubeObject, replicas: number): void {
  const pods = podsOf(fleet.store, set);
  const readyReplicas = pods.filter(isReady).length;
  const status = { replicas: pods.length, readyReplicas, availableReplicas: readyReplicas };
  if (set.spec?.replicas === replicas && JSON.stringify(set.status) === JSON.stringify(status)) return;
  set.spec = { ...set.spec, replicas };
  set.status = status;
  fleet.store.put(set);
}

interface Reported {
  readonly current: KubeObject;
  readonly old: readonly KubeObject[];
  readonly wanted: number;
}

function report(fleet: Fleet, deployment: KubeObject, { current, old, wanted }: Reported): void {
  const fresh = podsOf(fleet.store, current);
  const all = [...fresh, ...old.flatMap((set) => podsOf(fleet.store, set))];
  const readyReplicas = all.filter(isReady).length;
  const done = fresh.length >= wanted && fresh.filter(isReady).length >= wanted;
  const status = {
    observedGeneration: deployment.metadata.generation ?? 1,
    replicas: all.length,
    updatedReplicas: fresh.length,
    readyReplicas,
    availableReplicas: readyReplicas,
    unavailableReplicas: Math.max(0, wanted - readyReplicas),
    conditions: [
      { type: "Available", status: readyReplicas >= wanted ? "True" : "False" },
      { type: "Progressing", status: "True", reason: done ? "NewReplicaSetAvailable" : "ReplicaSetUpdated" },
    ],
  };
  if (JSON.stringify(deployment.status) === JSON.stringify(status)) return;
  deployment.status = status;
  fleet.store.put(deployment);
}

const hashes = new WeakMap<KubeObject, { readonly template: string; readonly hash: string }>();

function templateHash(deployment: KubeObject): string {
  const template = JSON.stringify(at(deployment, "spec", "template"));
  const known = hashes.get(deployment);
  if (known?.template === template) return known.hash;
  const hash = createHash("sha256").update(template).digest("hex").slice(0, 10);
  hashes.set(deployment, { template, hash });
  return hash;
}

/** The tag of the first container's image; empty when there is none. */
export function imageTag(workload: KubeObject): string {
  const image = containersOf(at(workload, "spec", "template", "spec"))[0]?.image ?? "";
  return /:([^:/@]+)(?:@.*)?$/.exec(image)?.[1] ?? "";
}
