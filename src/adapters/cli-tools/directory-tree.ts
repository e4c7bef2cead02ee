import { lstatSync, readdirSync, readFileSync, readlinkSync, type Dirent } from "node:fs";
import { join } from "node:path";
import { linksOf, throughLinks, type Tree } from "../../domain/kubernetes/tree.ts";
import { ignoredByGit, remotesOf } from "./ignored-by-git.ts";

/** Read once, many files are asked for again and again; this much of them stays in memory. */
const keptBytes = 200_000_000;

/**
 * A directory on disk as a tree. A symbolic link leads to what the tree holds at its place and is never followed on
 * disk: nothing outside is read, and a build that needs it fails. Neither Git's own files nor modules nor what Git
 * ignores are read: copies of the repository that a tool keeps below it would look like further environments.
 */
export function directoryTree(root: string): Tree {
  const ignored = ignoredByGit(root);
  const paths: string[] = [];
  const targets = new Map<string, string>();
  const open = [""];
  for (let below = open.pop(); below !== undefined; below = open.pop()) {
    for (const item of namesIn(join(root, below), below === "")) {
      const path = below === "" ? item.name : `${below}/${item.name}`;
      if (ignored.has(path)) continue;
      if (item.isDirectory() && item.name !== ".git" && item.name !== "node_modules") open.push(path);
      else if (item.isFile()) paths.push(path);
      else if (item.isSymbolicLink()) targets.set(path, leadsTo(join(root, path)));
    }
  }
  paths.sort();
  const known = new Set(paths);
  const kept = new Map<string, Uint8Array>();
  let bytes = 0;
  const links = linksOf(targets);
  const read = (path: string) => {
    if (!known.has(path)) return undefined;
    const before = kept.get(path);
    if (before) return before;
    const content = contentOf(join(root, path));
    if (content && bytes + content.length <= keptBytes) {
      kept.set(path, content);
      bytes += content.length;
    }
    return content;
  };
  const addresses = remotesOf(root);
  return {
    paths: () => paths,
    read: throughLinks(read, links),
    ...(links ? { links } : {}),
    ...(addresses.length > 0 ? { addresses } : {}),
  };
}

/** Where a link leads; one that cannot be read leads out. */
function leadsTo(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "/";
  }
}

/** A root that cannot be read is the caller's mistake; a directory below it that cannot be read is empty. */
function namesIn(directory: string, isRoot: boolean): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (isRoot) throw error;
    return [];
  }
}

function contentOf(path: string): Uint8Array | undefined {
  try {
    return lstatSync(path).isFile() ? new Uint8Array(readFileSync(path)) : undefined;
  } catch {
    return undefined;
  }
}
