import { posix } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord } from "../../domain/kubernetes/rendered.ts";
import { realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import { indexOf } from "./gitops.ts";
import { argoSources, controllerObjectOf, pathOf } from "./controllers.ts";
import { componentsAdded } from "./readers/components.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";
import { isRemote, readText, resolveInside } from "./kustomization.ts";
import { isArgoManifest, mayHoldObjects } from "./plain.ts";
import { isKustomization, kustomizationNames, kustomizationsIn } from "../repository/reader.ts";
import { type Broken, filesBelow, leadsNowhere, mostNames, namesOf } from "./links.ts";

/** What building a directory can read. */
interface Reach {
  /** Every file that may be read, by its own path: rather too many than too few. */
  readonly files: ReadonlySet<string>;
  /** A symbolic link that may be on the way, and behind which nothing can be read. */
  readonly broken: Broken | undefined;
  /** True when symbolic links are followed on the way. */
  readonly followsLinks: boolean;
  /** References that lead out of the repository. */
  readonly remote: readonly string[];
}

/** Follows every text in every kustomization that could name a path, whatever the field. */
export function reachOf(tree: Tree, directory: string): Reach {
  const files = new Set<string>();
  const remote: string[] = [];
  const seen = new Set<string>();
  const open = [directory];
  const whole: Whole = { broken: undefined };
  let followsLinks = false;
  for (let named = open.pop(); named !== undefined; named = open.pop()) {
    const place = realPath(tree, named) || ".";
    followsLinks ||= place !== named;
    if (seen.has(place)) continue;
    seen.add(place);
    if (tree.links && tree.links.real(place) === undefined) whole.broken ??= leadsNowhere(place);
    if (tree.read(place) === undefined) open.push(...placesIn(tree, place, remote, whole));
    else files.add(place);
  }
  return { files, remote, broken: whole.broken, followsLinks };
}

interface Whole {
  broken: Broken | undefined;
}

/** What a directory leads to: its kustomization and all that this names, or else everything below it. */
function placesIn(tree: Tree, directory: string, remote: string[], whole: Whole): readonly string[] {
  const own = kustomizationsIn(tree, directory);
  const written = own.flatMap((path) => referencesIn(tree, path));
  // A generator's file names what it reads from where the kustomization stands.
  const generators = written
    .filter(({ field }) => field === "generators")
    .map(({ text }) => resolveInside(directory, text));
  const references = [...written, ...generators.flatMap((one) => (one.ok ? referencesIn(tree, one.path) : []))];
  const isWhole =
    own.length === 0 || references.some(({ field }) => field.startsWith("helm") || field === "generators");
  const { paths: below, broken } = isWhole ? filesBelow(tree, directory) : { paths: [], broken: undefined };
  whole.broken ??= broken;
  const inner = below.filter((path) => isKustomization(path)).map((path) => posix.dirname(path));
  const named = references.flatMap(({ text, isSaid }) => {
    const target = resolveInside(directory, text);
    if (target.ok) return [target.path];
    if (isRemote(text) && !isSaid) remote.push(text);
    const own = ownPlace(tree, text);
    return own === undefined ? [] : [own];
  });
  return [...own, ...below, ...inner, ...named];
}

/** What a kustomization puts into objects, or says of them: a URL among it is text, which nothing fetches. */
const said = new Set([
  ...["metadata", "commonAnnotations", "commonLabels", "labels", "annotations", "images", "generatorOptions"],
  ...["literals", "options", "target", "valuesInline"],
]);

/** Where a URL leads in this very repository. */
function ownPlace(tree: Tree, text: string): string | undefined {
  const own = isRemote(text) ? indexOf(tree).urls.leadTo(text) : undefined;
  return own?.isCertain === true ? own.path : undefined;
}

interface Reference {
  readonly field: string;
  readonly text: string;
  readonly isSaid: boolean;
}

function referencesIn(tree: Tree, path: string): readonly Reference[] {
  const text = readText(tree, path);
  const documents = text.ok ? readKubeYaml(text.value) : text;
  if (!documents.ok) return [];
  const texts: Reference[] = [];
  const collect = (value: unknown, field: string, isSaid: boolean): void => {
    if (Array.isArray(value)) for (const item of value) collect(item, field, isSaid);
    else if (isRecord(value))
      for (const [key, item] of Object.entries(value)) collect(item, field || key, isSaid || said.has(key));
    else if (typeof value === "string" && field === "generators" && value.includes("\n")) collectInside(value, field);
    else if (typeof value === "string" && !value.includes("\n") && value.length < 1_000) {
      texts.push({ field, text: value, isSaid });
      if (value.includes("=")) texts.push({ field, text: value.slice(value.indexOf("=") + 1), isSaid });
    } else if (typeof value === "string" && /^\s*[a-z][a-z0-9+.-]*:\S*\s*$/i.test(value)) {
      // No path is so long; an address may be.
      texts.push({ field, text: value.trim(), isSaid });
    }
  };
  const collectInside = (written: string, field: string): void => {
    const inner = readKubeYaml(written);
    if (inner.ok)
      for (const document of inner.value) for (const item of Object.values(document ?? {})) collect(item, field, false);
  };
  for (const document of documents.value) collect(document, "", false);
  return texts;
}

const reachByTree = new WeakMap<Tree, Map<string, Reach>>();

/** A tree never changes: what an entry reads is found out once for many questions. */
function knownReach(tree: Tree, path: string): Reach {
  const known = reachByTree.get(tree) ?? new Map<string, Reach>();
  reachByTree.set(tree, known);
  const reach = known.get(path) ?? reachOf(tree, path);
  known.set(path, reach);
  return reach;
}

/** Every file that building a path may read. */
export const filesRead = (tree: Tree, path: string): ReadonlySet<string> => knownReach(tree, path).files;

/** The entries whose build can read one of the paths, or whose own object stands in one: all others cannot change. */
export function affectedEntries(tree: Tree, entries: readonly Entry[], edited: readonly string[]): readonly Entry[] {
  const names = edited.map((path) => namesOf(tree, path));
  if (names.some((some) => some.length >= mostNames)) return entries;
  const paths = [...new Set(names.flat())];
  return entries.filter((entry) => {
    const path = pathOf(entry);
    const file = "file" in entry && typeof entry.file === "string" ? entry.file : undefined;
    if (path === null || (file !== undefined && paths.includes(file))) return true;
    const taken = takenByArgo(tree, entry, path);
    if (taken) return paths.some(taken);
    const { files } = knownReach(tree, path);
    const chart = chartValues(tree, entry, path);
    return (
      paths.some((edited) => chart?.(edited) ?? (files.has(edited) || isNewNear(edited, path, files))) ||
      addedTo(tree, entry, path).some((component) => paths.some((edited) => filesRead(tree, component).has(edited)))
    );
  });
}

/** The components that the entry's own object adds. */
function addedTo(tree: Tree, entry: Entry, path: string): readonly string[] {
  if (entry.object === undefined && entry.spec === undefined) return [];
  return componentsAdded(controllerObjectOf(tree, entry)?.spec ?? entry.spec, [path]);
}

/**
 * Whether an Application takes a file from its directory, which is neither a kustomization nor a chart; undefined where
 * the directory is built, or where a plugin or Jsonnet may read anything.
 */
function takenByArgo(tree: Tree, entry: Entry, path: string): ((edited: string) => boolean) | undefined {
  const sources = argoSources(tree, entry);
  if (sources === undefined) return undefined;
  const makesBuilt = [...kustomizationNames, "Chart.yaml"];
  const isBuilt = makesBuilt.some((name) => tree.read(posix.join(path, name)) !== undefined);
  if (isBuilt || tree.read(path) !== undefined) return undefined;
  const options = sources.map(({ plugin, directory }) => (plugin === undefined ? (directory ?? {}) : undefined));
  if (!options.every((one) => isRecord(one) && one.jsonnet === undefined)) return undefined;
  const prefix = path === "." ? "" : `${path}/`;
  return (edited) => {
    if (!edited.startsWith(prefix)) return false;
    const below = edited.slice(prefix.length);
    if (makesBuilt.includes(below)) return true;
    if (!mayHoldObjects(edited, tree.read(edited))) return false;
    return options.filter(isRecord).some(({ recurse, ...some }) => {
      const [include, exclude] = [textOf(some.include), textOf(some.exclude)];
      return (recurse === true || !below.includes("/")) && isArgoManifest(below, { include, exclude });
    });
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** Of the value files of a chart, an Application reads the chart's own and those that it names, wherever they are. */
function chartValues(tree: Tree, entry: Entry, path: string): ((edited: string) => boolean | undefined) | undefined {
  if (!filesRead(tree, path).has(posix.join(path, "Chart.yaml"))) return undefined;
  const spec = controllerObjectOf(tree, entry)?.spec ?? entry.spec;
  const isOpen = spec === undefined || /\{\{|[*?]/.test(JSON.stringify(spec));
  const named = filesNamedIn(spec);
  const files = named
    .flatMap((text) =>
      [posix.join(path, text), text.replace(/^(?:\$[\w-]+)?\//, ""), ownPlace(tree, text) ?? []].flat(),
    )
    .map(fitting);
  return (edited) => {
    if (files.some((fits) => fits(edited))) return true;
    const isOther = posix.dirname(edited) === path && /values/i.test(posix.basename(edited));
    return isOther && posix.basename(edited) !== "values.yaml" && !isOpen ? false : undefined;
  };
}

/** What stands below `valueFiles`, `fileParameters` and the like. */
function filesNamedIn(value: unknown, isFile = false): string[] {
  if (typeof value === "string") return isFile && value.length < 1_000 ? [value] : [];
  if (Array.isArray(value)) return value.flatMap((item) => filesNamedIn(item, isFile));
  if (!isRecord(value)) return [];
  // What is handed to a chart names no file that Argo CD would read.
  const said = Object.entries(value).filter(([key]) => key !== "valuesObject");
  return said.flatMap(([key, item]) => filesNamedIn(item, isFile || /file/i.test(key)));
}

/** What a template fills in, and what a pattern leaves open, may be anything. */
function fitting(name: string): (path: string) => boolean {
  const plain = posix.normalize(name);
  if (!/\{\{|[*?]/.test(plain)) return (path) => path === plain;
  const literals = plain.split(/\{\{.*?\}\}|[*?]+/).map((one) => one.replace(/[.+^${}()|[\]\\]/g, "\\$&"));
  const pattern = new RegExp(`^${literals.join(".*")}$`);
  return (path) => pattern.test(path);
}

/** A new file is read by nobody yet, but a plain directory takes it in. */
function isNewNear(edited: string, path: string, files: ReadonlySet<string>): boolean {
  const isBelow = path === "." || edited.startsWith(`${path}/`);
  return isBelow && ![...files].some((file) => posix.dirname(file) === path && isKustomization(file));
}
