import { type Deployer, openAbove, reaching, sourcesOf } from "../gitops/gitops.ts";
import type { Resource } from "../repository/resource.ts";
import type { EntryBuild } from "./entry-build.ts";
import { at, type Node, textAt } from "../yaml/source.ts";

/** Who else would change with a file: the first other environment that reads it, for people; undefined when nobody. */
export function sharedWith(scene: EntryBuild, file: string): string | undefined {
  return includedBy(scene, file) ?? deployedBy(scene, file) ?? deployedTwice(scene);
}

/** A kustomization of another environment that reaches the file. */
export function includedBy(scene: EntryBuild, file: string): string | undefined {
  return othersIncluding(scene, file)[0];
}

function othersIncluding(scene: EntryBuild, file: string): string[] {
  const own = new Set([...scene.build.directories, scene.path]);
  const above = reaching(scene.index, scene.path);
  const gathers = (directory: string): boolean =>
    above.has(directory) && isAbove(directory, scene.path) && scene.index.changes.get(directory) !== true;
  const exercise = isExercise(scene.path);
  return [...reaching(scene.index, file)]
    .filter((directory) => !own.has(directory) && (exercise || !isExercise(directory)) && !gathers(directory))
    .sort();
}

/**
 * True when the repository shows who deploys this entry, but nobody who deploys the kustomizations that share the file:
 * they may be dead, and then neither an overlay nor an edit of the shared file is certainly right.
 */
export function sharersMayBeDead(scene: EntryBuild, file: string): boolean {
  const others = othersIncluding(scene, file);
  if (!scene.deployer || others.length === 0) return false;
  const deployed = new Set(scene.index.deployers.flatMap((one) => one.paths));
  const templated = scene.index.deployers.some(
    (one) => one.kind === "ApplicationSet" && one.paths.some((path) => path.includes("{{")),
  );
  return (
    !templated && !others.some((other) => [other, ...reaching(scene.index, other)].some((path) => deployed.has(path)))
  );
}

/** Another Flux or Argo CD object whose path reaches the file. */
function deployedBy(scene: EntryBuild, file: string): string | undefined {
  const own = new Set([...scene.build.directories, scene.path]);
  const above = reaching(scene.index, scene.path);
  const readers = reaching(scene.index, file);
  const scanned = new Set([file, ...readers].flatMap((path) => openAbove(scene.index, path)));
  for (const deployer of scene.index.deployers) {
    if (deployer === scene.deployer || deployer.kind === "HelmRelease") continue;
    const other = deployer.paths.find(
      (path) => path !== scene.path && (scanned.has(path) || (readers.has(path) && !own.has(path))),
    );
    if (other !== undefined && !isAbove(other, scene.path) && !above.has(other))
      return `${deployer.kind} ${deployer.name} (${deployer.file})`;
  }
  return undefined;
}

/** Kustomizations that try things out deploy no environment. */
const isExercise = (directory: string): boolean =>
  /(?:^|\/)(?:tests?|e2e|ci|examples?|samples?|testdata)(?:\/|$)/i.test(directory);

/** The entry's own path deployed by a second object, or by one that makes several applications of it. */
export function deployedTwice(scene: EntryBuild): string | undefined {
  const rival = scene.rivals[0];
  if (rival) return `${rival.kind} ${rival.name} (${rival.file})`;
  for (const set of scene.index.deployers) {
    if (set.kind !== "ApplicationSet") continue;
    const template = sourcesOf(set)
      .map((source) => textAt(source, ["path"]))
      .find((path) => path !== undefined && fitsTemplate(path, scene.path));
    if (template !== undefined && makesSeveral(set, template)) return `ApplicationSet ${set.name} (${set.file})`;
  }
  return undefined;
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
  const elements = items.map((item) => at(item, ["list", "elements"]));
  return !(elements.length === 1 && elements[0]?.kind === "list" && elements[0].items.length === 1);
}

const isAbove = (directory: string, path: string): boolean => directory === "" || path.startsWith(`${directory}/`);

/** The written thing around a node that reaches more than one object of the entry; undefined when it reaches one. */
export function reachesSeveral(
  scene: EntryBuild,
  node: Node,
): { readonly around: Node; readonly resources: readonly Resource[] } | undefined {
  for (let around: Node | undefined = node; around; around = around.parent) {
    const resources = scene.build.reach.get(around);
    if (resources && resources.size > 1) return { around, resources: [...resources] };
  }
  return undefined;
}

/** The anchor around a node that is used elsewhere in its document. */
export function anchoredAbove(node: Node): Node | undefined {
  for (let around: Node | undefined = node; around; around = around.parent) if (around.aliased === true) return around;
  return undefined;
}
