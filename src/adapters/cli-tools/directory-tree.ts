import { lstatSync, readdirSync, readFileSync, readlinkSync, type Dirent } from "node:fs";
import { join } from "node:path";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { ignoredByGit } from "./ignored-by-git.ts";

/** Read once, many files are asked for again and again; this much of them stays in memory. */
const keptBytes = 200_000_000;

/**
 * A directory on disk as a tree. A symbolic link is a file that holds where it leads, as in Git, and is not followed: a
 * build that needs it fails instead of missing something. Neither Git's own files nor modules nor what Git
 * ignores are read: copies of the repository that a tool keeps below it would look like further environments.
 */
export function directoryTree(root: string): Tree {
  const ignored = ignoredByGit(root);
  const paths: string[] = [];
  const open = [""];
  for (let below = open.pop(); below !== undefined; below = open.pop()) {
    for (const item of namesIn(join(root, below), below === "")) {
      const path = below === "" ? item.name : `${below}/${item.name}`;
      if (ignored.has(path)) continue;
      if (item.isDirectory() && item.name !== ".git" && item.name !== "node_modules") open.push(path);
      else if (item.isFile() || item.isSymbolicLink()) paths.push(path);
    }
  }
  paths.sort();
  const known = new Set(paths);
  const kept = new Map<string, Uint8Array>();
  let bytes = 0;
  return {
    paths: () => paths,
    read(path) {
      if (!known.has(path)) return undefined;
      const before = kept.get(path);
      if (before) return before;
      const content = contentOf(join(root, path));
      if (content && bytes + content.length <= keptBytes) {
        kept.set(path, content);
        bytes += content.length;
      }
      return content;
    },
  };
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
    const isLink = lstatSync(path).isSymbolicLink();
    return isLink ? new TextEncoder().encode(readlinkSync(path)) : new Uint8Array(readFileSync(path));
  } catch {
    return undefined;
  }
}
