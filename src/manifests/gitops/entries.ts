import { posix } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import {
  clusterOf,
  type ControllerObject,
  controllerObjects,
  decisive,
  isMadePlace,
  meant,
  pathOf,
  plainPath,
  takesBelow,
} from "./controllers.ts";
import { indexOf } from "./gitops.ts";
import { isOfAnother } from "./own-repository.ts";
import { consumersOf, kustomizationDirectories } from "./kustomization.ts";

const entriesByTree = new WeakMap<Tree, readonly Entry[]>();

/**
 * Where the desired state starts: Flux Kustomizations and Argo CD Applications with a path in this repository, then
 * the kustomizations that neither they nor another kustomization use. Sorted by path within each.
 */
export function entriesOf(tree: Tree): readonly Entry[] {
  const known = entriesByTree.get(tree);
  if (known) return known;
  const entries = foundEntries(tree);
  entriesByTree.set(tree, entries);
  return entries;
}

function foundEntries(tree: Tree): readonly Entry[] {
  const isHere = (one: ControllerObject) => !isElsewhere(tree, one);
  const declared = withoutCopies(controllerObjects(tree).filter(isHere)).map(({ entry }) => entry);
  const consumers = consumersOf(tree);
  const directories = kustomizationDirectories(tree);
  const holdsKustomization = new Set(directories);
  const places = [...new Set(declared.filter((entry) => takesBelow(tree, entry)).map((entry) => entry.path))];
  const exact = new Set(declared.map(({ path }) => (path === null ? null : realPath(tree, path) || ".")));
  const isDeclared = (directory: string) =>
    exact.has(directory) ||
    places.some((path) => path !== null && !holdsKustomization.has(path) && isBelow(directory, path));
  // A kustomization that we cannot read in full still says what it includes. A component is a part and no whole.
  const { referencedBy, parts } = indexOf(tree);
  const isIncluded = (directory: string) => {
    const place = directory === "." ? "" : directory;
    return consumers.has(directory) || referencedBy.has(place) || parts.has(place);
  };
  const loose = directories.filter((directory) => !isIncluded(directory) && !isDeclared(directory));
  return [...[...declared].sort(byPath), ...loose.map((path) => ({ tool: "kustomize" as const, path }))];
}

/** Whether an object reads the same path in another repository. */
function isElsewhere(tree: Tree, { entry, set }: ControllerObject): boolean {
  const index = indexOf(tree);
  const name = entry.object?.split("/").slice(1).join("/");
  const deployer =
    set === undefined ? index.deployers.find((one) => one.file === entry.file && one.name === name) : undefined;
  return deployer !== undefined && isOfAnother(index, deployer, entry.path === "." ? "" : (entry.path ?? ""));
}

/** The same object written twice (a record, a template and its output) is one, unless each file is another cluster's. */
function withoutCopies(objects: readonly ControllerObject[]): readonly ControllerObject[] {
  const seen = new Map<string, ControllerObject>();
  for (const object of objects) {
    const { path, object: name, file } = object.entry;
    // Flux looks at one directory for each cluster; what Argo CD deploys says its cluster itself.
    const place = isMadePlace(file)
      ? file
      : object.entry.tool === "flux"
        ? posix.dirname(file)
        : (clusterOf(file) ?? "");
    const key = JSON.stringify([path, name, decisive(object.spec), place]);
    if (!seen.has(key)) seen.set(key, object);
  }
  return [...seen.values()];
}

function isBelow(path: string, directory: string): boolean {
  return directory === "." || path.startsWith(`${directory}/`);
}

/**
 * All entries but the target, which may come from the cluster: the object it names, or the one kustomization of its
 * path that nothing in the repository declares.
 */
export function othersOf(entries: readonly Entry[], target: Entry): readonly Entry[] {
  const own = meant(entries, target);
  const isLoose = (entry: Entry) =>
    entry.object === undefined && pathOf(entry) === pathOf(target) && entry.tool === "kustomize";
  const same = own ?? entries.find(isLoose);
  return entries.filter((entry) => entry !== same);
}

/**
 * The one controller object that deploys the kustomization which a question names without its controller: what that
 * object applies is what is meant, and rendering the bare directory beside it would show the same once more.
 */
export function soleDeployer(tree: Tree, target: Entry): Entry | undefined {
  if (target.tool !== "kustomize" || target.object !== undefined) return undefined;
  const path = pathOf(target);
  const [only, ...others] = entriesOf(tree).filter((entry) => entry.tool !== "kustomize" && pathOf(entry) === path);
  return others.length === 0 && only?.object?.includes("{{") === false ? only : undefined;
}

function byPath(left: Entry, right: Entry): number {
  const [first, second] = [left, right].map((entry) => `${entry.path} ${entry.cluster} ${entry.object}`);
  return (first ?? "") < (second ?? "") ? -1 : 1;
}

export { plainPath };
