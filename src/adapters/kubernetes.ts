import {
  AppsV1Api,
  AutoscalingV2Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type V1Deployment,
  type V1StatefulSet,
} from "@kubernetes/client-node";
import type { Entry } from "../domain/manifest-edit.ts";
import type { LiveWorkload, Workload } from "../domain/workload.ts";
import type { AppliedRevision, Surroundings, WorkloadState } from "../domain/workload-state.ts";
import { Refused, Unavailable, type Cluster } from "../ports.ts";

export interface KubernetesOptions {
  /** Address and token; without them the usual kubeconfig or the pod's service account. */
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly cluster: string;
}

interface Clients {
  readonly apps: AppsV1Api;
  readonly core: CoreV1Api;
  readonly autoscaling: AutoscalingV2Api;
  readonly custom: CustomObjectsApi;
}

/** The cluster through its API, read only: this file calls no method that writes. */
export function kubernetes(options: KubernetesOptions): Cluster {
  const config = configOf(options);
  const clients: Clients = {
    apps: config.makeApiClient(AppsV1Api),
    core: config.makeApiClient(CoreV1Api),
    autoscaling: config.makeApiClient(AutoscalingV2Api),
    custom: config.makeApiClient(CustomObjectsApi),
  };
  return {
    workload: (workload) => workloadState(clients, workload),
    surroundings: (workload) => surroundings(clients, workload),
    entryOf: (workload) => entryOf(clients, workload, options.cluster),
    appliedRevision: (entry) => appliedRevision(clients, entry),
  };
}

function configOf(options: KubernetesOptions): KubeConfig {
  const config = new KubeConfig();
  if (options.url === undefined) {
    config.loadFromDefault();
    return config;
  }
  config.loadFromOptions({
    clusters: [{ name: "cluster", server: options.url, skipTLSVerify: false }],
    users: [{ name: "rectify", ...(options.token === undefined ? {} : { token: options.token }) }],
    contexts: [{ name: "rectify", cluster: "cluster", user: "rectify" }],
    currentContext: "rectify",
  });
  return config;
}

async function workloadState(
  clients: Clients,
  { kind, namespace, name }: Workload,
): Promise<WorkloadState | undefined> {
  const object = await asked(`reading ${kind} ${namespace}/${name}`, () => {
    if (kind === "Deployment") return clients.apps.readNamespacedDeployment({ name, namespace });
    if (kind === "StatefulSet") return clients.apps.readNamespacedStatefulSet({ name, namespace });
    throw new Refused(`workloads of kind ${kind} are not supported`);
  });
  if (object === undefined) return undefined;
  const scaledBy = await autoscalerOf(clients, { kind, namespace, name });
  return { ...stateOf(object), kind, namespace, name, ...(scaledBy === undefined ? {} : { scaledBy }) };
}

function stateOf(object: V1Deployment | V1StatefulSet) {
  const { metadata, spec, status } = object;
  return {
    labels: metadata?.labels ?? {},
    annotations: metadata?.annotations ?? {},
    ownerReferences: (metadata?.ownerReferences ?? []).map(({ kind, name }) => ({ kind, name })),
    replicas: spec?.replicas ?? 1,
    readyReplicas: status?.readyReplicas ?? 0,
    updatedReplicas: status?.updatedReplicas ?? 0,
    observed: (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0),
    images: (spec?.template.spec?.containers ?? []).map((container) => container.image ?? ""),
  };
}

async function autoscalerOf(clients: Clients, workload: Workload): Promise<LiveWorkload["scaledBy"]> {
  const { namespace } = workload;
  const list = await asked(`listing autoscalers in ${namespace}`, () =>
    clients.autoscaling.listNamespacedHorizontalPodAutoscaler({ namespace }),
  );
  const hpa = list?.items.find(
    ({ spec }) => spec?.scaleTargetRef.kind === workload.kind && spec.scaleTargetRef.name === workload.name,
  );
  if (!hpa?.spec) return undefined;
  // KEDA creates an HPA of its own: the owner is the ScaledObject, and an edit of the HPA would be undone.
  const keda = hpa.metadata?.ownerReferences?.find((owner) => owner.kind === "ScaledObject");
  const { minReplicas = 1, maxReplicas } = hpa.spec;
  return {
    kind: keda?.kind ?? "HorizontalPodAutoscaler",
    name: keda?.name ?? hpa.metadata?.name ?? "",
    min: minReplicas,
    max: maxReplicas,
  };
}

async function surroundings(clients: Clients, { namespace, name }: Workload): Promise<Surroundings> {
  const list = await asked(`listing events in ${namespace}`, () =>
    clients.core.listNamespacedEvent({ namespace, limit: 200 }),
  );
  const mine = (list?.items ?? []).filter((event) => event.involvedObject.name?.startsWith(name));
  const events = mine
    .slice(-20)
    .map(
      (event) => `${event.type ?? ""} ${event.reason ?? ""} ${event.involvedObject.name ?? ""}: ${event.message ?? ""}`,
    );
  return { events, notes: list?.metadata?._continue ? ["only the first 200 events of the namespace were read"] : [] };
}

const flux = { group: "kustomize.toolkit.fluxcd.io", version: "v1", plural: "kustomizations" };
const argo = { group: "argoproj.io", version: "v1alpha1", plural: "applications" };

interface KustomizationObject {
  readonly spec?: { readonly path?: string };
  readonly status?: { readonly lastAppliedRevision?: string };
}

interface ApplicationObject {
  readonly spec?: { readonly source?: { readonly path?: string } };
  readonly status?: { readonly sync?: { readonly status?: string; readonly revision?: string } };
}

/** The marks that the controllers leave on what they apply name the object, and the object names the path. */
async function entryOf(clients: Clients, workload: LiveWorkload, cluster: string): Promise<Entry> {
  const name = workload.labels?.["kustomize.toolkit.fluxcd.io/name"];
  const namespace = workload.labels?.["kustomize.toolkit.fluxcd.io/namespace"];
  if (name !== undefined && namespace !== undefined) {
    const found = await customObject<KustomizationObject>(clients, flux, { namespace, name });
    return { tool: "flux", path: trimmed(found?.spec?.path), cluster, object: `Kustomization ${namespace}/${name}` };
  }
  const application = workload.annotations?.["argocd.argoproj.io/tracking-id"]?.split(":")[0];
  if (application !== undefined) {
    const found = await customObject<ApplicationObject>(clients, argo, { namespace: "argocd", name: application });
    return {
      tool: "argocd",
      path: trimmed(found?.spec?.source?.path),
      cluster,
      object: `Application argocd/${application}`,
    };
  }
  return { tool: "unknown", path: null, cluster };
}

function trimmed(path: string | undefined): string | null {
  return path === undefined ? null : path.replace(/^\.?\//, "").replace(/\/$/, "");
}

async function appliedRevision(clients: Clients, entry: Entry): Promise<AppliedRevision> {
  const [namespace = "", name = ""] = entry.object?.split(" ")[1]?.split("/") ?? [];
  if (entry.tool === "flux") {
    const found = await customObject<KustomizationObject>(clients, flux, { namespace, name });
    return revisionOf(found?.status?.lastAppliedRevision, "Flux has not applied anything yet");
  }
  if (entry.tool === "argocd") {
    const found = await customObject<ApplicationObject>(clients, argo, { namespace, name });
    const synced = found?.status?.sync?.status === "Synced";
    return revisionOf(synced ? found.status?.sync?.revision : undefined, "Argo CD says the application is not synced");
  }
  return { kind: "unknown", because: "no GitOps controller marks this workload as its own" };
}

/** Flux writes `main@sha1:<sha>`, Argo CD the bare sha. */
function revisionOf(text: string | undefined, otherwise: string): AppliedRevision {
  const sha = /(?:^|sha1:)([0-9a-f]{40})$/.exec(text ?? "")?.[1];
  return sha === undefined ? { kind: "unknown", because: otherwise } : { kind: "applied", sha };
}

async function customObject<T>(
  clients: Clients,
  type: typeof flux,
  at: { namespace: string; name: string },
): Promise<T | undefined> {
  const what = `reading ${type.plural} ${at.namespace}/${at.name}`;
  return (await asked(what, () => clients.custom.getNamespacedCustomObject({ ...type, ...at }))) as T | undefined;
}

const deadlineMs = 10_000;

/** A 404 is an answer (`undefined`); the client has no deadline of its own. */
async function asked<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Unavailable(`Kubernetes: ${what}: no answer in time`)), deadlineMs);
  });
  try {
    return await Promise.race([call(), late]);
  } catch (cause) {
    if (cause instanceof Refused || cause instanceof Unavailable) throw cause;
    const code = (cause as { code?: unknown }).code;
    if (code === 404) return undefined;
    const status = typeof code === "number" ? `HTTP ${code}` : "no answer";
    if (typeof code === "number" && code !== 429 && code < 500)
      throw new Refused(`Kubernetes: ${what}: ${status}`, { cause });
    throw new Unavailable(`Kubernetes: ${what}: ${status}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}
