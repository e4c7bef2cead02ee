import { type MadeObject, realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import { type ControllerObject, controllerObjects, placeOfMade } from "./controllers.ts";
import { inflationGenerator } from "./inflated-charts.ts";
import { deployersAt } from "./readers/by-path.ts";
import { componentsAdded } from "./readers/components.ts";
import { asPatched } from "./sets/as-patched.ts";
import { sourcesOf, specsOf } from "./sets/sources.ts";
import { type OwnUrls, ownUrls, type SourceWithUrl } from "./readers/own-urls.ts";
import {
  followUrls,
  noReferences,
  noteInflated,
  noteKustomization,
  type SupposedReference,
} from "./readers/references.ts";
import {
  directoriesOf,
  type Directories,
  directoryOf,
  insideRepository,
  isKustomization,
} from "../repository/reader.ts";
import { filesAndLinks, namesOf } from "./links.ts";
import { resourcesOf } from "../repository/resource.ts";
import { plainOf } from "../yaml/plain.ts";
import { at, maxFileBytes, type MapNode, parseSource, parseText, type Sourced, textAt } from "../yaml/source.ts";

/** A Flux or Argo CD object that deploys a path of this repository. */
export interface Deployer {
  readonly kind: "Kustomization" | "Application" | "ApplicationSet" | "HelmRelease";
  readonly name: string;
  readonly namespace: string | undefined;
  /** The file it stands in. */
  readonly file: string;
  /** The paths it deploys, normalized; templated ones as they are written. */
  readonly paths: readonly string[];
  /** The components that it adds to what its paths build. */
  readonly components: readonly string[];
  /** Paths that it deploys more than once: an ApplicationSet makes one application for each cluster. */
  readonly repeats: ReadonlySet<string>;
  readonly node: MapNode;
}

/** What a repository says about who uses which file; built once for each tree. */
export interface RepositoryIndex {
  readonly links: Tree["links"];
  readonly directories: Directories;
  /** Referenced file or directory → kustomization directories that reference it. */
  readonly referencedBy: ReadonlyMap<string, readonly string[]>;
  /** Kustomization directory → does it change what it includes? */
  readonly changes: ReadonlyMap<string, boolean>;
  /** Directories of components, which are built as a part of something else only. */
  readonly parts: ReadonlySet<string>;
  readonly deployers: readonly Deployer[];
  /** The objects of Flux that say where charts and repositories are. */
  readonly fluxSources: readonly FluxSource[];
  /** Every file that speaks of objects of Flux or Argo CD, templates as well. */
  readonly mentions: ReadonlySet<string>;
  /** Which URLs lead into this repository. */
  readonly urls: OwnUrls;
  /** References by URLs of which nobody here can tell whether they lead into this repository. */
  readonly supposed: readonly SupposedReference[];
  /** Files with objects that own or bound what other objects say. */
  readonly owning: readonly string[];
}

/** A HelmRepository, an OCIRepository or a GitRepository. */
interface FluxSource {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly node: MapNode;
}

/** A tree never changes, so its index is kept as long as the tree lives: a repository is read once for many questions. */
const indexByTree = new WeakMap<Tree, RepositoryIndex>();

export function indexOf(tree: Tree): RepositoryIndex {
  const known = indexByTree.get(tree);
  if (known) return known;
  const index = builtIndex(tree);
  indexByTree.set(tree, index);
  return index;
}

function builtIndex(tree: Tree): RepositoryIndex {
  if (tree.over?.paths.length === 0) {
    const before = indexOf(tree.over.tree);
    return { ...before, deployers: [...before.deployers, ...deployersOfObjects(tree, tree.made ?? [])] };
  }
  const references = noReferences();
  const deployers: Deployer[] = [];
  const mentions = new Set<string>();
  const fluxSources: FluxSource[] = [];
  const owning: string[] = [];
  const latin1 = new TextDecoder("latin1");
  for (const path of filesAndLinks(tree)) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (!/\.(?:ya?ml|json)$/.test(name) && name !== "Kustomization") continue;
    const bytes = tree.read(path);
    if (!bytes || bytes.length > maxFileBytes) continue;
    if (isKustomization(name)) noteKustomization(tree, path, references);
    const text = latin1.decode(bytes);
    // What stands behind a link is noted where it stands.
    const isLink = tree.links?.targets.has(path) === true;
    if (!isLink && speech.test(text)) {
      if (spoken.test(text)) mentions.add(path);
      noteDeployers(tree, path, deployers);
    }
    if (text.includes(inflationGenerator)) noteInflated(tree, path, references);
    if (owningKinds.test(text)) owning.push(path);
    if (!isLink && text.includes("source.toolkit.fluxcd.io")) noteFluxSources(path, bytes, fluxSources);
  }
  deployers.push(...deployersOfObjects(tree, tree.made ?? []));
  const directories = directoriesOf(tree);
  const urls = ownUrls(tree, { directories, sources: sourcesWithUrls({ deployers, fluxSources }) });
  const supposed = followUrls(tree, urls, references);
  const { referencedBy, changes, parts } = references;
  return {
    links: tree.links,
    directories,
    referencedBy,
    changes,
    parts,
    deployers,
    fluxSources,
    mentions,
    urls,
    supposed,
    owning,
  };
}

const speech = /kustomize\.toolkit\.fluxcd\.io|argoproj\.io\/v1alpha1|helm\.toolkit\.fluxcd\.io/;

// Workflows and rollouts are of the same groups, and deploy nothing of the repository.
const spoken = /\b(?:Application|ApplicationSet|Kustomization|HelmRelease)\b/;

/** Autoscalers of every kind and LimitRanges, as a text names them, and what patches their targets. */
const owningKinds = /\bkind["']?:\s*["']?(?:\w*Autoscaler|ScaledObject|LimitRange)\b|\bscaleTargetRef\//;

/** The index of a tree that differs from a known one in some files, without reading all others again. */
export function indexAfter(tree: Tree, before: RepositoryIndex, paths: readonly string[]): RepositoryIndex {
  const isNew = (path: string): boolean =>
    !before.directories.get(directoryOf(path))?.has(path.split("/").at(-1) ?? "");
  if (paths.some((path) => isNew(path) || isKustomization(path))) return indexOf(tree);
  const deployers = before.deployers.filter((one) => !paths.includes(one.file));
  const fluxSources = before.fluxSources.filter((one) => !paths.includes(one.node.file.path));
  for (const path of paths) {
    const bytes = tree.read(path);
    if (!bytes || !/\.(?:ya?ml|json)$/.test(path) || bytes.length > maxFileBytes) continue;
    noteDeployers(tree, path, deployers);
    noteFluxSources(path, bytes, fluxSources);
  }
  const index = { ...before, deployers, fluxSources };
  indexByTree.set(tree, index);
  return index;
}

function noteFluxSources(path: string, bytes: Uint8Array, sources: FluxSource[]): void {
  const source = parseSource(path, bytes);
  const resources = source.ok ? source.file.documents.flatMap((document) => resourcesOf(document.root)) : [];
  for (const { apiVersion, kind, names, namespace, node } of resources) {
    if (!apiVersion.startsWith("source.toolkit.fluxcd.io/")) continue;
    if (kind === "HelmRepository" || kind === "OCIRepository" || kind === "GitRepository")
      sources.push({ kind, name: names[0] ?? "", namespace, node });
  }
}

function noteDeployers(tree: Tree, path: string, deployers: Deployer[]): void {
  const bytes = tree.read(path);
  const source = bytes && parseSource(path, bytes);
  if (source?.ok) deployers.push(...deployersIn(tree, source.file));
}

/** What entries make by rendering and no file holds; its nodes stand in no file either. */
export function deployersOfObjects(tree: Tree, made: readonly MadeObject[]): Deployer[] {
  return made.flatMap((one) => {
    const text = JSON.stringify(one.document);
    const source = parseText(placeOfMade(one), text, text);
    return source.ok ? deployersIn(tree, source.file) : [];
  });
}

function deployersIn(tree: Tree, { path, documents }: Extract<Sourced, { ok: true }>["file"]): Deployer[] {
  return documents
    .flatMap((document) => resourcesOf(document.root))
    .flatMap((resource) => {
      const kind = deployerKind(resource.apiVersion, resource.kind);
      if (!kind) return [];
      const made = kind === "ApplicationSet" ? madeBy(tree, path, resource.names[0]) : [];
      const node = asPatched(resource, made);
      const places = made.map(({ entry }) => (entry.path === "." ? "" : (entry.path ?? "")));
      const repeated = made.flatMap(({ several }, n) =>
        several || places.indexOf(places[n] ?? "") !== n ? places[n] : [],
      );
      const paths = [...new Set([...pathsOf(kind, node), ...places].map((place) => realPath(tree, place)))];
      return {
        kind,
        // Releases may take their chart from such an object, whatever they are called.
        name: resource.kind === "HelmChart" ? `of HelmChart ${resource.names[0]}` : (resource.names[0] ?? ""),
        namespace: resource.namespace,
        file: path,
        paths,
        components: componentsOf(kind, node, paths).map((place) => realPath(tree, place)),
        repeats: new Set(repeated.flatMap((place) => (place === undefined ? [] : [realPath(tree, place)]))),
        node,
      };
    });
}

/** Few objects have components, and each costs its values. */
function componentsOf(kind: Deployer["kind"], node: MapNode, paths: readonly string[]): readonly string[] {
  if (kind === "HelmRelease" || !node.file.text.includes("components")) return [];
  return specsOf({ kind, node }).flatMap((spec) => componentsAdded(plainOf(spec), paths));
}

/** The Applications that a set makes. */
const madeBy = (tree: Tree, file: string, set: string | undefined): readonly ControllerObject[] =>
  controllerObjects(tree).filter((object) => object.entry.file === file && object.set === set);

function deployerKind(apiVersion: string, kind: string): Deployer["kind"] | undefined {
  if (kind === "Kustomization" && apiVersion.startsWith("kustomize.toolkit.fluxcd.io/")) return "Kustomization";
  if (kind === "HelmRelease" && apiVersion.startsWith("helm.toolkit.fluxcd.io/")) return "HelmRelease";
  if (kind === "HelmChart" && apiVersion.startsWith("source.toolkit.fluxcd.io/")) return "HelmRelease";
  if ((kind === "Application" || kind === "ApplicationSet") && apiVersion.startsWith("argoproj.io/")) return kind;
  return undefined;
}

function pathsOf(kind: Deployer["kind"], node: MapNode): string[] {
  const clean = (path: string | undefined): string[] => {
    const inside = path === undefined ? undefined : insideRepository("", path.replace(/^\/+/, ""));
    return inside === undefined ? [] : [inside];
  };
  if (kind === "Kustomization") return clean(textAt(node, ["spec", "path"]));
  if (kind === "HelmRelease")
    return clean(textAt(node, ["spec", "chart", "spec", "chart"]) ?? textAt(node, ["spec", "chart"]));
  return sourcesOf({ kind, node }).flatMap((source) => clean(textAt(source, ["path"])));
}

/** What deployers take from Git, by the URLs that they or their GitRepository say. */
function sourcesWithUrls({
  deployers,
  fluxSources,
}: Pick<RepositoryIndex, "deployers" | "fluxSources">): SourceWithUrl[] {
  return deployers.flatMap(({ kind, node, paths }) => {
    if (kind === "Application" || kind === "ApplicationSet")
      return sourcesOf({ kind, node }).map((source) => ({
        url: textAt(source, ["repoURL"]),
        path: textAt(source, ["chart"]) === undefined ? textAt(source, ["path"]) : undefined,
      }));
    const reference = at(
      node,
      kind === "Kustomization" ? ["spec", "sourceRef"] : ["spec", "chart", "spec", "sourceRef"],
    );
    const repository = fluxSources.find(
      (one) => one.kind === "GitRepository" && one.name === textAt(reference, ["name"]),
    );
    return paths.map((path) => ({ url: textAt(repository?.node, ["spec", "url"]), path }));
  });
}

/** Kustomization directories that reach a file, directly or through others. */
export function reaching(index: RepositoryIndex, path: string): ReadonlySet<string> {
  const found = new Set<string>();
  const queue = [path];
  const real = (place: string) => realPath(index, place);
  const note = (directory: string): void => {
    if (found.has(directory)) return;
    found.add(directory);
    queue.push(directory);
  };
  const readers = (place: string): readonly string[] => index.referencedBy.get(place) ?? [];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const names = namesOf(index, next);
    const own = names.filter(isKustomization).map((name) => real(directoryOf(name)));
    const open = names.flatMap((name) => openAbove(index, name)).flatMap(readers);
    for (const directory of [...own, ...readers(real(next)), ...open]) note(directory);
  }
  return found;
}

/** Directories without a kustomization of their own above a path, up to the first one that has one; without links. */
export function openAbove(index: RepositoryIndex, path: string): string[] {
  const open: string[] = [];
  const real = (place: string) => realPath(index, place);
  const isKustomized = (directory: string): boolean => index.changes.has(real(directory));
  if (isKustomized(path)) return open;
  for (let up = path; up !== ""; ) {
    up = directoryOf(up);
    if (isKustomized(up)) break;
    open.push(real(up));
  }
  return open;
}

/** The deployers of a path. */
export const deployersOf = (index: RepositoryIndex, path: string): Deployer[] => deployersAt(index.deployers, [path]);
