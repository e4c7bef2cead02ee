import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isRecord } from "../../src/domain/kubernetes/rendered.ts";
import { until } from "../../src/lab/start.ts";
import { parseYamlDocuments } from "../../src/manifests/yaml/yaml.ts";
import type { ApiObject, KubeClient } from "./kube-client.ts";

/** A released Go module as one of ours pins it; its files are data for us. */
interface PinnedModule {
  readonly version: string;
  readonly directory: string;
}

/** Finds a module among those that `test/tools/<folder>` pins; Go brings it when its cache has it no more. */
export function pinnedModule(folder: string, path: string): PinnedModule {
  const cwd = fileURLToPath(new URL(`../tools/${folder}/`, import.meta.url));
  const { stdout, stderr } = spawnSync("go", ["mod", "download", "-json", path], { cwd, encoding: "utf8" });
  const found = JSON.parse(stdout || "{}") as { Version?: string; Dir?: string; Error?: string };
  if (found.Dir === undefined) throw new Error(`go mod download ${path}: ${found.Error ?? stderr}`);
  return { version: found.Version ?? "", directory: found.Dir };
}

/** Every object in a YAML file, or in the YAML files of a folder. */
export function objectsIn(path: string): readonly ApiObject[] {
  const files = path.endsWith(".yaml") ? [path] : readdirSync(path).map((name) => join(path, name));
  return files
    .filter((file) => file.endsWith(".yaml"))
    .flatMap((file) => {
      const read = parseYamlDocuments(readFileSync(file, "utf8"));
      if (!read.ok) throw new Error(`${file}: ${read.problem}`);
      return read.value.filter(isRecord) as unknown as ApiObject[];
    });
}

interface Source {
  readonly folder: string;
  readonly module: string;
  readonly paths: readonly string[];
}

const sources = {
  flux: [
    { folder: "flux", module: "github.com/fluxcd/kustomize-controller", paths: ["config/crd/bases"] },
    { folder: "definitions", module: "github.com/fluxcd/source-controller", paths: ["config/crd/bases"] },
    { folder: "definitions", module: "github.com/fluxcd/helm-controller", paths: ["config/crd/bases"] },
  ],
  argocd: [{ folder: "argocd", module: "github.com/argoproj/argo-cd/v3", paths: ["manifests/crds"] }],
  "prometheus-operator": [
    {
      folder: "definitions",
      module: "github.com/prometheus-operator/prometheus-operator",
      paths: ["example/prometheus-operator-crd"],
    },
  ],
  kyverno: [
    {
      folder: "kyverno",
      module: "github.com/kyverno/kyverno",
      paths: ["config/crds/kyverno", "config/crds/policies.kyverno.io"],
    },
  ],
} as const satisfies Record<string, readonly Source[]>;

export type Vendor = keyof typeof sources;

export const vendors = Object.keys(sources) as readonly Vendor[];

/** The resource definitions of a vendor, out of its released modules, and which releases these are. */
export function definitionsOf(vendor: Vendor): {
  readonly objects: readonly ApiObject[];
  readonly versions: Readonly<Record<string, string>>;
} {
  const found = sources[vendor].map((source: Source) => ({ source, ...pinnedModule(source.folder, source.module) }));
  return {
    objects: found
      .flatMap(({ source, directory }) => source.paths.flatMap((path) => objectsIn(join(directory, path))))
      .filter(({ kind }) => kind === "CustomResourceDefinition"),
    versions: Object.fromEntries(found.map(({ source, version }) => [nameOf(source.module), version])),
  };
}

function nameOf(module: string): string {
  return (
    module
      .replace(/\/v\d+$/, "")
      .split("/")
      .at(-1) ?? module
  );
}

/** Linkerd's own, which are in no module: where a folder beside the repository gives them. */
const linkerdPath = fileURLToPath(new URL("../../../shared/crds/linkerd", import.meta.url));

/** The definitions that a folder beside the repository gives; none where it is not there. */
export function givenDefinitions(): readonly ApiObject[] {
  const objects = existsSync(linkerdPath) ? objectsIn(linkerdPath) : [];
  return objects.filter(({ kind }) => kind === "CustomResourceDefinition");
}

interface Definition {
  readonly group: string;
  readonly names: { readonly kind: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}

const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Creates what is missing and waits until every kind of it is served. Plain creation: applying such sizes is slow. */
export async function installDefinitions(
  kube: KubeClient,
  wanted: readonly Vendor[],
  more: readonly ApiObject[] = [],
): Promise<void> {
  const objects = [...wanted.flatMap((vendor) => definitionsOf(vendor).objects), ...more];
  await Promise.all(
    objects.map(async (body) => {
      const { status } = await kube.call("POST", definitionsPath, { body });
      // 409: it is there already.
      if (status !== 201 && status !== 409) throw new Error(`definition ${body.metadata.name}: HTTP ${status}`);
    }),
  );
  for (const { spec } of objects) {
    const { group, names, versions } = spec as Definition;
    for (const { name } of versions.filter(({ served }) => served)) {
      const any = { apiVersion: `${group}/${name}`, kind: names.kind, metadata: { name: "any" } };
      const isServed = () =>
        kube.pathOf(any).then(
          () => true,
          () => false,
        );
      await until(`${group} ${names.kind}`, isServed, 120_000);
    }
  }
}
