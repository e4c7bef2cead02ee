import { posix } from "node:path";
import { canonicalText } from "../../domain/kubernetes/object-changes.ts";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { controllerNamespace, isRecord } from "../../domain/kubernetes/rendered.ts";
import { type MadeObject, realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import { generatedApplications } from "./sets/application-sets.ts";
import { directoriesOf } from "../repository/reader.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";
import { plainOf } from "../yaml/plain.ts";
import { parseSource } from "../yaml/source.ts";
import { maxFileBytes, resolveInside } from "./kustomization.ts";

/** An entry that an object in the repository itself declares. */
interface DeclaredEntry extends Entry {
  /** The file of the controller's object. */
  readonly file: string;
}

/** A Flux Kustomization, an Argo CD Application, or an Application that an ApplicationSet makes. */
export interface ControllerObject {
  readonly entry: DeclaredEntry;
  readonly spec: Readonly<Record<string, unknown>>;
  /** The ApplicationSet that makes it, or the entry whose rendering does. */
  readonly set?: string;
  /** True when the cluster makes several of it, in several clusters perhaps. */
  readonly several?: boolean;
  /** True when a patch of its set says some of it, which stands in no node of the set. */
  readonly isPatched?: boolean;
}

const objectsByTree = new WeakMap<Tree, readonly ControllerObject[]>();

/** Every controller object with a path in this repository, one for each path that it names. */
export function controllerObjects(tree: Tree): readonly ControllerObject[] {
  const known = objectsByTree.get(tree);
  if (known) return known;
  const written = tree.over ? objectsAfter(tree, tree.over) : objectsOf(tree, tree.paths());
  const isKnown = tree.made === undefined || tree.over?.tree.made === tree.made;
  const found = isKnown ? written : [...written, ...madeObjects(tree, tree.made)];
  objectsByTree.set(tree, found);
  return found;
}

function objectsOf(tree: Tree, files: readonly string[]): readonly ControllerObject[] {
  const written = files.filter((path) => /\.(?:ya?ml|json)$/.test(path));
  return written.flatMap((path) => objectsIn(tree, path));
}

// What says when and how something is applied, not what.
const indecisive = new Set([
  ...["interval", "retryInterval", "timeout", "prune", "wait", "force", "dependsOn", "healthChecks"],
  ...["healthCheckExprs", "syncPolicy", "project", "info", "revisionHistoryLimit"],
]);

/** What an object's spec says about what is made and where: two objects that differ in it are no copies. */
export function decisive(spec: Readonly<Record<string, unknown>>): string {
  return canonicalText(Object.fromEntries(Object.entries(spec).filter(([key]) => !indecisive.has(key))));
}

/** Where an object stands that no file holds, for people. */
export const placeOfMade = ({ by }: MadeObject): string => `made by ${by}`;

/** True for the place of an object that no file holds. */
export const isMadePlace = (file: string): boolean => file.startsWith("made by ");

function madeObjects(tree: Tree, made: readonly MadeObject[]): readonly ControllerObject[] {
  return made.flatMap((one) =>
    inRepository(tree, controllerObject(tree, one.document, placeOfMade(one))).map((object) => ({
      ...object,
      set: object.set ?? one.by,
      entry: { ...object.entry, ...(one.cluster === undefined ? {} : { cluster: one.cluster }) },
    })),
  );
}

/** Only the changed files are read again. What a set makes of Git files may change with any of them. */
function objectsAfter(tree: Tree, { tree: before, paths }: NonNullable<Tree["over"]>): readonly ControllerObject[] {
  const known = controllerObjects(before);
  const sets = known.flatMap(({ set, entry }) => (set === undefined || isMadePlace(entry.file) ? [] : [entry.file]));
  const again = new Set([...paths, ...(paths.some((path) => before.read(path) === undefined) ? sets : [])]);
  const isTouched = [...again].some((path) => known.some(({ entry }) => entry.file === path) || mayDeclare(tree, path));
  if (!isTouched) return known;
  return [...known.filter(({ entry }) => !again.has(entry.file)), ...objectsOf(tree, [...again])];
}

function mayDeclare(tree: Tree, path: string): boolean {
  const bytes = tree.read(path);
  const text = bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return text?.includes(fluxGroup) === true || text?.includes(argoGroup) === true;
}

/** The controller object that an entry names; undefined when the repository does not hold it. */
export function controllerObjectOf(tree: Tree, entry: Entry): ControllerObject | undefined {
  const file = (entry as Partial<DeclaredEntry>).file;
  const all = controllerObjects(tree);
  const objects = file === undefined ? all : (byFile(all).get(file) ?? []);
  const found = meant(
    objects.map((object) => object.entry),
    entry,
  );
  return objects.find((object) => object.entry === found);
}

/** What Git says of an entry; where it does not stand there, what the cluster says. */
export function specOf(tree: Tree, entry: Entry): Readonly<Record<string, unknown>> {
  return controllerObjectOf(tree, entry)?.spec ?? entry.spec ?? {};
}

/** Where the controller puts objects that name no namespace: most charts leave it to who installs them. */
export function namespaceOf(tree: Tree, entry: Entry): string {
  return controllerNamespace(specOf(tree, entry)) ?? "default";
}

const objectsByFile = new WeakMap<readonly ControllerObject[], ReadonlyMap<string, readonly ControllerObject[]>>();

function byFile(objects: readonly ControllerObject[]): ReadonlyMap<string, readonly ControllerObject[]> {
  const known = objectsByFile.get(objects);
  if (known) return known;
  const found = new Map<string, ControllerObject[]>();
  for (const object of objects) {
    const here = found.get(object.entry.file);
    if (here) here.push(object);
    else found.set(object.entry.file, [object]);
  }
  objectsByFile.set(objects, found);
  return found;
}

/**
 * Whether a controller takes in what lies in directories below a path that is neither a kustomization nor a chart: Flux
 * always does, Argo CD only with `directory.recurse`. A plugin may read anything; so may what nobody can tell.
 */
export function takesBelow(tree: Tree, entry: Entry): boolean {
  const own = argoSources(tree, entry);
  return own === undefined || own.some((one) => one.plugin !== undefined || readsBelow(one.directory));
}

/** The sources of an Application with the entry's path; undefined for other tools and where nobody knows them. */
export function argoSources(tree: Tree, entry: Entry): readonly Record<string, unknown>[] | undefined {
  const spec = entry.tool === "argocd" ? (controllerObjectOf(tree, entry)?.spec ?? entry.spec) : undefined;
  if (spec === undefined) return undefined;
  const path = plainPath(entry.path);
  const own = sourcesIn(spec).filter((source) => plainPath(String(source.path ?? "")) === path);
  return own.length === 0 ? undefined : own;
}

const readsBelow = (directory: unknown): boolean =>
  isRecord(directory) && (directory.recurse === true || directory.jsonnet !== undefined);

/** `Kustomization flux-system/apps (…)`: the name, and the namespace where it is said. */
export function nameIn(
  object: string | undefined,
): { readonly namespace: string | undefined; readonly name: string } | undefined {
  const [, namespace, name] = /^(?:\S+\s+)?(?:([\w.-]+)\/)?([\w.-]+)/.exec(object ?? "") ?? [];
  return name === undefined ? undefined : { namespace, name };
}

/**
 * The declared entry that a given one means, which may come from the cluster: same path, same tool, same name. A
 * namespace that a kustomization sets is not in the object's file, so a name that stands there once is enough.
 */
export function meant<Declared extends Entry>(declared: readonly Declared[], target: Entry): Declared | undefined {
  const path = pathOf(target);
  const here = declared.filter(
    (entry) => pathOf(entry) === path && (target.tool === "unknown" || entry.tool === target.tool),
  );
  const wanted = nameIn(target.object);
  const named = here.filter((entry) => wanted === undefined || isNamed(entry, wanted.name));
  const exact = named.filter((entry) => nameIn(entry.object)?.namespace === wanted?.namespace);
  const inCluster = (some: readonly Declared[]) => some.find((entry) => entry.cluster === target.cluster);
  return inCluster(exact) ?? inCluster(named) ?? exact[0] ?? named[0];
}

/** A name that a template fills in is any name that fits the rest of it. */
function isNamed(entry: Entry, name: string): boolean {
  const written = entry.object?.split("/").slice(1).join("/") ?? "";
  if (!written.includes("{{")) return nameIn(entry.object)?.name === name;
  const [first = "", ...rest] = written.split(/\{\{.*?\}\}/);
  return name.startsWith(first) && name.endsWith(rest.at(-1) ?? "");
}

/** A path without `./` and closing slashes; `.` is the root. */
export function plainPath(path: string | null): string | null {
  return path === null ? null : posix.normalize(path.replace(/^(\.?\/)+/, "") || ".").replace(/\/$/, "");
}

const pathByEntry = new WeakMap<Entry, string | null>();

/** The plain path of an entry, which is asked for again with every question. */
export function pathOf(entry: Entry): string | null {
  let path = pathByEntry.get(entry);
  if (path === undefined) pathByEntry.set(entry, (path = plainPath(entry.path)));
  return path;
}

/** The cluster that a file's place names: `clusters/<name>/…`. */
export const clusterOf = (file: string): string | undefined => /(?:^|\/)clusters?\/([^/]+)\//.exec(file)?.[1];

const fluxGroup = "kustomize.toolkit.fluxcd.io/";
const argoGroup = "argoproj.io/";

function objectsIn(tree: Tree, file: string): readonly ControllerObject[] {
  const bytes = tree.read(file);
  if (bytes === undefined || bytes.byteLength > maxFileBytes) return [];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!text.includes(fluxGroup) && !text.includes(argoGroup)) return [];
  const written = documentsIn(file, bytes).flatMap(itemsOf);
  return inRepository(
    tree,
    written.flatMap((document) => controllerObject(tree, document, file)),
  );
}

/** What tools read differently in one place of a file does not make what else it says unknown. */
function documentsIn(file: string, bytes: Uint8Array): readonly unknown[] {
  const strict = readKubeYaml(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  if (strict.ok) return strict.value;
  const source = parseSource(file, bytes);
  return source.ok ? source.file.documents.map(({ root }) => plainOf(root)) : [];
}

/** An object itself, or the items of a list. */
function itemsOf(value: unknown): readonly Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(itemsOf);
  if (!isRecord(value)) return [];
  const isList = typeof value.kind === "string" && value.kind.endsWith("List") && Array.isArray(value.items);
  return isList ? itemsOf(value.items) : [value];
}

function inRepository(tree: Tree, objects: readonly ControllerObject[]): readonly ControllerObject[] {
  const isHere = (path: string) => {
    const real = realPath(tree, path);
    return path === "." || (real !== "" && directoriesOf(tree).has(real)) || tree.read(path) !== undefined;
  };
  return objects.filter(({ entry }) => entry.path !== null && isHere(entry.path));
}

function controllerObject(tree: Tree, document: Readonly<Record<string, unknown>>, file: string): ControllerObject[] {
  const { apiVersion, kind, metadata, spec } = document;
  if (typeof apiVersion !== "string" || !isRecord(metadata) || !isRecord(spec)) return [];
  const head = { name: String(metadata.name ?? ""), namespace: metadata.namespace, file };
  if (apiVersion.startsWith(fluxGroup) && kind === "Kustomization") return fluxObject(head, spec);
  if (!apiVersion.startsWith(argoGroup)) return [];
  if (kind === "Application") return argoObjects(head, spec);
  if (kind !== "ApplicationSet") return [];
  return generatedApplications(tree, spec).flatMap((made) =>
    argoObjects({ ...head, name: made.name }, made.spec).map((object) => ({
      ...object,
      set: head.name,
      several: made.repeated,
      isPatched: made.isPatched,
    })),
  );
}

interface Head {
  readonly name: string;
  readonly namespace: unknown;
  readonly file: string;
}

function fluxObject(head: Head, spec: Record<string, unknown>): ControllerObject[] {
  // Other sources than Git hold what somebody packed, under paths of their own.
  if (isRecord(spec.sourceRef) && spec.sourceRef.kind !== "GitRepository") return [];
  // Flux wants a source: a text that names neither that nor a path is a patch of such an object.
  if (spec.sourceRef === undefined && spec.path === undefined) return [];
  const path = sourcePath(spec, ".");
  const namespace = typeof head.namespace === "string" ? head.namespace : "flux-system";
  return path === undefined
    ? []
    : [{ entry: declared(head, "flux", path, `Kustomization ${namespace}/${head.name}`), spec }];
}

function argoObjects(head: Head, spec: Readonly<Record<string, unknown>>): ControllerObject[] {
  const paths = sourcesIn(spec).map((source) => sourcePath(source));
  const namespace = typeof head.namespace === "string" ? head.namespace : "argocd";
  return paths.flatMap((path) =>
    path === undefined
      ? []
      : [{ entry: declared(head, "argocd", path, `Application ${namespace}/${head.name}`), spec }],
  );
}

/** The sources that the spec of an Application says; where there are several, the single one counts no more. */
export function sourcesIn({ source, sources }: Readonly<Record<string, unknown>>): readonly Record<string, unknown>[] {
  return (Array.isArray(sources) ? (sources as unknown[]) : [source]).filter(isRecord);
}

function declared(head: Head, tool: "flux" | "argocd", path: string, object: string): DeclaredEntry {
  const cluster = clusterOf(head.file);
  return { tool, path, ...(cluster === undefined ? {} : { cluster }), object, file: head.file };
}

/** The path that a source names inside the repository; one with variables is no path yet. */
function sourcePath(source: Readonly<Record<string, unknown>>, otherwise?: string): string | undefined {
  const path = plainPath(typeof source.path === "string" ? source.path : (otherwise ?? null));
  return path !== null && !/\$|\{\{/.test(path) && resolveInside(".", path).ok ? path : undefined;
}
