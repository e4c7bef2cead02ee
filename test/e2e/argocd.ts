import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Forge } from "../../src/lab/forge/forge.ts";
import { until } from "../../src/lab/start.ts";
import { argocdNamespace as namespace, startPrograms } from "./argocd-programs.ts";
import { definitionsOf, installDefinitions, objectsIn } from "./definitions.ts";
import { type EngineRoom, type GitOpsEngine, teamNamespace, type Tracking } from "./engine.ts";
import type { ApiObject, KubeClient } from "./kube-client.ts";
import type { Running } from "./processes.ts";

const entryIn = (place: string) => `/apis/argoproj.io/v1alpha1/namespaces/${place}/applications/shop-production`;
const placeOf = (tracking: Tracking | undefined) => (tracking === undefined ? namespace : teamNamespace);

interface Started {
  readonly room: EngineRoom;
  readonly programs: readonly Running[];
}

/** Argo CD as it is released: it pulls from the forge by itself. */
export function argocdEngine(): GitOpsEngine {
  const definitions = definitionsOf("argocd");
  let started: Started | undefined;
  let current: Tracking | undefined;
  const running = () => {
    if (started === undefined) throw new Error("Argo CD is not started");
    return started;
  };
  return {
    name: "argocd",
    versions: () => ({ "argo-cd": definitions.versions["argo-cd"] ?? "unknown" }),
    start: async (room) => {
      const { kube } = room.plane;
      // The shop's manifests hold Flux's Helm objects.
      await installDefinitions(kube, ["argocd", "flux"]);
      await kube.apply(settings());
      started = { room, programs: await startPrograms(room) };
    },
    follow: async (forge, tracking) => {
      const { kube } = running().room.plane;
      if (tracking !== current) await handOver(kube, current, tracking);
      current = tracking;
      await kube.apply([repositoryOf(forge), entryFor(forge, tracking)]);
      await reached(kube, forge, tracking);
    },
    forget: async () => {
      await forget(running().room.plane.kube, current);
    },
    close: async () => {
      await Promise.all(running().programs.map((program) => program.stop()));
      started = undefined;
    },
  };
}

const labels = { "app.kubernetes.io/part-of": "argocd" };

/** What `kubectl apply` of Argo CD's own installation leaves for these two programs, with the project `default`. */
function settings(): readonly ApiObject[] {
  const everything = [{ group: "*", kind: "*" }];
  return [
    ...[namespace, teamNamespace].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })),
    trackedBy("annotation"),
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "argocd-secret", namespace, labels },
      stringData: { "server.secretkey": randomBytes(32).toString("hex") },
    },
    {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "AppProject",
      metadata: { name: "default", namespace },
      spec: {
        sourceRepos: ["*"],
        sourceNamespaces: [teamNamespace],
        destinations: [{ namespace: "*", server: "*" }],
        clusterResourceWhitelist: everything,
      },
    },
  ];
}

function trackedBy(method: "annotation" | "label"): ApiObject {
  const metadata = { name: "argocd-cm", namespace, labels };
  return { apiVersion: "v1", kind: "ConfigMap", metadata, data: { "application.resourceTrackingMethod": method } };
}

/** The Application moves to its other place: what it applied stays, and the new one takes it over. */
async function handOver(kube: KubeClient, from: Tracking | undefined, to: Tracking | undefined): Promise<void> {
  const path = entryIn(placeOf(from));
  const contentType = "application/merge-patch+json";
  await kube.call("PATCH", path, { body: { metadata: { finalizers: null } }, contentType });
  await kube.call("DELETE", path);
  await until("the Application to leave", async () => (await kube.call("GET", path)).status === 404, 60_000);
  await kube.apply([trackedBy(to ?? "annotation")]);
}

/** Where the forge is, and the token that may read it. */
function repositoryOf(forge: Forge): ApiObject {
  const secret = { "argocd.argoproj.io/secret-type": "repository" };
  const [, encoded = ""] = forge.fetchAuthorization().split(" ");
  const [username = "", password = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "shop-repository", namespace, labels: secret },
    stringData: { type: "git", url: forge.cloneUrl, username, password },
  };
}

/** The entry that the repository itself ships, pointed at the forge; its end removes what it applied. */
function entryFor(forge: Forge, tracking: Tracking | undefined): ApiObject {
  const path = fileURLToPath(new URL("../../manifests/argocd/shop-production.yaml", import.meta.url));
  const [shipped] = objectsIn(path);
  if (shipped === undefined) throw new Error(`${path} holds no Application`);
  const spec = shipped.spec as { readonly source: object };
  return {
    ...shipped,
    metadata: {
      ...shipped.metadata,
      namespace: placeOf(tracking),
      finalizers: ["resources-finalizer.argocd.argoproj.io"],
    },
    spec: { ...spec, source: { ...spec.source, repoURL: forge.cloneUrl } },
  };
}

interface Entry {
  readonly status?: {
    readonly sync?: { readonly status?: string; readonly revision?: string };
    readonly conditions?: readonly { readonly message: string }[];
    readonly operationState?: { readonly phase?: string; readonly message?: string };
  };
}

async function reached(kube: KubeClient, forge: Forge, tracking: Tracking | undefined): Promise<void> {
  const entryPath = entryIn(placeOf(tracking));
  const wanted = await forge.headOf("main");
  let last: Entry["status"];
  const isReached = async () => {
    last = ((await kube.get(entryPath)) as Entry).status;
    return last?.sync?.status === "Synced" && last.sync.revision === wanted;
  };
  await until(`Argo CD to apply ${wanted ?? "main"}`, isReached, 60_000).catch((error: Error) => {
    const said = last?.conditions?.[0]?.message ?? last?.operationState?.message ?? "nothing";
    throw new Error(`${error.message}; the Application says: ${said}`);
  });
}

async function forget(kube: KubeClient, tracking: Tracking | undefined): Promise<void> {
  const entryPath = entryIn(placeOf(tracking));
  const isGone = async (path: string) => (await kube.call("GET", path)).status === 404;
  await kube.call("DELETE", entryPath);
  await until("the Application to end", () => isGone(entryPath), 60_000);
  await until("the shop to be gone", () => isGone("/api/v1/namespaces/shop-production"), 90_000);
}
