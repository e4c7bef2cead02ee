/** A commit's files, read-only: what `manifests/` sees of a repository. Paths are relative and `/`-separated. */
export interface Tree {
  /** Every file, in no promised order, by its own path: neither symbolic links, nor what lies behind them, nor submodules. */
  paths(): readonly string[];
  /** The file's bytes, behind symbolic links as well; undefined when there is no such file in the tree. */
  read(path: string): Uint8Array | undefined;
  /** The symbolic links, where there are any. */
  readonly links?: Links;
  /** Addresses under which others fetch this repository, as far as Git says them. */
  readonly addresses?: readonly string[];
  /** Controller objects that stand in no file: what the entries make by rendering. */
  readonly made?: readonly MadeObject[];
  /** The tree that this one differs from in some files only: what is known of it need not be found out again. */
  readonly over?: { readonly tree: Tree; readonly paths: readonly string[] };
}

/** An object of Flux or Argo CD as an entry renders it. */
export interface MadeObject {
  readonly document: Readonly<Record<string, unknown>>;
  /** The entry that makes it, for people. */
  readonly by: string;
  readonly cluster?: string;
}

/** The symbolic links of a tree, by their own paths, with where they lead as it is written. */
export interface Links {
  readonly targets: ReadonlyMap<string, string>;
  /** The path without links; undefined where it leads out of the tree or in a circle. Nothing need be there. */
  real(path: string): string | undefined;
}

// As many as Linux follows on the way to one file.
const mostSteps = 40;
// As long as a link can be there: a longer one comes from no file system.
const longestTarget = 4_095;

/** Undefined for no links. */
export function linksOf(targets: ReadonlyMap<string, string>): Links | undefined {
  if (targets.size === 0) return undefined;
  const known = new Map<string, string | undefined>();
  return {
    targets,
    real(path) {
      if (!known.has(path)) known.set(path, followed(targets, path));
      return known.get(path);
    },
  };
}

function followed(targets: ReadonlyMap<string, string>, path: string): string | undefined {
  const open = path.split("/").reverse();
  let place: readonly string[] = [];
  let left = mostSteps;
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (part === "" || part === ".") continue;
    if (part === ".." && place.length === 0) return undefined;
    const next = part === ".." ? place.slice(0, -1) : [...place, part];
    const target = part === ".." ? undefined : targets.get(next.join("/"));
    if (target === undefined) place = next;
    else if ((left -= 1) < 0 || target.startsWith("/") || target.length > longestTarget) return undefined;
    else open.push(...target.split("/").reverse());
  }
  return place.join("/");
}

/** The path of a file or directory itself: what is read and edited behind links. What leads nowhere stays as it is. */
export function realPath({ links }: Pick<Tree, "links">, path: string): string {
  return links?.real(path) ?? path;
}

/** Every file and every symbolic link, by its own path. */
export function pathsAndLinks({ paths, links }: Tree): readonly string[] {
  return links === undefined ? paths() : [...paths(), ...links.targets.keys()];
}

/** A tree held in memory, mostly for tests and for the state after an edit; links by where they lead. */
export function treeOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  leading: Readonly<Record<string, string>> = {},
): Tree {
  const bytes = new Map<string, Uint8Array>();
  for (const [path, content] of Object.entries(files)) {
    bytes.set(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }
  const links = linksOf(new Map(Object.entries(leading)));
  const read = (path: string) => bytes.get(path);
  return { paths: () => [...bytes.keys()], ...(links ? { read: throughLinks(read, links), links } : { read }) };
}

/** Reads what is behind links, given how a file is read by its own path. */
export function throughLinks(read: Tree["read"], links: Links | undefined): Tree["read"] {
  if (links === undefined) return read;
  return (path) => {
    const real = links.real(path);
    return real === undefined ? undefined : read(real);
  };
}

/** The same tree with some files replaced, added, or (null) taken away. Behind a link it is the file that changes. */
export function overlaid(tree: Tree, files: Readonly<Record<string, string | null>>): Tree {
  const all = Object.entries(files).map(([path, text]) => [realPath(tree, path), text] as const);
  const changed = treeOf(Object.fromEntries(all.flatMap(([path, text]) => (text === null ? [] : [[path, text]]))));
  const gone = new Set(all.flatMap(([path, text]) => (text === null ? [path] : [])));
  let paths: readonly string[] | undefined;
  const read = (path: string) => changed.read(path) ?? (gone.has(path) ? undefined : tree.read(path));
  return {
    paths: () => (paths ??= [...new Set([...tree.paths(), ...changed.paths()])].filter((path) => !gone.has(path))),
    read: throughLinks(read, tree.links),
    ...(tree.links ? { links: tree.links } : {}),
    ...(tree.addresses ? { addresses: tree.addresses } : {}),
    ...(tree.made ? { made: tree.made } : {}),
    over: { tree, paths: all.map(([path]) => path) },
  };
}

/** The same tree for who leaves symbolic links out: nothing is there behind one. */
export function withoutLinks(tree: Tree): Tree {
  if (tree.links === undefined) return tree;
  const known = unlinked.get(tree);
  if (known) return known;
  const { links, over, addresses } = tree;
  const bare: Tree = {
    paths: () => tree.paths(),
    read: (path) => (links.real(path) === path ? tree.read(path) : undefined),
    ...(addresses ? { addresses } : {}),
    ...(over ? { over: { tree: withoutLinks(over.tree), paths: over.paths } } : {}),
  };
  unlinked.set(tree, bare);
  return bare;
}

const unlinked = new WeakMap<Tree, Tree>();
