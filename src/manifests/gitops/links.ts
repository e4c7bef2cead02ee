import { posix } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { directoriesOf } from "../repository/reader.ts";
import { type Links, realPath, type Tree, withoutLinks } from "../../domain/kubernetes/tree.ts";

/** What lies below a directory, as far as it can be told. */
interface Below {
  /** Every file, by the paths under which it is found from there: behind a link by the link's name. */
  readonly paths: readonly string[];
  readonly broken: Broken | undefined;
}

/** A link behind which nothing can be read, and why, for people. */
export interface Broken {
  readonly link: string;
  readonly because: string;
}

/** A link that leads to nothing, out of the tree or in a circle. */
export const leadsNowhere = (link: string): Broken => ({ link, because: `${link} ${nameless(link) ?? nowhere}` });

const nowhere = "is a symbolic link that leads nowhere";

/** Git's names are bytes, and paths here are texts: where such a link leads nobody here can read. */
const nameless = (link: string): string | undefined =>
  link.includes("\ufffd")
    ? "is a symbolic link whose name is no UTF-8, so nobody here can read where it leads: rename it"
    : undefined;

const belowByTree = new WeakMap<Tree, Map<string, Below>>();

/** All files below a directory (`.` and the empty path are the root), through links to directories as well. */
export function filesBelow(tree: Tree, directory: string): Below {
  const root = directory === "." ? "" : directory;
  if (tree.links === undefined) return { paths: unlinkedBelow(tree, root), broken: undefined };
  const known = belowByTree.get(tree) ?? new Map<string, Below>();
  belowByTree.set(tree, known);
  const below = known.get(root) ?? followedBelow(tree, root, { above: [], left: { steps: mostSteps } });
  known.set(root, below);
  return below;
}

// More than any repository needs; a few links to directories that hold links multiply.
const mostSteps = 2_000;

interface Way {
  /** The directories around, by their own paths: a link to one of them is a circle. */
  readonly above: readonly string[];
  readonly left: { steps: number };
}

function followedBelow(tree: Tree, root: string, { above, left }: Way): Below {
  const real = realPath(tree, root);
  const within = [...above, real];
  const named = (path: string): string => (real === "" ? joined(root, path) : root + path.slice(real.length));
  const paths = startingWith(tree.paths(), real).map(named);
  let broken: Broken | undefined;
  for (const link of startingWith([...(tree.links?.targets.keys() ?? [])], real)) {
    const target = tree.links?.real(link);
    if (target !== undefined && tree.read(target) !== undefined) {
      paths.push(named(link));
      continue;
    }
    const isCircle = target === "" || within.some((one) => target === one || one.startsWith(`${target}/`));
    const isEnd = target === undefined || isCircle;
    if (!isEnd && (left.steps -= 1) < 0) {
      broken ??= { link, because: `${named(link)} is one of more than ${mostSteps} symbolic links on the way` };
      continue;
    }
    const behind = isEnd ? undefined : followedBelow(tree, named(link), { above: within, left });
    broken ??= behind?.broken;
    if (behind === undefined || behind.paths.length === 0) broken ??= leadsNowhere(named(link));
    paths.push(...(behind?.paths ?? []));
  }
  return { paths, broken };
}

const startingWith = (paths: readonly string[], directory: string): string[] =>
  directory === "" ? [...paths] : paths.filter((path) => path.startsWith(`${directory}/`));

/** The same in a tree without links, whose directories are known: many ask, and each would look at every path. */
function unlinkedBelow(tree: Tree, directory: string): readonly string[] {
  if (directory === "") return tree.paths();
  const directories = directoriesOf(tree);
  const below = (place: string): string[] =>
    [...(directories.get(place) ?? [])].flatMap((name) => {
      const path = joined(place, name);
      return directories.has(path) ? below(path) : [path];
    });
  return below(directory);
}

const joined = (directory: string, path: string): string => (directory === "" ? path : `${directory}/${path}`);

/** The files of a directory as a program finds them that walks it: links to files count, links to directories do not. */
export function filesWalked(tree: Tree, directory: string): Below {
  const root = directory === "." ? "" : directory;
  if (tree.links === undefined) return filesBelow(tree, root);
  const paths = startingWith(tree.paths(), root);
  const links = startingWith([...tree.links.targets.keys()], root);
  const isFile = (link: string) => tree.read(link) !== undefined;
  const broken = links.find((link) => !isFile(link) && filesBelow(tree, link).paths.length === 0);
  return {
    paths: [...paths, ...links.filter(isFile)],
    broken: broken === undefined ? undefined : leadsNowhere(broken),
  };
}

/** Every file by its own path, and the links to files. */
export function filesAndLinks(tree: Tree): readonly string[] {
  const links = [...(tree.links?.targets.keys() ?? [])];
  return links.length === 0
    ? tree.paths()
    : [...tree.paths(), ...links.filter((link) => tree.read(link) !== undefined)];
}

type Seen = { readonly ok: true; readonly tree: Tree } | { readonly ok: false; readonly because: string };

/**
 * The tree as a controller has it. The archives that Flux makes of a repository hold no symbolic links; Argo CD follows
 * them, and reads nothing at all of a repository in which one leads out.
 */
export function seenBy(tool: Entry["tool"], tree: Tree): Seen {
  if (tree.links === undefined) return { ok: true, tree };
  if (tool === "flux") return { ok: true, tree: withoutLinks(tree) };
  const stray = tool === "argocd" ? leadingOut(tree.links) : undefined;
  if (stray === undefined) return { ok: true, tree };
  const because = nameless(stray) ?? "is a symbolic link out of the repository, so Argo CD reads nothing of it";
  return { ok: false, because: `${stray} ${because}` };
}

/** As Argo CD looks for them: step by step, whatever lies there. */
function leadingOut({ targets }: Links): string | undefined {
  return [...targets].find(([link, target]) => {
    let depth = posix.dirname(link) === "." ? 0 : posix.dirname(link).split("/").length;
    const leaves = (step: string) => (depth += step === ".." ? -1 : step === "" || step === "." ? 0 : 1) < 0;
    return target.startsWith("/") || target.split("/").some(leaves);
  })?.[0];
}

/**
 * Every path under which a file or directory can be read: its own, and through each link to it or to a directory above
 * it, also where links follow each other.
 */
export function namesOf({ links }: Pick<Tree, "links">, path: string): readonly string[] {
  if (links === undefined) return [path];
  const open: { readonly name: string; readonly through: readonly string[] }[] = [
    { name: realPath({ links }, path), through: [] },
  ];
  const found = new Set([path, ...open.map(({ name }) => name)]);
  for (let next = open.pop(); next !== undefined && found.size < mostNames; next = open.pop()) {
    for (const link of links.targets.keys()) {
      if (next.through.includes(link)) continue;
      const target = links.real(link);
      const isBehind = target === next.name || target === "" || next.name.startsWith(`${target}/`);
      if (target === undefined || !isBehind) continue;
      const name = target === "" ? joined(link, next.name) : link + next.name.slice(target.length);
      if (found.has(name)) continue;
      found.add(name);
      open.push({ name, through: [...next.through, link] });
    }
  }
  return [...found];
}

/** Whether a name goes through a link to a directory that holds this very link: another way to the same place. */
export function goesInCircles({ links }: Pick<Tree, "links">, name: string): boolean {
  return [...(links?.targets.keys() ?? [])].some((link) => {
    const target = links?.real(link);
    return name.startsWith(`${link}/`) && (target === "" || (target !== undefined && link.startsWith(`${target}/`)));
  });
}

/** No more names of one path are looked for: links in circles give any number. */
export const mostNames = 1_000;

/** Why nobody here can tell who reads a path, for people; undefined where all of its names are known. */
export function tooManyNames(tree: Pick<Tree, "links">, path: string): string | undefined {
  if (namesOf(tree, path).length < mostNames) return undefined;
  return `symbolic links give ${path} ${mostNames} names or more, so not all who read it are known`;
}
