import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { CommitReversal } from "../../domain/kubernetes/remediation.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { gateFilesIn } from "../../domain/gate/gate-files.ts";
import { changedFiles, type Sides } from "../../manifests/edit/reverse.ts";
import { plainPath } from "../../manifests/gitops/entries.ts";
import { reachOf } from "../../manifests/gitops/reach.ts";

/** The files of a commit that its reversal may touch, and those that it leaves although they were asked for. */
interface Candidates {
  readonly paths: readonly string[];
  readonly left: readonly string[];
}

/** Those that the entry reads before or with the commit, or all; never those that decide what may merge. */
export function candidateFiles(sides: Sides, entry: Entry, scope: CommitReversal["scope"]): Candidates {
  const all = scope === "all" ? [...sides.parent.paths(), ...sides.commit.paths()] : readBy(sides, entry);
  const changed = changedFiles(sides, all);
  const left = gateFilesIn(changed);
  return { paths: changed.filter((path) => !left.includes(path)), left };
}

function readBy({ parent, commit }: Sides, entry: Entry): readonly string[] {
  const path = plainPath(entry.path);
  if (path === null) return [];
  const own = "file" in entry && typeof entry.file === "string" ? [entry.file] : [];
  const files = (tree: Tree) => [...reachOf(tree, path).files, ...beside(tree, path)];
  return [...files(parent), ...files(commit), ...own];
}

/** A plain directory's own files: nothing names them, and the tool takes them in. */
function beside(tree: Tree, path: string): readonly string[] {
  const prefix = path === "." ? "" : `${path}/`;
  return tree.paths().filter((file) => file.startsWith(prefix));
}
