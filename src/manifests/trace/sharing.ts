import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { nameIn, plainPath } from "../gitops/controllers.ts";
import { type Deployer, deployersOf, indexOf, openAbove, reaching, type RepositoryIndex } from "../gitops/gitops.ts";
import { sourcesOf } from "../gitops/sets/sources.ts";
import { deployersAt } from "../gitops/readers/by-path.ts";
import type { Resource } from "../repository/resource.ts";
import { isArgoManifest, mayHoldObjects } from "../gitops/plain.ts";
import { goesInCircles, namesOf } from "../gitops/links.ts";
import { directoryOf, joinPath } from "../repository/reader.ts";
import { directoryOptions, isCopy, sameDestination } from "./deployed/deployer.ts";
import type { EntryBuild } from "./entry-build.ts";
import { at, type Node, textAt } from "../yaml/source.ts";

/** Who else would change with a file: the first other environment that reads it, for people; undefined when nobody. */
export function sharedWith(entryBuild: EntryBuild, file: string): string | undefined {
  return (
    includedBy(entryBuild, file) ??
    deployedBy(entryBuild, file) ??
    builtOn(entryBuild, file) ??
    deployedTwice(entryBuild) ??
    linkedTo(entryBuild, file)
  );
}

/**
 * A directory that the entry builds on and that is an environment of its own, whatever it is called: it puts its objects
 * into another namespace, or stands beside the entry and is itself built on what lies elsewhere, which a mere base need
 * not be. Where nothing here says what is deployed, somebody may deploy that one, too.
 */
function builtOn({ declared, build, path, reader, index, question }: EntryBuild, file: string): string | undefined {
  if (declared !== undefined) return undefined;
  const { namespace } = question.workload;
  const readers = reaching(index, file);
  const elsewhere = (directory: string): boolean => {
    const source = reader.file(reader.kustomization(directory) ?? "");
    const own = source?.ok === true ? textAt(source.file.documents[0]?.root, ["namespace"]) : undefined;
    return own !== undefined && namespace !== undefined && own !== namespace;
  };
  const isOverlay = (directory: string): boolean =>
    !isAbove(path, directory) &&
    [...build.directories].some(
      (one) =>
        !isAbove(directory, one) && one !== directory && !index.parts.has(one) && reaching(index, one).has(directory),
    );
  return [...build.directories].find((one) => one !== path && readers.has(one) && (elsewhere(one) || isOverlay(one)));
}

/**
 * Who else would change with what stands at a node. What the entry's own object says of itself concerns this entry
 * alone, whoever else deploys the same path.
 */
export function sharedAt(entryBuild: EntryBuild, node: Node): string | undefined {
  return isOfDeployer(entryBuild, node) ? appliedTwice(entryBuild) : sharedWith(entryBuild, node.file.path);
}

/** Whether a node stands in the entry's own Flux or Argo CD object; a set's template is of many. */
export function isOfDeployer({ declared }: Pick<EntryBuild, "declared">, node: Node): boolean {
  const own = declared?.kind === "ApplicationSet" ? undefined : declared?.node;
  return own !== undefined && own.file.path === node.file.path && own.start <= node.start && node.end <= own.end;
}

/** Who else would change with the entry's own Flux or Argo CD object: another one may be meant, or several have it. */
export function appliedTwice({ declared, index, rivals, question, tree, path }: EntryBuild): string | undefined {
  if (declared === undefined) return path;
  const { file, kind } = declared;
  const { object, cluster } = question.entry;
  const wanted = nameIn(object);
  const isNamed = (one: Deployer) => wanted === undefined || (one.kind === kind && one.name === declared.name);
  const isInCluster = (one: Deployer) => cluster !== undefined && one.file.split("/").includes(cluster);
  const isChild = wanted !== undefined && wanted.name !== declared.name;
  const meant = isChild
    ? undefined
    : rivals.find((one) => isNamed(one) && (isInCluster(one) || !isInCluster(declared)));
  if (meant) return written(meant);
  const root = severalRoots({ index, path }, file);
  if (root !== undefined) return root;
  const takers = takersOf({ tree, index }, file).filter((one) => one !== declared);
  const repeated = takers.flatMap((one) => one.paths).map((one) => madeAgain(index, one));
  const [, second] = takers.filter((one, n) => !takers.slice(0, n).some((before) => isCopy(before, one)));
  return repeated.find((one) => one !== undefined) ?? (second && written(second));
}

const written = ({ kind, name, file }: Deployer): string => `${kind} ${name} (${file})`;

/** A symbolic link under which somebody may apply the same, where the repository does not say what is deployed. */
function linkedTo(entryBuild: EntryBuild, file: string): string | undefined {
  const { index, tree, path } = entryBuild;
  if (entryBuild.declared !== undefined || tree.links === undefined) return undefined;
  const isOther = (name: string, of: string) => !goesInCircles(tree, name) && !isSecondName(entryBuild, name, of);
  const twin = namesOf(tree, path).find((name) => name !== path && isOther(name, path));
  if (twin !== undefined) return twin;
  const isOwn = (name: string) => name === file || name === path || path === "" || name.startsWith(`${path}/`);
  const isBuilt = (name: string) => openAbove(index, name).at(-1) !== "";
  return namesOf(tree, file).find((name) => !isOwn(name) && !isBuilt(name) && isOther(name, file));
}

/**
 * A linked directory that holds several environments of the workload is the application by a second name, and no
 * environment more: who deploys one of them by that name deploys the same one.
 */
function isSecondName(entryBuild: EntryBuild, name: string, of: string): boolean {
  const { index, tree, path, question, resources } = entryBuild;
  const { kind, name: called } = question.workload;
  const link = [...(tree.links?.targets.keys() ?? [])].find((one) => name.startsWith(`${one}/`));
  const target = link === undefined ? undefined : tree.links?.real(link);
  if (link === undefined || !target || of !== target + name.slice(link.length)) return false;
  const origins = resources.filter((one) => one.kind === kind && one.names.includes(called));
  const above = reaching(index, path);
  const isEnvironment = (one: string) =>
    one !== path && isAbove(target, one) && !above.has(one) && reaching(index, one).size === 0;
  return origins.some(({ origin }) => [...reaching(index, origin.file.path)].some(isEnvironment));
}

/** A kustomization of another environment that reaches the file. */
export function includedBy(entryBuild: EntryBuild, file: string): string | undefined {
  return othersIncluding(entryBuild, file)[0];
}

function othersIncluding(entryBuild: EntryBuild, file: string): string[] {
  const own = new Set([...entryBuild.build.directories, entryBuild.path]);
  const above = reaching(entryBuild.index, entryBuild.path);
  const gathers = (directory: string): boolean =>
    above.has(directory) && isAbove(directory, entryBuild.path) && entryBuild.index.changes.get(directory) !== true;
  // A plain directory that is read as it is takes in kustomizations that nobody builds.
  const isTakenIn = (directory: string): boolean =>
    entryBuild.plain && isAbove(entryBuild.path, directory) && !isDeployed(entryBuild, directory);
  return [...reaching(entryBuild.index, file)]
    .filter(
      (one) =>
        !own.has(one) && !exerciseBeside(entryBuild.index, entryBuild.path, one) && !gathers(one) && !isTakenIn(one),
    )
    .sort();
}

/** Another Flux or Argo CD object whose path reaches the file. */
function deployedBy(entryBuild: EntryBuild, file: string): string | undefined {
  const [other] = deployersReaching(entryBuild, file);
  return other && written(other);
}

function deployersReaching(entryBuild: EntryBuild, file: string): Deployer[] {
  const above = reaching(entryBuild.index, entryBuild.path);
  const isOther = (path: string) => path !== entryBuild.path && !isAbove(path, entryBuild.path) && !above.has(path);
  return takersOf(entryBuild, file, isOther).filter(
    (one) => one !== entryBuild.declared && !(entryBuild.declared && isCopy(one, entryBuild.declared)),
  );
}

/** The Flux and Argo CD objects that read a file from one of their paths, releases of charts aside. */
export function takersOf(
  { tree, index }: Pick<EntryBuild, "tree" | "index">,
  file: string,
  isAsked = (_path: string) => true,
): Deployer[] {
  const readers = reaching(index, file);
  const named = [file, ...readers].flatMap((path) => namesOf(tree, path));
  const scanned = new Set(named.flatMap((path) => openAbove(index, path)));
  const reads = (one: Deployer, path: string) =>
    isAsked(path) && (readers.has(path) || (scanned.has(path) && takesIn({ tree }, one, path, file)));
  return deployersAt(index.deployers, [...readers, ...scanned]).filter(
    (one) => one.paths.some((path) => reads(one, path)) || one.components.some((path) => readers.has(path)),
  );
}

/** Whether what a deployer builds at a path above a file may read it: of a plain directory only what it takes in. */
export function mayRead(entryBuild: EntryBuild, deployer: Deployer, path: string, file: string): boolean {
  const isBuilt =
    entryBuild.reader.kustomization(path) !== undefined || entryBuild.reader.exists(joinPath(path, "Chart.yaml"));
  return isBuilt || takesIn(entryBuild, deployer, path, file);
}

/** Whether a deployer of a plain directory takes in this file: Argo CD only what its options say. */
function takesIn({ tree }: Pick<EntryBuild, "tree">, deployer: Deployer, path: string, file: string): boolean {
  const options = directoryOptions(deployer, path);
  if (options === undefined || options.readsAnything) return true;
  return namesOf(tree, file).some((name) => {
    if (!isAbove(path, name)) return false;
    const below = path === "" ? name : name.slice(path.length + 1);
    const isTaken = (options.recurse === true || directoryOf(name) === path) && isArgoManifest(below, options);
    return isTaken && mayHoldObjects(name, tree.read(name));
  });
}

/**
 * True when all who share the file deploy the very same object: into the same namespace of the same cluster, through
 * kustomizations that change nothing. Then the file may be edited where there is no other place.
 */
export function onlyTwinsRead(entryBuild: EntryBuild, file: string): boolean {
  const { deployer } = entryBuild;
  if (!deployer || entryBuild.rivals.length > 0) return false;
  const others = deployersReaching(entryBuild, file);
  const places = new Set(others.flatMap((one) => one.paths));
  const leadToOthers = othersIncluding(entryBuild, file).every(
    (directory) =>
      entryBuild.index.changes.get(directory) !== true &&
      [directory, ...reaching(entryBuild.index, directory)].some((path) => places.has(path)),
  );
  return others.length > 0 && leadToOthers && others.every((one) => sameDestination(one, deployer));
}

const isDeployed = (entryBuild: EntryBuild, directory: string): boolean =>
  [directory, ...reaching(entryBuild.index, directory)].some((path) => deployersOf(entryBuild.index, path).length > 0);

const exercises = /^(?:tests?|e2e|ci|examples?|samples?|testdata)$/i;

/**
 * Kustomizations that try things out deploy no environment. `test` is also what environments are called: one that
 * stands where this entry stands, or that somebody deploys, is an environment.
 */
function exerciseBeside(index: RepositoryIndex, entry: string, directory: string): boolean {
  const [steps, own] = [directory.split("/"), entry.split("/")];
  const at = steps.findIndex((step) => exercises.test(step));
  if (at < 0 || own.some((step) => exercises.test(step))) return false;
  const isBeside = steps.length === own.length && steps.every((step, n) => n === at || step === own[n]);
  return !isBeside && deployersOf(index, directory).length === 0;
}

/** A kustomization that tries things out and that nobody deploys is no environment. */
export function isExercise(tree: Tree, target: Entry, other: Entry): boolean {
  const [path, own] = [plainPath(other.path), plainPath(target.path)];
  if (other.object !== undefined || path === null || own === null) return false;
  return exerciseBeside(indexOf(tree), own === "." ? "" : own, path);
}

/** The entry's own path deployed by a second object, or by one that stands in several clusters or makes several. */
export function deployedTwice(entryBuild: EntryBuild): string | undefined {
  const rival = entryBuild.rivals[0];
  if (rival) return written(rival);
  const elsewhere = entryBuild.deployer && severalRoots(entryBuild, entryBuild.deployer.file);
  return elsewhere ?? madeAgain(entryBuild.index, entryBuild.path);
}

/** A set that makes several Applications of one path. */
function madeAgain(index: RepositoryIndex, path: string): string | undefined {
  for (const set of index.deployers) {
    if (set.kind !== "ApplicationSet") continue;
    if (set.repeats.has(path)) return written(set);
    const template = sourcesOf(set)
      .map((source) => textAt(source, ["path"]))
      .find((one) => one !== undefined && fitsTemplate(one, path));
    if (template !== undefined && makesSeveral(set, template)) return written(set);
  }
  return undefined;
}

/** Kustomizations that reach the deployer's file and that nobody includes: more than one means several clusters. */
function severalRoots(entryBuild: Pick<EntryBuild, "index" | "path">, file: string): string | undefined {
  const all = [...reaching(entryBuild.index, file)];
  const roots = all.filter(
    (one) => reaching(entryBuild.index, one).size === 0 && !exerciseBeside(entryBuild.index, entryBuild.path, one),
  );
  return roots.length > 1 ? roots[1] : undefined;
}

function fitsTemplate(template: string, path: string): boolean {
  if (!template.includes("{{")) return template.replace(/^\.?\//, "") === path;
  const pattern = template
    .split(/\{\{[^}]*\}\}/)
    .map((literal) => literal.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
    .join("[^/]+(?:/[^/]+)*");
  return new RegExp(`^(?:\\./)?${pattern}$`).test(path);
}

/** Generators by list or Git directory name one path each; clusters and matrices reuse a path unless it names them. */
function makesSeveral(set: Deployer, template: string): boolean {
  const generators = at(set.node, ["spec", "generators"]);
  const items = generators?.kind === "list" ? generators.items : [];
  if (template.includes("{{")) {
    const multiplied = items.some((item) =>
      ["clusters", "matrix", "merge"].some((key) => at(item, [key]) !== undefined),
    );
    return multiplied && !/\{\{[^}]*(?:name|cluster|env)/i.test(template.replace(/basename/g, ""));
  }
  // What lists make is known one by one, and the same path twice is known to repeat.
  return !(items.length > 0 && items.every((item) => at(item, ["list", "elements"])?.kind === "list"));
}

const isAbove = (directory: string, path: string): boolean => directory === "" || path.startsWith(`${directory}/`);

/** The written thing around a node that reaches more than one object of the entry; undefined when it reaches one. */
export function reachesSeveral(
  entryBuild: EntryBuild,
  node: Node,
): { readonly around: Node; readonly resources: readonly Resource[] } | undefined {
  for (let around: Node | undefined = node; around; around = around.parent) {
    const resources = entryBuild.build.reach.get(around);
    if (resources && resources.size > 1) return { around, resources: [...resources] };
  }
  return undefined;
}
