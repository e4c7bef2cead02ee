import { isRecord } from "../../domain/kubernetes/rendered.ts";
import { realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";
import { filesAndLinks, goesInCircles, namesOf } from "../gitops/links.ts";
import { directoryOf, insideRepository, joinPath } from "../repository/reader.ts";
import { writtenPaths } from "../helm/other-names.ts";
import type { Release } from "../helm/releases.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { deployedTwice, sharedWith } from "../trace/sharing.ts";

/** Who else reads a chart of this repository, for people; undefined when this release is certainly the only one. */
export function otherUser(entryBuild: EntryBuild, release: Release): string | undefined {
  const { directory } = release;
  if (directory === undefined) return undefined;
  const itself = release.resource?.origin.file.path ?? entryBuild.deployer?.file;
  for (const deployer of entryBuild.index.deployers) {
    // What a set makes is known from the cluster, and the set from the repository.
    if (deployer === entryBuild.deployer || deployer === entryBuild.declared || !deployer.paths.includes(directory))
      continue;
    const isSame = deployer.file === itself && (release.resource?.names.includes(deployer.name) ?? false);
    if (!isSame) return `${deployer.kind} ${deployer.name} (${deployer.file})`;
  }
  const elsewhere = applied(entryBuild, release, directory);
  if (elsewhere !== undefined) return elsewhere;
  const twice = release.directory === entryBuild.path ? deployedTwice(entryBuild) : undefined;
  return (
    twice ??
    linkedChart(entryBuild, directory) ??
    dependentOn(entryBuild.tree, directory) ??
    unreadSibling(entryBuild, release, directory)
  );
}

/**
 * Who else uses the charts that a release takes from beside its own, for people: each is of the one before it alone, or
 * what is written in it is written for others as well.
 */
export function otherUserOfParts(
  entryBuild: EntryBuild,
  release: Release,
  parts: readonly string[],
): string | undefined {
  const { index, tree } = entryBuild;
  for (const [n, part] of parts.entries()) {
    const deployer = index.deployers.find(({ paths }) => paths.includes(part));
    if (deployer !== undefined) return `${deployer.kind} ${deployer.name} (${deployer.file})`;
    const user =
      index.referencedBy.get(part)?.[0] ??
      linkedChart(entryBuild, part) ??
      dependentOn(tree, part, parts[n - 1] ?? release.directory) ??
      unreadSibling(entryBuild, release, part);
    if (user !== undefined) return user;
  }
  return undefined;
}

/** Who else applies the release itself: in another cluster or overlay it is another one, and reads the same chart. */
function applied(entryBuild: EntryBuild, { resource, inflated }: Release, directory: string): string | undefined {
  if (resource?.kind === "HelmRelease") return sharedWith(entryBuild, resource.origin.file.path);
  return inflated ? sharedWith(entryBuild, joinPath(directory, "Chart.yaml")) : undefined;
}

/**
 * A link elsewhere to the chart, or to a directory that holds it: another chart has it, or somebody deploys it so whom
 * the repository does not name. Whoever is named deploys the directory itself.
 */
function linkedChart(entryBuild: EntryBuild, directory: string): string | undefined {
  const { tree, index, declared } = entryBuild;
  if (tree.links === undefined) return undefined;
  const written = writtenPaths(entryBuild);
  // Asked under a link of which nobody knows who deploys it, somebody else may deploy the directory itself.
  const isAlias =
    declared === undefined && written.some((one) => one !== directory && realPath(tree, one) === directory);
  const own = new Set([...(isAlias ? [] : [directory]), ...written]);
  const isOpen = declared === undefined || index.deployers.some(({ paths }) => paths.some((one) => /[{$]/.test(one)));
  const isInChart = (name: string): boolean =>
    name.split("/").some((_, n, steps) => entryBuild.reader.exists([...steps.slice(0, n), "Chart.yaml"].join("/")));
  return namesOf(tree, directory).find(
    (name) => !own.has(name) && !goesInCircles(tree, name) && (isOpen || isInChart(name)),
  );
}

/** A chart that has this one among its `file:` dependencies, other than the one that is known to. */
function dependentOn(tree: Tree, directory: string, known?: string): string | undefined {
  return filesAndLinks(tree).find(
    (path) =>
      /(?:^|\/)(?:Chart|requirements)\.yaml$/.test(path) &&
      localDependencies(tree, path).includes(directory) &&
      directoryOf(path) !== known,
  );
}

/** The directories of the charts that a `Chart.yaml` (or a `requirements.yaml`) takes from beside itself. */
export function localDependencies(tree: Tree, path: string): string[] {
  const text = new TextDecoder().decode(tree.read(path));
  if (!text.includes("file://")) return [];
  const documents = readKubeYaml(text);
  const chart = documents.ok ? documents.value[0] : undefined;
  const items = isRecord(chart) && Array.isArray(chart.dependencies) ? chart.dependencies.filter(isRecord) : [];
  return items.flatMap(({ repository }) => {
    const target =
      typeof repository === "string" && repository.startsWith("file://")
        ? insideRepository(directoryOf(path), repository.slice("file://".length))
        : undefined;
    return target === undefined ? [] : [realPath(tree, target)];
  });
}

/** Value files that this release does not read belong to other releases of the same chart. */
function unreadSibling(entryBuild: EntryBuild, release: Release, directory: string): string | undefined {
  const own = new Set(release.layers.map((layer) => layer.values.file.path));
  const places = new Set([
    directory,
    ...[...own].map(directoryOf).filter((place) => place.startsWith(`${directory}/`)),
  ]);
  for (const place of places) {
    const found = entryBuild.reader
      .list(place)
      .filter((name) => /^values[-._].*\.ya?ml$/.test(name) && !/example|sample|\.tpl\.|schema/.test(name))
      .map((name) => joinPath(place, name))
      .find((path) => !own.has(path));
    if (found !== undefined) return `the release that reads ${found}`;
  }
  return undefined;
}
