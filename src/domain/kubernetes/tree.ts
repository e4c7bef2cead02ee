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

/** The same tree with some files replaced, added, or (null) taken away. */
export function overlaid(tree: Tree, files: Readonly<Record<string, string | null>>): Tree {
  const changed = treeOf(
    Object.fromEntries(Object.entries(files).flatMap(([path, text]) => (text === null ? [] : [[path, text]]))),
  );
  const isGone = (path: string) => Object.hasOwn(files, path) && files[path] === null;
  let paths: readonly string[] | undefined;
  return {
    paths: () => (paths ??= [...new Set([...tree.paths(), ...changed.paths()])].filter((path) => !isGone(path))),
    read: (path) => changed.read(path) ?? (isGone(path) ? undefined : tree.read(path)),
    over: { tree, paths: Object.keys(files) },
  };
}
