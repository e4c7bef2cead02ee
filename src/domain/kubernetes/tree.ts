/** A commit's files, read-only: what `manifests/` sees of a repository. Paths are relative and `/`-separated. */
export interface Tree {
  /** Every file path, in no promised order. Symbolic links and submodules are not listed. */
  paths(): readonly string[];
  /** The file's bytes; undefined when there is no such file. */
  read(path: string): Uint8Array | undefined;
  /** The tree that this one differs from in some files only: what is known of it need not be found out again. */
  readonly over?: { readonly tree: Tree; readonly paths: readonly string[] };
}

/** A tree held in memory, mostly for tests and for the state after an edit. */
export function treeOf(files: Readonly<Record<string, string | Uint8Array>>): Tree {
  const bytes = new Map<string, Uint8Array>();
  for (const [path, content] of Object.entries(files)) {
    bytes.set(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  return { paths: () => [...bytes.keys()], read: (path) => bytes.get(path) };
}

/** The same tree with some files replaced or added. */
export function overlaid(tree: Tree, files: Readonly<Record<string, string>>): Tree {
  const changed = treeOf(files);
  return {
    paths: () => [...new Set([...tree.paths(), ...changed.paths()])],
    read: (path) => changed.read(path) ?? tree.read(path),
    over: { tree, paths: changed.paths() },
  };
}
