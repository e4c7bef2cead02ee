import { readFile } from "node:fs/promises";
import {
  AppsV1Api,
  AuthorizationV1Api,
  AutoscalingV2Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  type V2HorizontalPodAutoscaler,
} from "@kubernetes/client-node";
import type { LiveWorkload, Workload } from "../../domain/kubernetes/workload.ts";
import type { AutoscalerReport, Surroundings, WorkloadState } from "../../domain/kubernetes/workload-state.ts";
import type { ChartSources, Cluster, ClusterObjects, FluxCharts, PodQuery } from "../../ports/kubernetes.ts";
import { Refused } from "../../ports/errors.ts";
import { asked, defaultDeadlineMs } from "./calls.ts";
import type { ReadCustom } from "./custom.ts";
import { chartArtifact, sourcePortOf } from "./flux-artifact.ts";
import { appliedRevision, declaredIn, entryOf } from "./gitops.ts";
import { listed, orNote } from "./listing.ts";
import { clusterObjects } from "./objects.ts";
import { workloadObject } from "./workloads.ts";
import { eventLines, podsOf, podStatesOf, pressuresOf, quotasOf, rolloutsOf, terminationsOf } from "./facts.ts";

interface KubernetesOptions {
  /** Address and token; without them the usual kubeconfig or the pod's service account. */
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  /** A file whose token is read for every call, as the kubelet renews it; it wins over `token`. */
  readonly tokenPath?: string | undefined;
  /** A file with the certificates that the API server is trusted by, instead of the system's own. */
  readonly caPath?: string | undefined;
  /** The proxy by which the API server is asked; undefined = directly. */
  readonly proxyUrl?: string | undefined;
  readonly cluster: string;
  /** True for the address of a repository that we work on; by default every one is. */
  readonly isOurs?: (repository: string) => boolean;
  readonly deadlineMs?: number;
}

interface Clients {
  readonly deadlineMs: number;
  readonly apps: AppsV1Api;
  readonly core: CoreV1Api;
  readonly autoscaling: AutoscalingV2Api;
  readonly custom: CustomObjectsApi;
}

/** The cluster through its API, read only: this file calls no method that changes anything. */
export function kubernetes(options: KubernetesOptions): Cluster & ChartSources {
  const clients = clientsOf(options);
  const read = customReader(clients);
  const place = { cluster: options.cluster, isOurs: options.isOurs ?? (() => true) };
  return {
    workload: (workload) => workloadState(clients, workload),
    surroundings: (workload) => surroundings(clients, workload),
    entryOf: (workload) => entryOf(read, workload, place),
    appliedRevision: (entry) => appliedRevision(read, entry),
    declaredIn: (entry) => declaredIn(read, entry, place.isOurs),
  };
}

function clientsOf(options: KubernetesOptions): Clients {
  const config = configOf(options);
  return {
    deadlineMs: options.deadlineMs ?? defaultDeadlineMs,
    apps: config.makeApiClient(AppsV1Api),
    core: config.makeApiClient(CoreV1Api),
    autoscaling: config.makeApiClient(AutoscalingV2Api),
    custom: config.makeApiClient(CustomObjectsApi),
  };
}

function customReader(clients: Clients): ReadCustom {
  return {
    one: (type, at) =>
      asked(clients, `reading ${type.plural} ${at.namespace}/${at.name}`, () =>
        clients.custom.getNamespacedCustomObject({ ...type, ...at }),
      ),
    all: (type) =>
      listed<unknown>({ clients, notes: [] }, type.plural, (page) =>
        clients.custom.listClusterCustomObject({ ...type, ...page }),
      ).catch((error) => {
        // Neither listed for us nor there at all: then the marks have to do.
        if (error instanceof Refused) return undefined;
        throw error;
      }),
  };
}

/** The objects that lead from alerts to workloads, through the same API. */
export function kubernetesObjects(options: KubernetesOptions): ClusterObjects {
  const clients = clientsOf(options);
  return clusterObjects({
    custom: customReader(clients).one,
    core: (type, at) =>
      asked<unknown>(clients, `reading ${type} ${at.namespace}/${at.name}`, () =>
        type === "pod" ? clients.core.readNamespacedPod(at) : clients.core.readNamespacedService(at),
      ),
    pods: (of) => podsWhere(clients, of),
  });
}

/** The charts that Flux installed, through the same API. */
export function kubernetesCharts(options: KubernetesOptions): FluxCharts {
  const clients = clientsOf(options);
  const read = customReader(clients).one;
  return {
    artifactOf: (release) => chartArtifact(read, release),
    sourcePort: async ({ namespace, name }) =>
      sourcePortOf(
        await asked<unknown>(clients, `reading service ${namespace}/${name}`, () =>
          clients.core.readNamespacedService({ namespace, name }),
        ),
      ),
  };
}

async function podsWhere(clients: Clients, { namespace, selector, address }: PodQuery) {
  const filter = {
    ...(selector === undefined ? {} : { labelSelector: selector }),
    ...(address === undefined ? {} : { fieldSelector: `status.podIP=${address}` }),
  };
  const reading = { clients, notes: [] as string[] };
  const pods = await listed(reading, `pods in ${namespace ?? "all namespaces"}`, (page) =>
    namespace === undefined
      ? clients.core.listPodForAllNamespaces({ ...filter, ...page })
      : clients.core.listNamespacedPod({ namespace, ...filter, ...page }),
  );
  // Of a part of the pods nobody could say that all of them belong to one workload.
  if (reading.notes.length > 0) throw new Refused(`Kubernetes: ${reading.notes.join("; ")}`);
  return pods;
}

/**
 * Whether our account may patch Deployments there, which it never should. The API server is asked for its own judgement;
 * such a review is posted, but nothing is stored. Throws like every adapter.
 */
export async function mayPatchDeployments(options: KubernetesOptions, namespace: string): Promise<boolean> {
  const api = configOf(options).makeApiClient(AuthorizationV1Api);
  const what = `asking whether we may patch deployments in ${namespace}`;
  const resourceAttributes = { namespace, verb: "patch", group: "apps", resource: "deployments" };
  const body = {
    ...{ apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } },
  };
  const review = await asked({ deadlineMs: options.deadlineMs ?? defaultDeadlineMs }, what, () =>
    api.createSelfSubjectAccessReview({ body }),
  );
  const allowed: unknown = review?.status?.allowed;
  if (typeof allowed !== "boolean") throw new Refused(`Kubernetes: ${what}: the answer is no review`);
  return allowed;
}

function configOf({ url, token, tokenPath, caPath, proxyUrl }: KubernetesOptions): KubeConfig {
  const config = new KubeConfig();
  if (url === undefined) {
    config.loadFromDefault();
    return config;
  }
  const cluster = { name: "cluster", server: url, skipTLSVerify: isLoopback(url) };
  config.loadFromOptions({
    clusters: [
      {
        ...cluster,
        ...(caPath === undefined ? {} : { caFile: caPath }),
        ...(proxyUrl === undefined ? {} : { proxyUrl }),
      },
    ],
    users: [{ name: "rectify", ...(tokenPath !== undefined || token === undefined ? {} : { token }) }],
    contexts: [{ name: "rectify", cluster: "cluster", user: "rectify" }],
    currentContext: "rectify",
  });
  if (tokenPath !== undefined) config.addAuthenticator(tokenFile(tokenPath));
  return config;
}

/** The client's own reader keeps a token for a minute, in which one that was replaced is still refused. */
function tokenFile(path: string): Authenticator {
  return {
    isAuthProvider: () => true,
    applyAuthentication: async (_, options) => {
      options.headers = { ...options.headers, Authorization: `Bearer ${(await readFile(path, "utf8")).trim()}` };
    },
  };
}

type Authenticator = Parameters<KubeConfig["addAuthenticator"]>[0];

/** The client sends nothing over plain HTTP unless this is set; on loopback (`kubectl proxy`, the lab) there is no TLS. */
function isLoopback(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
}

async function workloadState(clients: Clients, workload: Workload): Promise<WorkloadState | undefined> {
  const { kind, namespace, name } = workload;
  const state = await workloadObject(
    (type) =>
      asked<unknown>(clients, `reading ${kind} ${namespace}/${name}`, () =>
        clients.custom.getNamespacedCustomObject({ ...type, namespace, name }),
      ),
    workload,
  );
  if (state === undefined) return undefined;
  const scaledBy = await autoscalerOf(clients, workload);
  return { ...state, ...(scaledBy === undefined ? {} : { scaledBy }) };
}

async function hpaOf(clients: Clients, workload: Workload): Promise<V2HorizontalPodAutoscaler | undefined> {
  const { namespace } = workload;
  const hpas = await listed({ clients, notes: [] }, `autoscalers in ${namespace}`, (page) =>
    clients.autoscaling.listNamespacedHorizontalPodAutoscaler({ namespace, ...page }),
  );
  return hpas.find(
    ({ spec }) => spec?.scaleTargetRef.kind === workload.kind && spec.scaleTargetRef.name === workload.name,
  );
}

async function autoscalerOf(clients: Clients, workload: Workload): Promise<LiveWorkload["scaledBy"]> {
  const hpa = await hpaOf(clients, workload);
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

/** Events and ReplicaSets must be readable; what else cannot be read (nodes need a cluster role) becomes a note. */
async function surroundings(clients: Clients, workload: Workload): Promise<Surroundings> {
  const { namespace } = workload;
  const notes: string[] = [];
  const refused: string[] = [];
  const reading = { clients, notes };
  const [events, sets, pods, quotas, nodes, hpa] = await Promise.all([
    listed(reading, `events in ${namespace}`, (page) => clients.core.listNamespacedEvent({ namespace, ...page })),
    listed(reading, `replica sets in ${namespace}`, (page) =>
      clients.apps.listNamespacedReplicaSet({ namespace, ...page }),
    ),
    orNote(
      refused,
      listed(reading, `pods in ${namespace}`, (page) => clients.core.listNamespacedPod({ namespace, ...page })),
    ),
    orNote(
      refused,
      listed(reading, `quotas in ${namespace}`, (page) =>
        clients.core.listNamespacedResourceQuota({ namespace, ...page }),
      ),
    ),
    orNote(
      refused,
      listed(reading, "nodes", (page) => clients.core.listNode(page)),
    ),
    orNote(refused, hpaOf(clients, workload)),
  ]);
  const mine = podsOf(pods ?? [], workload);
  return {
    events: eventLines(events, workload, pods && new Set(mine.map(({ metadata }) => metadata?.name ?? ""))),
    rollouts: rolloutsOf(sets, workload),
    quotas: quotasOf(quotas ?? []),
    nodePressures: pressuresOf(nodes ?? [], new Set(mine.map(({ spec }) => spec?.nodeName ?? ""))),
    terminations: terminationsOf(mine),
    podStates: podStatesOf(mine),
    ...(hpa?.spec ? { autoscaler: reportOf(hpa) } : {}),
    notes: [...notes, ...refused],
    refused,
  };
}

function reportOf({ metadata, spec, status }: V2HorizontalPodAutoscaler): AutoscalerReport {
  const limited = status?.conditions?.find(({ type }) => type === "ScalingLimited");
  return {
    name: metadata?.name ?? "",
    current: status?.currentReplicas ?? 0,
    desired: status?.desiredReplicas ?? 0,
    min: spec?.minReplicas ?? 1,
    max: spec?.maxReplicas ?? 1,
    ...(limited?.status === "True" && limited.reason !== undefined ? { limitedBy: limited.reason } : {}),
  };
}
