import { posix } from "node:path";
import { isRecord } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { yamlOf } from "../../manifests/charts/chart-files.ts";
import { localDependencies } from "../../manifests/charts/chart-users.ts";
import { controllerObjects } from "../../manifests/gitops/controllers.ts";
import { entriesOf } from "../../manifests/gitops/entries.ts";
import { indexOf } from "../../manifests/gitops/gitops.ts";
import { sourcesOf } from "../../manifests/gitops/sets/sources.ts";
import { archived } from "../../manifests/trace/entry.ts";
import { textAt } from "../../manifests/yaml/source.ts";

/** What a survey passes over because nothing in the repository says how it is deployed. */
export interface Overlooked {
  /** The directories of charts that nothing in the repository is known to deploy. */
  readonly charts: readonly string[];
  /** The ApplicationSets of which no application is known, as `namespace/name (file)`. */
  readonly sets: readonly string[];
}

export function overlookedIn(tree: Tree): Overlooked {
  return { charts: undeployedCharts(tree), sets: openSets(tree) };
}

/** The sets whose paths are known in the cluster alone. What lies in other repositories is none of ours. */
function openSets(tree: Tree): readonly string[] {
  const made = new Set(controllerObjects(tree).map(({ entry, set }) => JSON.stringify([entry.file, set])));
  return indexOf(tree).deployers.flatMap((deployer) => {
    const { kind, name, namespace = "argocd", file, node } = deployer;
    if (kind !== "ApplicationSet" || made.has(JSON.stringify([file, name]))) return [];
    const paths = sourcesOf(deployer).map((source) => textAt(source, ["path"]) ?? "");
    const isPatched = /\bpath["']?:/.test(textAt(node, ["spec", "templatePatch"]) ?? "");
    return isPatched || paths.some((path) => path.includes("{{")) ? [`${namespace}/${name} (${file})`] : [];
  });
}

/**
 * The directories of the charts that nothing in a repository deploys, sorted: no object of Flux or Argo CD, no
 * kustomization, no other chart. Libraries are not deployed by themselves. A template whose beginning leads to a
 * chart counts as one that does; what was put away is passed over.
 */
function undeployedCharts(tree: Tree): readonly string[] {
  const charts = chartsOf(tree);
  const { deployers, referencedBy } = indexOf(tree);
  // A set of Argo CD is an entry for each application that it makes; a release of Flux is none.
  const paths = [...deployers.flatMap((one) => one.paths), ...entriesOf(tree).flatMap(({ path }) => path ?? [])];
  const places = new Set([...paths.map((path) => path || "."), ...[...charts.values()].flatMap(({ parts }) => parts)]);
  const beginnings = paths.flatMap((path) => /^(.+?)(?:\{\{|\$\{|[*?[])/.exec(path)?.[1] ?? []);
  const isReached = (directory: string) =>
    places.has(directory) ||
    referencedBy.has(directory === "." ? "" : directory) ||
    beginnings.some((beginning) => directory.startsWith(beginning));
  return [...charts]
    .flatMap(([directory, { isLibrary }]) =>
      isLibrary || isReached(directory) || archived.test(`${directory}/`) ? [] : [directory],
    )
    .sort();
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
