import { posix } from "node:path";
import { isRecord } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { yamlOf } from "../../manifests/charts/chart-files.ts";
import { localDependencies } from "../../manifests/charts/chart-users.ts";
import { sourcesIn } from "../../manifests/gitops/controllers.ts";
import { entriesOf } from "../../manifests/gitops/entries.ts";
import { type Deployer, indexOf } from "../../manifests/gitops/gitops.ts";
import { withOpenPaths } from "../../manifests/gitops/readers/hidden-makers.ts";
import { generatedApplications } from "../../manifests/gitops/sets/application-sets.ts";
import { sourcesOf } from "../../manifests/gitops/sets/sources.ts";
import { archived } from "../../manifests/trace/entry.ts";
import { readKubeYaml } from "../../manifests/yaml/kube-yaml.ts";
import { plainOf } from "../../manifests/yaml/plain.ts";
import { at, textAt } from "../../manifests/yaml/source.ts";

/** What a survey passes over because nothing in the repository says how it is deployed. */
export interface Overlooked {
  /** The directories of charts that nothing in the repository is known to deploy. */
  readonly charts: readonly string[];
  /** Those of charts below the fixed beginning of a path that is filled in elsewhere. */
  readonly perhaps: readonly string[];
  /** The ApplicationSets of which some application is not known, as `namespace/name (file)`, with why where we know. */
  readonly sets: readonly string[];
  /** Other objects whose own path is filled in elsewhere, as `kind name (file)`. */
  readonly open: readonly string[];
}

export function overlookedIn(tree: Tree): Overlooked {
  const sets = indexOf(tree).deployers.flatMap((set) => {
    const because = set.kind === "ApplicationSet" ? whyOpen(tree, set) : undefined;
    return because === undefined ? [] : [{ set, because }];
  });
  const open = withOpenPaths(indexOf(tree));
  return {
    ...undeployedCharts(tree, new Set([...sets.map(({ set }) => set), ...open])),
    sets: sets.map(
      ({ set: { namespace = "argocd", name, file }, because }) => `${namespace}/${name} (${file}${because})`,
    ),
    open: open.map(({ kind, name, file }) => `${kind} ${name} (${file})`),
  };
}

/**
 * Undefined unless the cluster alone knows a path of what a set makes; else what its patch holds that nobody fills in
 * here, or nothing more. What lies in other repositories is none of ours.
 */
function whyOpen(tree: Tree, deployer: Deployer): string | undefined {
  const { kind, node } = deployer;
  const spec = writtenSpec(tree, deployer);
  const made = generatedApplications(tree, spec);
  const isOpen = (source: Parameters<typeof textAt>[0]) => /\{\{/.test(textAt(source, ["path"]) ?? "");
  if (made.length === 0) return sourcesOf({ kind, node }).some(isOpen) ? "" : undefined;
  const saysPath = typeof spec.templatePatch === "string" && /\bpath["']?:/.test(spec.templatePatch);
  const unpatched = made.find((one) => saysPath && !one.isPatched);
  if (unpatched) return `: its templatePatch is not filled in: ${unpatched.unpatched}`;
  const paths = made.flatMap(({ spec }) => sourcesIn(spec).map(({ path }) => path));
  return paths.some((path) => typeof path === "string" && path.includes("{{")) ? "" : undefined;
}

/** The spec as it is written: a set whose patches were filled in has one of what they make. */
function writtenSpec(tree: Tree, { name, file, node }: Deployer): Record<string, unknown> {
  const bytes = tree.read(file);
  const documents = bytes && readKubeYaml(new TextDecoder().decode(bytes));
  const objects = documents?.ok ? documents.value.filter(isRecord) : [];
  const own = objects.find(
    (one) => one.kind === "ApplicationSet" && isRecord(one.metadata) && one.metadata.name === name,
  );
  const spec = own?.spec ?? plainOf(at(node, ["spec"]));
  return isRecord(spec) ? spec : {};
}

/**
 * The directories of the charts that nothing in a repository deploys, sorted: no object of Flux or Argo CD, no
 * kustomization, no other chart. Libraries are not deployed by themselves. A path that is filled in elsewhere may lead
 * to any chart below its beginning; what was put away is passed over.
 */
function undeployedCharts(tree: Tree, open: ReadonlySet<Deployer>): Pick<Overlooked, "charts" | "perhaps"> {
  const charts = chartsOf(tree);
  const { deployers, referencedBy } = indexOf(tree);
  // A set of Argo CD is an entry for each application that it makes; a release of Flux is none.
  const paths = [...deployers.flatMap((one) => one.paths), ...entriesOf(tree).flatMap(({ path }) => path ?? [])];
  const places = new Set([...paths.map((path) => path || "."), ...[...charts.values()].flatMap(({ parts }) => parts)]);
  const openPaths = [...open].flatMap((one) => one.paths);
  const beginnings = openPaths.flatMap((path) => /^(.+?)(?:\{\{|\$\{|[*?[])/.exec(path)?.[1] ?? []);
  const isReached = (directory: string) =>
    places.has(directory) || referencedBy.has(directory === "." ? "" : directory);
  const left = [...charts].flatMap(([directory, { isLibrary }]) =>
    isLibrary || isReached(directory) || archived.test(`${directory}/`) ? [] : [directory],
  );
  const isPerhaps = (directory: string) => beginnings.some((beginning) => directory.startsWith(beginning));
  return {
    charts: left.filter((directory) => !isPerhaps(directory)).sort(),
    perhaps: left.filter(isPerhaps).sort(),
  };
}

interface Chart {
  readonly isLibrary: boolean;
  /** The directories of the charts that it takes from beside itself. */
  readonly parts: readonly string[];
}

/** The charts of a tree by their directories, but what lies in a chart's own `charts`. */
function chartsOf(tree: Tree): ReadonlyMap<string, Chart> {
  const directories = tree
    .paths()
    .flatMap((path) => (posix.basename(path) === "Chart.yaml" ? [posix.dirname(path)] : []));
  const all = new Set(directories);
  const isPart = (directory: string): boolean => {
    const above = posix.dirname(directory);
    return posix.basename(above) === "charts" && all.has(posix.dirname(above));
  };
  return new Map(directories.filter((one) => !isPart(one)).map((one) => [one, chartOf(tree, one)]));
}

function chartOf(tree: Tree, directory: string): Chart {
  const path = posix.join(directory, "Chart.yaml");
  const chart = yamlOf(new Map([["Chart.yaml", tree.read(path) ?? new Uint8Array()]]), "Chart.yaml");
  return { isLibrary: isRecord(chart) && chart.type === "library", parts: localDependencies(tree, path) };
}
