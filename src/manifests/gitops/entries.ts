import { posix } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";
import { consumersOf, kustomizationDirectories, maxFileBytes, resolveInside } from "./kustomization.ts";

/** An entry that an object in the repository itself declares. */
export interface DeclaredEntry extends Entry {
  /** The file of the controller's object. */
  readonly file: string;
}

/**
 * Where the desired state starts: Flux Kustomizations and Argo CD Applications with a path in this repository, then
 * the kustomizations that neither they nor another kustomization use. Sorted by path within each.
 */
export function entriesOf(tree: Tree): readonly Entry[] {
  const declared = controllerObjects(tree).map(({ entry }) => entry);
  const consumers = consumersOf(tree);
  const directories = kustomizationDirectories(tree);
  const holdsKustomization = new Set(directories);
  const places = [...new Set(declared.map((entry) => entry.path))];
  const isDeclared = (directory: string) =>
    places.some(
      (path) => directory === path || (path !== null && !holdsKustomization.has(path) && isBelow(directory, path)),
    );
  const loose = directories.filter((directory) => !consumers.has(directory) && !isDeclared(directory));
  return [...[...declared].sort(byPath), ...loose.map((path) => ({ tool: "kustomize" as const, path }))];
}

function isBelow(path: string, directory: string): boolean {
  return directory === "." || path.startsWith(`${directory}/`);
}

/** All entries but the target, which may come from the cluster: one of the same tool, object and path is left out. */
export function othersOf(entries: readonly Entry[], target: Entry): readonly Entry[] {
  const matches = (entry: Entry) =>
    plainPath(entry.path) === plainPath(target.path) &&
    (target.tool === "unknown" || entry.tool === target.tool) &&
    (target.object === undefined || entry.object === undefined || entry.object === target.object);
  const same = entries.filter(matches);
  const meant = same.find((entry) => entry.cluster === target.cluster) ?? same[0];
  return entries.filter((entry) => entry !== meant);
}

export interface ControllerObject {
  readonly entry: DeclaredEntry;
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The controller object that an entry names; undefined when the repository does not hold it. */
export function controllerObjectOf(tree: Tree, entry: Entry): ControllerObject | undefined {
  const file = (entry as Partial<DeclaredEntry>).file;
  const path = plainPath(entry.path) ?? "";
  const objects = file === undefined ? controllerObjects(tree) : objectsIn(tree, file, new Set([path]));
  const named = objects.filter(
    (object) => object.entry.object === entry.object && plainPath(object.entry.path) === plainPath(entry.path),
  );
  return named.find((object) => object.entry.cluster === entry.cluster) ?? named[0];
}

export function plainPath(path: string | null): string | null {
  return path === null ? null : posix.normalize(path.replace(/^(\.?\/)+/, "") || ".").replace(/\/$/, "");
}

function byPath(left: Entry, right: Entry): number {
  const [first, second] = [left, right].map((entry) => `${entry.path} ${entry.cluster} ${entry.object}`);
  return (first ?? "") < (second ?? "") ? -1 : 1;
}

function controllerObjects(tree: Tree): readonly ControllerObject[] {
  const paths = tree.paths();
  const directories = new Set(paths.flatMap(directoriesAbove));
  return paths.filter((path) => /\.ya?ml$/.test(path)).flatMap((path) => objectsIn(tree, path, directories));
}

function directoriesAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

const fluxGroup = "kustomize.toolkit.fluxcd.io/";
const argoGroup = "argoproj.io/";

function objectsIn(tree: Tree, file: string, known: ReadonlySet<string>): readonly ControllerObject[] {
  const bytes = tree.read(file);
  if (bytes === undefined || bytes.byteLength > maxFileBytes) return [];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!text.includes(fluxGroup) && !text.includes(argoGroup)) return [];
  const documents = readKubeYaml(text.toString("utf8"));
  if (!documents.ok) return [];
  const isInRepository = (path: string) =>
    path === "." || known.has(path) || [...known].some((at) => at.startsWith(`${path}/`));
  return documents.value.flatMap((document) => {
    const object = isRecord(document) ? controllerObject(document, file) : undefined;
    const path = object?.entry.path;
    return object !== undefined && typeof path === "string" && isInRepository(path) ? [object] : [];
  });
}

function controllerObject(document: Record<string, unknown>, file: string): ControllerObject | undefined {
  const { apiVersion, kind, metadata, spec } = document;
  if (typeof apiVersion !== "string" || !isRecord(metadata) || !isRecord(spec)) return undefined;
  const isFlux = kind === "Kustomization" && apiVersion.startsWith(fluxGroup);
  const isArgo = kind === "Application" && apiVersion.startsWith(argoGroup);
  // Other sources than Git hold what somebody packed, under paths of their own.
  if (isFlux && isRecord(spec.sourceRef) && spec.sourceRef.kind !== "GitRepository") return undefined;
  const path = isFlux ? sourcePath(spec, ".") : isArgo && isRecord(spec.source) ? sourcePath(spec.source) : undefined;
  if (typeof metadata.name !== "string" || path === undefined) return undefined;
  const cluster = /(?:^|\/)clusters?\/([^/]+)\//.exec(file)?.[1];
  const home = typeof metadata.namespace === "string" ? metadata.namespace : isFlux ? "flux-system" : "argocd";
  const entry: DeclaredEntry = {
    tool: isFlux ? "flux" : "argocd",
    path,
    ...(cluster === undefined ? {} : { cluster }),
    object: `${String(kind)} ${home}/${metadata.name}`,
    file,
  };
  return { entry, spec };
}

/** The path that a source names inside the repository; one with variables is no path yet. */
function sourcePath(source: Record<string, unknown>, otherwise?: string): string | undefined {
  const path = plainPath(typeof source.path === "string" ? source.path : (otherwise ?? null));
  return path !== null && !path.includes("$") && resolveInside(".", path).ok ? path : undefined;
}
