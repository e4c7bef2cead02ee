import { posix } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Rendered } from "../../domain/kubernetes/rendered.ts";
import { realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import { filesWalked, seenBy } from "../gitops/links.ts";
import { buildObjects, headProblems, strayKustomization } from "./kustomize/build.ts";
import { type FluxSpec, readFluxSpec, withFluxSpec, withPostBuild } from "./controller-spec.ts";
import { isArgoManifest, mayHoldObjects, type PlainOptions } from "../gitops/plain.ts";
import { argoOptions } from "./argo-source.ts";
import { controllerObjectOf, plainPath } from "../gitops/controllers.ts";
import { type Kustomization, readKustomization, resolveInside } from "../gitops/kustomization.ts";
import { isKustomization, kustomizationsIn } from "../repository/reader.ts";
import { type BuildInput, newBuild } from "./kustomize/resource-files.ts";

/** The name of this renderer in a proof. */
export const ownRenderer = "rectify's own Kustomize subset";

/**
 * What an entry produces, by a subset of Kustomize 5 written here: a directory with a kustomization, or all manifests
 * of a plain directory as its tool takes them, and what a Flux Kustomization adds by itself. Anything outside the
 * subset is unsupported, never approximated.
 */
export function render(tree: Tree, entry: Entry): Rendered {
  const path = plainPath(entry.path);
  if (path === null) return unsupported("nobody said where the entry starts");
  const root = resolveInside(".", path);
  if (!root.ok) return unsupported(root.because);
  const seen = seenBy(entry.tool, tree);
  if (!seen.ok) return unsupported(seen.because);
  if (seen.tree.read(root.path) !== undefined) return renderFile(seen.tree, root.path);
  const controller = controllerOf(tree, entry);
  if (!controller.ok) return unsupported(controller.because);
  const build = newBuild(seen.tree, entry.tool === "flux");
  const value = rootOf(build, root.path, entry.tool, controller.plain);
  const flux = controller.flux ?? {};
  const place = realPath(seen.tree, root.path) || ".";
  const objects = value === undefined ? [] : buildObjects(build, place, withFluxSpec(value, flux));
  const problem = build.problems[0];
  if (problem !== undefined) return unsupported(problem);
  const finished = withPostBuild(objects, flux);
  return finished.ok ? { kind: "rendered", with: ownRenderer, objects: finished.value } : unsupported(finished.because);
}

/** A single file that somebody applies as it is. */
function renderFile(tree: Tree, path: string): Rendered {
  const build = newBuild(tree, false);
  build.dialect = "kubernetes";
  const objects = buildObjects(build, posix.dirname(path), { resources: [posix.basename(path)] });
  const [problem] = build.problems;
  return problem === undefined ? { kind: "rendered", with: ownRenderer, objects } : unsupported(problem);
}

function unsupported(because: string): Rendered {
  return { kind: "unsupported", because };
}

type Controller =
  | { readonly ok: true; readonly flux: FluxSpec | undefined; readonly plain: PlainOptions }
  | { readonly ok: false; readonly because: string };

/**
 * What the entry's controller object does besides naming a path: the one in the repository, else what the cluster holds.
 * An entry that names no object adds nothing.
 */
export function controllerOf(tree: Tree, entry: Entry): Controller {
  const nothing: Controller = { ok: true, flux: undefined, plain: { recurse: undefined } };
  if (entry.object === undefined && entry.spec === undefined) return nothing;
  const declared = controllerObjectOf(tree, entry);
  const isMade = declared?.set !== undefined || JSON.stringify(declared?.spec ?? {}).includes("{{");
  const isLast = isMade || entry.isPatched === true;
  const spec = isLast ? (entry.spec ?? declared?.spec) : (declared?.spec ?? entry.spec);
  if (spec === undefined) {
    return { ok: false, because: `${entry.object} is not in the repository, so what it adds to its path is unknown` };
  }
  if (entry.tool === "flux") {
    const flux = readFluxSpec(spec);
    if (flux === undefined) return { ok: false, because: `${entry.object} has fields that are not understood` };
    return { ...nothing, flux };
  }
  const options = argoOptions(spec, plainPath(entry.path));
  if (!options.ok) return { ok: false, because: `${entry.object} has ${options.because}` };
  return { ok: true, flux: Object.keys(options.spec).length === 0 ? undefined : options.spec, plain: options.plain };
}

function rootOf(
  build: BuildInput,
  path: string,
  tool: Entry["tool"],
  options: PlainOptions,
): Kustomization | undefined {
  const plain = plainResources(build.tree, path, tool, options);
  if (plain !== undefined) {
    if (plain.problem !== undefined) build.problems.push(plain.problem);
    if (tool === "argocd") {
      build.dialect = "kubernetes";
      // Argo CD reads these files by itself, wherever in the repository their links lead.
      build.mayLeaveDirectory = true;
    }
    return { resources: [...plain.files] };
  }
  const read = readKustomization(build.tree, path);
  if (read?.ok) build.problems.push(...headProblems(read.path, read.value), ...strayKustomization(build, read.path));
  else build.problems.push(...(read?.problems ?? [`there is no kustomization in ${path}`]));
  return read?.ok ? read.value : undefined;
}

interface PlainResources {
  readonly files: readonly string[];
  readonly problem: string | undefined;
}

/** What a tool takes from a directory without a kustomization; undefined when there is one. */
export function plainResources(
  tree: Tree,
  directory: string,
  tool: Entry["tool"],
  options: PlainOptions,
): PlainResources | undefined {
  if (kustomizationsIn(tree, directory).length > 0) return undefined;
  if (realPath(tree, directory) !== (directory === "." && tree.links ? "" : directory))
    return { files: [], problem: `${directory} is reached through a symbolic link` };
  const prefix = directory === "." ? "" : `${directory}/`;
  const { paths: inside, broken } = filesWalked(tree, directory);
  if (broken !== undefined) return { files: [], problem: broken.because };
  const all = inside.map((path) => path.slice(prefix.length)).sort();
  const mayHold = (path: string) => path === "Chart.yaml" || mayHoldObjects(path, tree.read(prefix + path));
  const found = tool === "argocd" ? argoFiles(all.filter(mayHold), options) : fluxFiles(all);
  const isNothing = found.problem === undefined && found.files.length === 0;
  const problem = isNothing ? "holds no manifests" : found.problem;
  return { files: found.files, problem: problem === undefined ? undefined : `${directory} ${problem}` };
}

/** Argo CD looks below the directory only when its Application says so, and takes no kustomization from there. */
function argoFiles(all: readonly string[], { recurse, include, exclude }: PlainOptions): PlainResources {
  const manifests = all.filter((path) => isArgoManifest(path, { include, exclude }));
  const direct = manifests.filter((path) => !path.includes("/"));
  const files = recurse === true ? manifests : direct;
  if (all.includes("Chart.yaml")) return { files, problem: "is a Helm chart" };
  if (recurse === undefined && direct.length < manifests.length) return { files, problem: "has subdirectories" };
  return { files, problem: files.some((path) => path.endsWith(".jsonnet")) ? "holds Jsonnet" : undefined };
}

/** Flux takes all manifests below the directory; a directory with a kustomization stands for itself. */
function fluxFiles(all: readonly string[]): PlainResources {
  const bases = all.filter(isKustomization).map((path) => posix.dirname(path));
  const isCovered = (path: string) => bases.some((base) => path.startsWith(`${base}/`));
  const files = all.filter((path) => /\.ya?ml$/.test(path) && !isCovered(path));
  const outer = [...new Set(bases)].filter((base) => !isCovered(base));
  const ignores = all.some((path) => posix.basename(path) === ".sourceignore");
  return { files: [...files, ...outer], problem: ignores ? "has a .sourceignore" : undefined };
}
