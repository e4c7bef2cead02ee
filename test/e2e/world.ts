import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isRecord } from "../../src/domain/kubernetes/rendered.ts";
import { parseYamlDocuments } from "../../src/manifests/yaml/yaml.ts";
import { startControlPlane } from "./control-plane.ts";
import { installDefinitions, type Vendor } from "./definitions.ts";
import type { ApiObject } from "./kube-client.ts";
import type { Processes } from "./processes.ts";
import { namespace, openShop } from "./shop.ts";
import { type RealWorld, rectifyAccount } from "./real-run.ts";
import { startTelemetry } from "./telemetry.ts";
import { toolPath } from "./tools.ts";

/** Starts everything that lives as long as there are scenarios. The definitions of these vendors are installed beside it. */
export async function openRealWorld(scratch: string, processes: Processes, defined: readonly Vendor[]) {
  const programs = programsOf();
  const loki: { url?: string | undefined } = {};
  const starting = startControlPlane(scratch, programs, processes);
  const opening = starting.then(({ kube }) => openShop(kube, () => loki.url));
  const [plane, shop, telemetry] = await Promise.all([
    starting,
    opening,
    startTelemetry(scratch, programs, { shop: opening, processes }),
    starting.then(({ kube }) => installDefinitions(kube, defined)),
  ]);
  loki.url = telemetry.lokiUrl;
  await plane.kube.apply(accountOfRectify());
  const world: RealWorld = { scratch, plane, shop, telemetry, kyverno: programs.kyverno };
  const version = (await plane.kube.get("/version")) as { gitVersion: string };
  return {
    world,
    versions: { "kube-apiserver": version.gitVersion, ...versionsOf(programs) },
    close: async () => {
      await shop.close();
      await plane.close();
    },
  };
}

function programsOf() {
  return {
    ...{ etcd: "etcd", prometheus: "prometheus", promtool: "promtool", alertmanager: "prometheus-alertmanager" },
    "kube-apiserver": toolPath("kube-apiserver"),
    "kube-controller-manager": toolPath("kube-controller-manager"),
    "kube-scheduler": toolPath("kube-scheduler"),
    kwok: toolPath("kwok"),
    loki: toolPath("loki"),
    kyverno: toolPath("kyverno"),
  };
}

/** What each program calls itself. */
function versionsOf(programs: ReturnType<typeof programsOf>): Readonly<Record<string, string>> {
  const asked: readonly (readonly [string, string, string])[] = [
    ["kube-controller-manager", programs["kube-controller-manager"], "--version"],
    ["kube-scheduler", programs["kube-scheduler"], "--version"],
    ["kwok", programs.kwok, "--version"],
    ["etcd", programs.etcd, "--version"],
    ["prometheus", programs.prometheus, "--version"],
    ["alertmanager", programs.alertmanager, "--version"],
    ["loki", programs.loki, "-version"],
    ["kyverno", programs.kyverno, "version"],
    ["git", "git", "--version"],
  ];
  return Object.fromEntries(asked.map(([name, command, flag]) => [name, versionOf(command, flag)]));
}

function versionOf(command: string, flag: string): string {
  const output = execFileSync(command, [flag], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return /v?\d+\.\d+\.\d+\S*/.exec(output)?.[0].replace(/,$/, "") ?? "unknown";
}

/** Rectify's ServiceAccount with the permission of `manifests/rectify`, and the namespace that holds it. */
function accountOfRectify(): readonly ApiObject[] {
  const path = fileURLToPath(new URL("../../manifests/rectify/base/rbac.yaml", import.meta.url));
  const read = parseYamlDocuments(readFileSync(path, "utf8"));
  if (!read.ok) throw new Error(read.problem);
  const objects = read.value.filter(isRecord) as unknown as ApiObject[];
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: rectifyAccount.namespace } },
    ...objects.map((object) =>
      object.kind === "ServiceAccount"
        ? { ...object, metadata: { ...object.metadata, namespace: rectifyAccount.namespace } }
        : object,
    ),
  ];
}

/** What helm-controller would install of the shop's HelmRelease: nothing here reconciles it. */
export function payments(): ApiObject {
  const labels = { app: "payments" };
  const resources = { requests: { cpu: "150m", memory: "192Mi" }, limits: { memory: "256Mi" } };
  const container = { name: "payments", image: "ghcr.io/rectify-lab/shop-payments:5.1.0", resources };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "payments", namespace, labels: { ...labels, "helm.toolkit.fluxcd.io/name": "payments" } },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  };
}
