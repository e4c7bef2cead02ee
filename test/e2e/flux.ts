import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Forge } from "../../src/lab/forge/forge.ts";
import { until } from "../../src/lab/start.ts";
import { definitionsOf, installDefinitions, objectsIn } from "./definitions.ts";
import type { EngineRoom, GitOpsEngine } from "./engine.ts";
import { startSource, type TestSource } from "./flux-source.ts";
import type { ApiObject, KubeClient } from "./kube-client.ts";
import { answers, freePort, type Running } from "./processes.ts";
import { toolPath } from "./tools.ts";

const namespace = "flux-system";
const entryPath = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/shop`;
const sourcePath = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${namespace}/gitrepositories/shop`;

interface Started {
  readonly room: EngineRoom;
  readonly controller: Running;
  readonly source: TestSource;
}

/** Flux's kustomize-controller as it is released; only the source is stood in for by flux-source.ts. */
export function fluxEngine(): GitOpsEngine {
  const definitions = definitionsOf("flux");
  let started: Started | undefined;
  const running = () => {
    if (started === undefined) throw new Error("Flux is not started");
    return started;
  };
  return {
    name: "flux",
    versions: () => ({ "kustomize-controller": definitions.versions["kustomize-controller"] ?? "unknown" }),
    start: async (room) => {
      const { kube } = room.plane;
      await installDefinitions(kube, ["flux"]);
      await kube.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }]);
      const controller = await startController(room);
      const source = await startSource({ kube, namespace, name: "shop", directory: join(room.scratch, "source") });
      started = { room, controller, source };
    },
    follow: async (forge) => {
      const { room, source } = running();
      await room.plane.kube.apply(entryFor(forge));
      await source.follow(forge);
      await reached(room.plane.kube, forge);
    },
    forget: async () => {
      const { room } = running();
      await forget(room.plane.kube);
    },
    close: async () => {
      const { controller, source } = running();
      await source.close();
      await controller.stop();
      started = undefined;
    },
  };
}

async function startController({ plane, processes, scratch }: EngineRoom): Promise<Running> {
  const health = `127.0.0.1:${await freePort()}`;
  return processes.start({
    name: "kustomize-controller",
    command: toolPath("kustomize-controller"),
    args: [
      ...["--watch-all-namespaces", "--health-addr", health, "--metrics-addr", "0", "--log-level", "info"],
      ...["--requeue-dependency", "1s", "--interval-jitter-percentage", "0"],
    ],
    env: { KUBECONFIG: plane.kubeconfigPath, RUNTIME_NAMESPACE: namespace, TMPDIR: scratch },
    ready: () => answers(`http://${health}/readyz`),
  });
}

/** The entry that the repository itself ships for production, pointed at the forge. */
function entryFor(forge: Forge): readonly ApiObject[] {
  const path = fileURLToPath(new URL("../../manifests/clusters/production/shop.yaml", import.meta.url));
  return objectsIn(path)
    .filter(({ metadata }) => metadata.name === "shop")
    .map((object) => ({ ...object, spec: { ...(object.spec as object), ...changesOf(object.kind, forge) } }));
}

// Nothing here brings a HelmRelease to readiness, so the Kustomization does not wait for what it applied.
function changesOf(kind: string, forge: Forge): object {
  if (kind === "GitRepository") return { url: forge.cloneUrl };
  return { interval: "10s", retryInterval: "1s", wait: false };
}

interface Entry {
  readonly status?: {
    readonly lastAppliedRevision?: string;
    readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  };
}

async function reached(kube: KubeClient, forge: Forge): Promise<void> {
  const wanted = `main@sha1:${(await forge.headOf("main")) ?? ""}`;
  let last: Entry["status"];
  const isReached = async () => {
    last = ((await kube.get(entryPath)) as Entry).status;
    return last?.lastAppliedRevision === wanted;
  };
  await until(`Flux to apply ${wanted}`, isReached, 60_000).catch((error: Error) => {
    const said = last?.conditions?.find(({ type }) => type === "Ready")?.message ?? "nothing";
    throw new Error(`${error.message}; the Kustomization says: ${said}`);
  });
}

/** Pruning removes the shop with its namespace. */
async function forget(kube: KubeClient): Promise<void> {
  const isGone = async (path: string) => (await kube.call("GET", path)).status === 404;
  await kube.call("DELETE", entryPath);
  await until("the Kustomization to end", () => isGone(entryPath), 60_000);
  await kube.call("DELETE", sourcePath);
  await until("the shop to be gone", () => isGone("/api/v1/namespaces/shop-production"), 90_000);
}
