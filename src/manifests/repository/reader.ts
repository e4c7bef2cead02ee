import { posix } from "node:path";
import { pathsAndLinks, realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import { type Node, parseEmbedded, parseSource, type Problem, type ScalarNode, type Sourced } from "../yaml/source.ts";

/** Reads files of one tree at most once and remembers what it read and what went wrong. */
export interface Reader {
  /** The parsed file, behind a link the one that it leads to; undefined when there is none. */
  readonly file: (path: string) => Sourced | undefined;
  readonly embedded: (node: ScalarNode) => readonly Node[] | undefined;
  readonly exists: (path: string) => boolean;
  /** True when some file lies below the directory. */
  readonly isDirectory: (path: string) => boolean;
  /** A symbolic link to a directory: who walks directories passes it by. */
  readonly isLinkedDirectory: (path: string) => boolean;
  /** The path without symbolic links. */
  readonly real: (path: string) => string;
  /** Names of the files and directories directly below a directory. */
  readonly list: (directory: string) => readonly string[];
  /** The kustomization file of a directory. */
  readonly kustomization: (directory: string) => string | undefined;
  readonly problems: Problem[];
}

/** Directory → its names, for a whole tree; the root is the empty path. */
export type Directories = ReadonlyMap<string, ReadonlySet<string>>;

const directoriesByTree = new WeakMap<Tree, Directories>();

/** A tree never changes: its directories are gathered once. */
export function directoriesOf(tree: Tree): Directories {
  const known = directoriesByTree.get(tree) ?? gathered(tree);
  directoriesByTree.set(tree, known);
  return known;
}

function gathered(tree: Tree): Directories {
  const directories = new Map<string, Set<string>>([["", new Set()]]);
  for (const path of pathsAndLinks(tree)) {
    let child = path;
    for (;;) {
      const slash = child.lastIndexOf("/");
      const parent = slash < 0 ? "" : child.slice(0, slash);
      const names = directories.get(parent);
      if (names) names.add(child.slice(slash + 1));
      else directories.set(parent, new Set([child.slice(slash + 1)]));
      if (names || slash < 0) break;
      child = parent;
    }
  }
  return directories;
}

export function readerOf(tree: Tree, directories: Directories): Reader {
  const files = new Map<string, Sourced | undefined>();
  const embeddings = new Map<ScalarNode, readonly Node[] | undefined>();
  const problems: Problem[] = [];
  const real = (path: string): string => realPath(tree, path);
  const file = (asked: string): Sourced | undefined => {
    const path = real(asked);
    if (files.has(path)) return files.get(path);
    const bytes = tree.read(path);
    const source = bytes && parseSource(path, bytes);
    if (source && !source.ok) problems.push(source.problem);
    files.set(path, source);
    return source;
  };
  const embedded = (node: ScalarNode): readonly Node[] | undefined => {
    if (embeddings.has(node)) return embeddings.get(node);
    const source = parseEmbedded(node);
    if (source && !source.ok) problems.push(source.problem);
    const roots = source?.ok ? source.file.documents.map((document) => document.root) : undefined;
    embeddings.set(node, roots);
    return roots;
  };
  const list = (directory: string): readonly string[] => [...(directories.get(real(directory)) ?? [])].sort();
  const isThere = (path: string): boolean => {
    const slash = path.lastIndexOf("/");
    return directories.get(slash < 0 ? "" : path.slice(0, slash))?.has(path.slice(slash + 1)) === true;
  };
  const exists = (path: string): boolean =>
    tree.links === undefined
      ? isThere(path)
      : tree.links.real(path) !== undefined && !tree.links.targets.has(real(path)) && isThere(real(path));
  const isDirectory = (path: string): boolean => directories.has(real(path));
  const isLinkedDirectory = (path: string): boolean => tree.links?.targets.has(path) === true && isDirectory(path);
  const kustomization = (directory: string): string | undefined =>
    kustomizationNames.map((name) => joinPath(directory, name)).find(exists);
  return { file, embedded, exists, isDirectory, isLinkedDirectory, real, list, kustomization, problems };
}

/** The file names that make a directory a kustomization, in Kustomize's order. Two of them in one place are an error. */
export const kustomizationNames: readonly string[] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** The kustomization files that a directory of the tree holds, in that order. */
export function kustomizationsIn(tree: Tree, directory: string): string[] {
  return kustomizationNames.map((name) => posix.join(directory, name)).filter((path) => tree.read(path));
}

/** Whether Kustomize takes a file of this path for the kustomization of its directory. */
export function isKustomization(path: string): boolean {
  return kustomizationNames.includes(path.slice(path.lastIndexOf("/") + 1));
}

/** A repository path relative to a directory; undefined when it leaves the repository. */
export function insideRepository(directory: string, relative: string): string | undefined {
  const path = posix.normalize(posix.join(directory, relative)).replace(/\/$/, "");
  if (path.startsWith("..") || relative.startsWith("/")) return undefined;
  return path === "." ? "" : path;
}

/** The text of a file, a byte a character: right for what is searched in plain letters, and far cheaper than to decode. */
export const roughText = (tree: Tree, path: string): string => new TextDecoder("latin1").decode(tree.read(path));

export const joinPath = (directory: string, name: string): string => (directory === "" ? name : `${directory}/${name}`);
export const directoryOf = (path: string): string => (path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");

/** The directories that a file lies below, the nearest first, the root last. */
export function directoriesAbove(file: string): string[] {
  const above: string[] = [];
  for (let up = file; up !== ""; ) {
    up = directoryOf(up);
    above.push(up);
  }
  return above;
}
