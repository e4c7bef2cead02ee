import { addressOf } from "../../domain/text/repository-address.ts";
import { at, type Node, textAt } from "../yaml/source.ts";
import { directoryOf } from "../repository/reader.ts";
import { type Deployer, type RepositoryIndex, sourcesOf } from "./gitops.ts";

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
 * Where a deployer pins what it reads at a path to a tag, a range of versions or a commit, with that: no change of the
 * branch reaches the cluster then. A name that may be a branch is taken for the one that is served.
 */
export function pinnedRevision(
  index: RepositoryIndex,
  deployer: Deployer,
  path: string,
): { readonly node: Node; readonly revision: string } | undefined {
  for (const node of sourceNodes(deployer).filter((one) => at(one, ["chart"]) === undefined && reads(one, path))) {
    const ref = deployer.kind === "Kustomization" ? gitRepositoryOf(index, node, deployer.namespace) : undefined;
    const named = ["commit", "tag", "semver", "name"].map((key) => [key, textAt(ref, ["spec", "ref", key])] as const);
    const [key, text] = named.find(([, value]) => value !== undefined && value !== "") ?? [];
    const revision = text ?? textAt(node, ["targetRevision"]);
    if (revision === undefined || isOpen(revision)) continue;
    const isPinned = key === undefined || key === "name" ? pins.test(revision) : true;
    if (isPinned) return { node: at(ref, ["spec", "ref"]) ?? at(node, ["targetRevision"]) ?? node, revision };
  }
  return undefined;
}

// A version or a range of them, a commit, a tag's full name.
const pins = /^(?:[~^<>=]+\s*)?v?\d+(?:\.(?:\d+|[x*])){1,2}(?:[-+][\w.+-]+)?$|^[0-9a-f]{40}$|^refs\/tags\/|^\*$/i;

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
  return index.deployers
    .filter((one) => one.kind !== "HelmRelease")
    .flatMap((one) =>
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

function gitRepositoryOf(index: RepositoryIndex, node: Node, home: string | undefined): Node | undefined {
  const name = textAt(node, ["name"]);
  const found = name === undefined ? [] : gitRepositories(index, name, textAt(node, ["namespace"]) ?? home);
  return found.length === 1 ? found[0]?.node : undefined;
}

/** The GitRepository of that name in that namespace; a namespace that a kustomization sets is not in the file. */
function gitRepositories(index: RepositoryIndex, name: string, namespace: string | undefined) {
  const named = index.fluxSources.filter((one) => one.kind === "GitRepository" && one.name === name);
  const near = named.filter((one) => one.namespace === namespace);
  return near.length > 0 ? near : named;
}

function urlOf(index: RepositoryIndex, name: string, namespace: string | undefined): string | undefined {
  const urls = new Set(gitRepositories(index, name, namespace).map((one) => textAt(one.node, ["spec", "url"])));
  return urls.size === 1 ? [...urls][0] : undefined;
}
