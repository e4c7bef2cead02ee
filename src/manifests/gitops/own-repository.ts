import { addressOf } from "../../domain/text/repository-address.ts";
import { at, type Node, textAt } from "../yaml/source.ts";
import { directoriesAbove, directoryOf } from "../repository/reader.ts";
import type { Deployer, RepositoryIndex } from "./gitops.ts";
import { sourcesOf } from "./sets/sources.ts";
import { deployersAt } from "./readers/by-path.ts";
import { isPin, mayBePin } from "./readers/revisions.ts";

/** The Git repository that something is taken from: its address where that is known, else its name on the cluster. */
export interface GitSource {
  readonly address?: string;
  readonly name?: string;
}

/**
 * The first source of a deployer that is another repository than this one. Its own file stands here, so whoever deploys
 * that file reads this repository; a path that is also here would otherwise be edited without any effect.
 */
export function foreignSource(index: RepositoryIndex, deployer: Deployer, path: string): Node | undefined {
  const own = ownSources(index, deployer.file);
  if (own.length === 0) return undefined;
  return sourceNodes(deployer)
    .filter((node) => reads(node, path))
    .find((node) => {
      const source = gitSource(index, node, deployer.namespace);
      return source !== undefined && !own.some((one) => isSameSource(one, source));
    });
}

/**
 * True for a deployer of another repository, whose paths say nothing of what stands here. A mirror goes by another
 * address and seldom by another name: only where that differs as well nobody here is its reader.
 */
export function isOfAnother(index: RepositoryIndex, deployer: Deployer, path: string): boolean {
  const node = foreignSource(index, deployer, path);
  const source = node && gitSource(index, node, deployer.namespace);
  const nameIn = ({ address }: GitSource): string | undefined => address?.split("/").at(-1);
  const own = ownSources(index, deployer.file).map(nameIn);
  const name = source && nameIn(source);
  return name !== undefined && !own.includes(undefined) && !own.includes(name);
}

/** A revision other than the branch that is served: no change of the branch reaches the cluster then. */
export interface Pin {
  readonly node: Node;
  readonly revision: string;
  /** False where it may be a branch as well, or holds for one of several clusters: nobody here can tell. */
  readonly isCertain: boolean;
}

/** What pins an Argo CD source that reads a path. A name that may be a branch is taken for the one that is served. */
export function pinnedSource(index: RepositoryIndex, deployer: Deployer, path: string): Pin | undefined {
  if (deployer.kind !== "Application" && deployer.kind !== "ApplicationSet") return undefined;
  const own = ownSources(index, deployer.file);
  const isOurs = (node: Node): boolean => {
    const source = gitSource(index, node, undefined);
    return source === undefined || own.length === 0 || own.some((one) => isSameSource(one, source));
  };
  const sources = sourcesOf(deployer).filter((node) => reads(node, path) && isOurs(node));
  const found = sources.flatMap((source) => pinOfArgo(source) ?? []);
  return found.find(({ isCertain }) => isCertain) ?? found[0];
}

/** What pins one Argo CD source of a Git repository. */
export function pinOfArgo(source: Node): Pin | undefined {
  const node = at(source, ["targetRevision"]);
  const revision = textAt(node, []);
  if (at(source, ["chart"]) !== undefined || node === undefined || revision === undefined || isOpen(revision))
    return undefined;
  if (isPin(revision) || constraint.test(revision)) return { node, revision, isCertain: true };
  return mayBePin(revision) ? { node, revision, isCertain: false } : undefined;
}

// Argo CD takes what no branch is called for a range of versions.
const constraint = /[~^*<>=!|,\s]/;

/** What pins a Flux GitRepository; variables stand for some tag as well. */
export function pinOfFlux(repository: Node): Pin | undefined {
  for (const key of ["commit", "name", "semver", "tag"]) {
    const node = at(repository, ["spec", "ref", key]);
    const revision = textAt(node, []);
    if (node === undefined || revision === undefined || revision === "") continue;
    return key === "name" && /^refs\/heads\/|^\$\{/.test(revision) ? undefined : { node, revision, isCertain: true };
  }
  return undefined;
}

/** The repository that a deployer reads. */
export function sourceOf(index: RepositoryIndex, deployer: Deployer, path: string): GitSource | undefined {
  const node = sourceNodes(deployer).find((one) => reads(one, path));
  return node && gitSource(index, node, deployer.namespace);
}

/** The repository that an Argo CD source or a Flux `sourceRef` names; undefined where it is open. */
export function gitSource(index: RepositoryIndex, node: Node, home: string | undefined): GitSource | undefined {
  const written = textAt(node, ["repoURL"]);
  // One word is no address but a place for it: nobody can say which repository is meant.
  if (written !== undefined)
    return isOpen(written) || !/[/:]/.test(written) ? undefined : { address: addressOf(written) };
  const name = textAt(node, ["name"]);
  if (name === undefined || isOpen(name)) return undefined;
  const url = urlOf(index, name, textAt(node, ["namespace"]) ?? home);
  return url === undefined || isOpen(url) ? { name } : { address: addressOf(url), name };
}

/** Addresses decide; without them names do. What cannot be compared may be the same. */
export function isSameSource(one: GitSource, other: GitSource): boolean {
  if (one.address !== undefined && other.address !== undefined) return one.address === other.address;
  return one.name === undefined || other.name === undefined || one.name === other.name;
}

/** A repository by its name, and the addresses that were said to be it. */
interface NamedRepository {
  readonly owner: string;
  readonly repo: string;
  readonly mirrors?: readonly string[];
}

/**
 * Whether an address names this repository: by owner and name, as SSH, HTTPS and a mirror of it write them. A name with
 * more parts in front is that of a group of another kind of host, and its last two decide. A mirror under another name
 * must be said, host and all.
 */
export function namesRepository(url: string, { owner, repo, mirrors = [] }: NamedRepository): boolean {
  const address = addressOf(url);
  if (mirrors.some((mirror) => addressOf(mirror) === address)) return true;
  const parts = address.split("/");
  return parts.length > 2 && parts.slice(-2).join("/") === `${owner}/${repo}`.toLowerCase();
}

/** Which of several an address names: the first whose mirror it is, or else the first of that name. */
export function ownerOf<Named extends NamedRepository>(url: string, all: readonly Named[]): Named | undefined {
  const mirrored = all.find(({ mirrors = [] }) => mirrors.some((mirror) => addressOf(mirror) === addressOf(url)));
  return mirrored ?? all.find((one) => namesRepository(url, one));
}

const isOpen = (text: string): boolean => /\$\{|\{\{/.test(text);

function ownSources(index: RepositoryIndex, file: string): GitSource[] {
  return deployersAt(index.deployers, directoriesAbove(file)).flatMap((one) =>
    one.paths.filter((path) => mayDeploy(index, one, path, file)).flatMap((path) => sourceOf(index, one, path) ?? []),
  );
}

/** Argo CD takes from a plain directory only what lies at its top, unless it is told to look below. */
function mayDeploy(index: RepositoryIndex, deployer: Deployer, path: string, file: string): boolean {
  if (path !== "" && !file.startsWith(`${path}/`)) return false;
  const isPlain = !index.changes.has(path) && index.directories.get(path)?.has("Chart.yaml") !== true;
  if (deployer.kind === "Kustomization" || !isPlain || directoryOf(file) === path) return true;
  const takesBelow = (node: Node) =>
    at(node, ["plugin"]) !== undefined || textAt(node, ["directory", "recurse"]) === "true";
  return sourcesOf(deployer).some((node) => reads(node, path) && takesBelow(node));
}

function sourceNodes(deployer: Deployer): readonly Node[] {
  if (deployer.kind === "Application" || deployer.kind === "ApplicationSet") return sourcesOf(deployer);
  const source = at(deployer.node, ["spec", "sourceRef"]);
  return source && textAt(source, ["kind"]) === "GitRepository" ? [source] : [];
}

/** A Flux reference says no path of its own. */
function reads(node: Node, path: string): boolean {
  const written = textAt(node, ["path"]);
  return written === undefined || isOpen(written) || written.replace(/^(?:\.?\/)+|\/+$|^\.$/g, "") === path;
}

/** The GitRepository of that name in that namespace; a namespace that a kustomization sets is not in the file. */
export function gitRepositories(index: RepositoryIndex, name: string, namespace: string | undefined) {
  // Without an address it is a patch of one.
  const isWhole = (node: Node) => at(node, ["spec", "url"]) !== undefined;
  const named = index.fluxSources.filter(
    (one) => one.kind === "GitRepository" && one.name === name && isWhole(one.node),
  );
  const near = named.filter((one) => one.namespace === namespace);
  return near.length > 0 ? near : named;
}

function urlOf(index: RepositoryIndex, name: string, namespace: string | undefined): string | undefined {
  const urls = new Set(gitRepositories(index, name, namespace).map((one) => textAt(one.node, ["spec", "url"])));
  return urls.size === 1 ? [...urls][0] : undefined;
}
