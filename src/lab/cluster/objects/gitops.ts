import type { RenderedObject } from "../../../domain/kubernetes/rendered.ts";
import { at, type KubeObject, liveCopy, numberAt, textAt } from "./kube-object.ts";
import type { KubeStore } from "./kube-store.ts";

export interface Desired {
  /** Full sha of the commit that was rendered. */
  readonly revision: string;
  readonly objects: readonly RenderedObject[];
}

/** The object of the GitOps controller: `Kustomization flux-system/shop` or `Application argocd/shop`. */
export interface GitopsEntry {
  readonly object: string;
  readonly path: string;
  /** The address of the GitRepository that Flux reads; without it none is on the cluster. */
  readonly repository?: string;
  /** How Argo CD marks what it applies; an annotation unless told. */
  readonly tracking?: "label";
}

interface Applied {
  readonly name: string;
  readonly namespace: string;
  readonly tool: "flux" | "argocd" | "argocd by label";
}

/** Applies what Git wants, removes what it no longer names, and writes the revision into the controller's object. */
export function applyDesired(store: KubeStore, entry: GitopsEntry, desired: Desired): void {
  const by = readEntry(entry);
  const wanted = desired.objects.flatMap((object) => [object, ...releaseObjects(object)]);
  const kept = new Set(wanted.map(keyOf));
  for (const object of wanted) applyObject(store, object, by);
  for (const object of appliedObjects(store, by)) if (!kept.has(keyOf(object))) store.remove(object);
  reportSynced(store, entry, { by, revision: desired.revision });
}

/** Says that the last attempt failed and keeps the revision that was applied before. */
export function reportSyncFailure(store: KubeStore, entry: GitopsEntry, message: string): void {
  const by = readEntry(entry);
  const object = controllerObject(store, entry, by);
  const ready = { type: "Ready", status: "False", reason: "BuildFailed", message, lastTransitionTime: store.nowIso() };
  object.status = { ...object.status, conditions: [ready] };
  store.put(object);
}

function readEntry({ object, tracking }: GitopsEntry): Applied {
  const [kind = "", path = ""] = object.split(" ");
  const [namespace = "", name = ""] = path.split("/");
  return {
    name,
    namespace,
    tool: kind !== "Application" ? "flux" : tracking === "label" ? "argocd by label" : "argocd",
  };
}

const fluxLabel = "kustomize.toolkit.fluxcd.io";
const argoMark = "argocd.argoproj.io/tracking-id";
const argoLabel = "app.kubernetes.io/instance";

/** What was rendered, as it was marked for a deployer before: nothing changes it. */
const marked = new WeakMap<RenderedObject, { readonly for: string; readonly object: KubeObject }>();

function markedOf(object: RenderedObject, by: Applied): KubeObject {
  const deployer = `${by.tool} ${by.namespace}/${by.name}`;
  const known = marked.get(object);
  if (known?.for === deployer) return known.object;
  const made = liveCopy(object);
  mark(made, by);
  marked.set(object, { for: deployer, object: made });
  return made;
}

function applyObject(store: KubeStore, object: RenderedObject, by: Applied): void {
  const next = markedOf(object, by);
  const live = store.get(next.kind, next.metadata.namespace, next.metadata.name);
  if (!live) {
    const own = structuredClone(next);
    store.put({ ...own, metadata: { ...own.metadata, generation: 1 } });
    return;
  }
  // A number of replicas that Git does not set belongs to the autoscaler.
  const replicas = live.spec && next.spec && next.spec.replicas === undefined ? live.spec.replicas : undefined;
  const spec = replicas === undefined ? next.spec : { ...next.spec, replicas };
  const same = JSON.stringify(live.spec) === JSON.stringify(spec);
  // ConfigMaps, Secrets and roles have no spec.
  for (const [field, value] of Object.entries(next))
    if (!["metadata", "spec", "status"].includes(field)) live[field] = value;
  live.metadata.labels = { ...next.metadata.labels };
  live.metadata.annotations = { ...live.metadata.annotations, ...next.metadata.annotations };
  if (same) return;
  if (spec) live.spec = structuredClone(spec);
  live.metadata.generation = (live.metadata.generation ?? 1) + 1;
  store.put(live);
}

function mark(object: KubeObject, { tool, name, namespace }: Applied): void {
  const { metadata } = object;
  if (tool === "flux") {
    metadata.labels = { ...metadata.labels, [`${fluxLabel}/name`]: name, [`${fluxLabel}/namespace`]: namespace };
    return;
  }
  if (tool === "argocd by label") {
    // So are applications called that are not in the namespace of Argo CD itself.
    metadata.labels = { ...metadata.labels, [argoLabel]: `${namespace}_${name}` };
    return;
  }
  const [group] = object.apiVersion.includes("/") ? object.apiVersion.split("/") : [""];
  const tracking = `${name}:${group}/${object.kind}:${metadata.namespace ?? ""}/${metadata.name}`;
  metadata.annotations = { ...metadata.annotations, [argoMark]: tracking };
}

/** What helm-controller would install: one Deployment and its Service, from the values of a common chart. */
function releaseObjects(object: RenderedObject): RenderedObject[] {
  if (object.kind !== "HelmRelease") return [];
  const { namespace = "default", name: release } = object.metadata;
  const name = textAt(object, "spec", "releaseName") ?? release;
  const values = at(object, "spec", "values");
  const labels = { app: name, "helm.toolkit.fluxcd.io/name": release, "helm.toolkit.fluxcd.io/namespace": namespace };
  const image = `${textAt(values, "image", "repository") ?? name}:${textAt(values, "image", "tag") ?? "latest"}`;
  const container = { name, image, resources: at(values, "resources") ?? {} };
  const metadata = { name, namespace, labels };
  const template = {
    metadata: { labels: { app: name }, annotations: at(values, "podAnnotations") ?? {} },
    spec: { containers: [container] },
  };
  const replicas = numberAt(values, "replicaCount") ?? 1;
  const selector = { matchLabels: { app: name } };
  return [
    { apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { replicas, selector, template } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: { app: name }, ports: [{ name: "http", port: 80 }] },
    },
  ];
}

const appliedKinds = [
  ...["Deployment", "StatefulSet", "Service", "ResourceQuota", "HorizontalPodAutoscaler", "Namespace"],
  ...["HelmRelease", "HelmRepository", "PodDisruptionBudget", "ConfigMap", "Ingress", "NetworkPolicy"],
];

function appliedObjects(store: KubeStore, by: Applied): KubeObject[] {
  return appliedKinds.flatMap((kind) => store.list(kind)).filter(({ metadata }) => isMarked(metadata, by));
}

function isMarked({ labels, annotations }: KubeObject["metadata"], by: Applied): boolean {
  if (by.tool === "flux") return labels?.[`${fluxLabel}/name`] === by.name;
  if (by.tool === "argocd by label") return labels?.[argoLabel] === `${by.namespace}_${by.name}`;
  return annotations?.[argoMark]?.startsWith(`${by.name}:`) === true;
}

function keyOf({ kind, metadata }: { kind: string; metadata: { name: string; namespace?: string } }): string {
  return `${kind} ${metadata.namespace ?? ""}/${metadata.name}`;
}

function controllerObject(store: KubeStore, entry: GitopsEntry, { name, namespace, tool }: Applied): KubeObject {
  const kind = tool === "flux" ? "Kustomization" : "Application";
  const known = store.get(kind, namespace, name);
  if (known) return known;
  const metadata = { name, namespace, generation: 1 };
  if (tool === "flux") {
    const sourceRef = { kind: "GitRepository", name };
    const source = { apiVersion: "source.toolkit.fluxcd.io/v1", kind: "GitRepository", metadata: { ...metadata } };
    if (entry.repository !== undefined) store.put({ ...source, spec: { interval: "1m", url: entry.repository } });
    const spec = { interval: "10m", path: entry.path, prune: true, sourceRef };
    return store.put({ apiVersion: `${fluxLabel}/v1`, kind, metadata, spec });
  }
  const source = {
    repoURL: "https://github.com/rectify-lab/shop",
    path: entry.path.replace(/^\.\//, ""),
    targetRevision: "main",
  };
  return store.put({ apiVersion: "argoproj.io/v1alpha1", kind, metadata, spec: { project: "default", source } });
}

function reportSynced(store: KubeStore, entry: GitopsEntry, { by, revision }: { by: Applied; revision: string }): void {
  const object = controllerObject(store, entry, by);
  const told = `main@sha1:${revision}`;
  const now = store.nowIso();
  if (by.tool === "flux") {
    const message = `Applied revision: ${told}`;
    const ready = {
      type: "Ready",
      status: "True",
      reason: "ReconciliationSucceeded",
      message,
      lastTransitionTime: now,
    };
    object.status = {
      observedGeneration: object.metadata.generation ?? 1,
      ...{ lastAppliedRevision: told, lastAttemptedRevision: told, conditions: [ready] },
      inventory: { entries: [] },
    };
  } else {
    const operation = { phase: "Succeeded", finishedAt: now, syncResult: { revision } };
    const own = appliedObjects(store, by).map(({ kind, metadata: { namespace, name } }) => {
      return { kind, namespace, name, status: "Synced" };
    });
    // Something else of it is out of sync for ever, as it often is: ours arrived all the same.
    const other = { kind: "ConfigMap", namespace: by.namespace, name: "written-by-hand", status: "OutOfSync" };
    const isWhole = by.tool === "argocd";
    object.status = {
      sync: { status: isWhole ? "Synced" : "OutOfSync", revision },
      resources: isWhole ? own : [...own, other],
      history: [{ revision, deployedAt: now }],
      health: { status: "Healthy" },
      operationState: operation,
      reconciledAt: now,
    };
  }
  store.put(object);
}
