import { posix } from "node:path";
import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../../domain/kubernetes/tree.ts";
import { readKubeYaml } from "../../yaml/kube-yaml.ts";
import { isKustomization } from "../../repository/reader.ts";
import { filesRead } from "../reach.ts";
import { plainOf } from "../../yaml/plain.ts";
import { at, textAt } from "../../yaml/source.ts";
import { type Deployer, openAbove, reaching, type RepositoryIndex } from "../gitops.ts";
import { sourcesOf } from "../sets/sources.ts";
import { namedPlaces, type NamedPlaces, textsIn, textsOfTemplate } from "./named-places.ts";

/** What makes deployers that nobody here sees: a chart, a set of resources, values of a chart from elsewhere. */
interface HiddenMaker {
  /** For people, with its place. */
  readonly what: string;
  readonly places: NamedPlaces;
  /** False for what builds on a place itself, and deploys nothing. */
  readonly mayDeploy?: false;
}

/** Who may read a file, for people; what may deploy may as well be what deploys the asked entry itself. */
interface HiddenReader {
  readonly because: string;
  readonly mayDeploy: boolean;
}

/** An entry that could not be rendered and may make deployers. */
export interface Unrendered {
  readonly path: string;
  readonly name: string;
  readonly because: string;
}

/**
 * Who may read an edited file without being known, once for each time that a place is named from which the file is
 * read. What is made by a maker whose entry was rendered is known; `rendered` are the paths of those entries.
 */
export function hiddenReaders(
  tree: Tree,
  index: RepositoryIndex,
  { unrendered, rendered }: { readonly unrendered: readonly Unrendered[]; readonly rendered: ReadonlySet<string> },
): (edited: readonly string[]) => readonly HiddenReader[] {
  const makers: readonly HiddenMaker[] = [
    ...unrendered.flatMap((entry) => ofEntry(tree, index, entry)),
    ...ofCharts(tree, index, rendered),
    ...ofValues(tree, index),
    ...ofResourceSets(tree, index),
    ...ofOpenPaths(tree, index),
    ...index.supposed.map(({ path, directory, url }) => ({
      what: `${directory || "."}, which takes ${url} and perhaps means this repository,`,
      places: namedPlaces(tree, [{ key: "path", text: `./${path}` }]),
      mayDeploy: false as const,
    })),
  ];
  return (edited) => {
    const places = new Set(edited.flatMap((path) => placesOf(index, path)));
    return makers.flatMap(({ what, places: named, mayDeploy = true }) => {
      const because = `${what} may read it as well, and could not be rendered here`;
      return Array<HiddenReader>(named.count(places)).fill({ because, mayDeploy });
    });
  };
}

/** Whatever an entry may name to read a file: itself, the kustomizations that reach it, the directories around. */
function placesOf(index: RepositoryIndex, file: string): string[] {
  const readers = [file, ...reaching(index, file)];
  return [...readers, ...readers.flatMap((one) => openAbove(index, one))].filter((path) => path !== "");
}

function ofEntry(tree: Tree, index: RepositoryIndex, { path, name, because }: Unrendered): HiddenMaker[] {
  // What a chart makes is looked for in its templates and values.
  if (index.directories.get(path === "." ? "" : path)?.has("Chart.yaml") === true) return [];
  const files = [...filesRead(tree, path)];
  const replaced = new Set(files.flatMap((file) => replacedBy(tree, index, { file, files })));
  const texts = files.flatMap((file) => {
    if (isKustomization(file)) return textsIn(movingPartsOf(kustomizationOf(tree, file)));
    // A replacement carries any text into any path.
    if (replaced.has(file)) return unknownIn(index, file, textsOfFile(tree, file));
    return index.mentions.has(file) ? unknownIn(index, file, textsOfFile(tree, file, ofDeployers)) : [];
  });
  return [{ what: `what ${name} makes (${because})`, places: namedPlaces(tree, texts) }];
}

/**
 * The files whose texts the replacements of a kustomization may carry into a deployer: those that it builds, where a
 * deployer is among them; a component has those of whoever takes it.
 */
function replacedBy(
  tree: Tree,
  { mentions }: RepositoryIndex,
  { file, files }: { readonly file: string; readonly files: readonly string[] },
): readonly string[] {
  const kustomization = isKustomization(file) ? kustomizationOf(tree, file) : {};
  if (!("replacements" in kustomization)) return [];
  const built = kustomization.kind === "Component" ? files : [...filesRead(tree, posix.dirname(file))];
  return built.some((one) => mentions.has(one)) ? built : [];
}

/** What a file says of paths; what stands there as it is in an object of its own is known. */
function unknownIn(index: RepositoryIndex, file: string, texts: Texts): Texts {
  const isKnown = index.deployers.some((one) => one.file === file);
  return texts.filter(({ text }) => !isKnown || /\{\{|\$\{/.test(text));
}

/**
 * What of an object may say where a deployer reads. The values of a release are its chart's: `ofValues` looks at those.
 * What a set that stands here makes is known by its generators, unless Flux fills in a part of it.
 */
function ofDeployers(object: unknown): unknown {
  if (isRecord(object) && object.kind === "ApplicationSet")
    return JSON.stringify(object).includes("${") ? object : undefined;
  if (!isRecord(object) || object.kind !== "HelmRelease") return object;
  return isRecord(object.spec) ? object.spec.chart : undefined;
}

function kustomizationOf(tree: Tree, file: string): Record<string, unknown> {
  const documents = readKubeYaml(new TextDecoder().decode(tree.read(file)));
  const value = documents.ok ? documents.value[0] : undefined;
  return isRecord(value) ? value : {};
}

/** What changes objects on their way. */
function movingPartsOf(kustomization: Record<string, unknown>): unknown[] {
  const { patches, patchesStrategicMerge, patchesJson6902, transformers } = kustomization;
  return [patches, patchesStrategicMerge, patchesJson6902, transformers];
}

/** Charts whose templates make deployers, and that no rendered entry is. */
function ofCharts(tree: Tree, index: RepositoryIndex, rendered: ReadonlySet<string>): HiddenMaker[] {
  const charts = new Map<string, string[]>();
  for (const file of index.mentions) {
    const chart = /^(?:(.*)\/)?templates\//.exec(file)?.[1] ?? "";
    if (!/(?:^|\/)templates\//.test(file) || !index.directories.get(chart)?.has("Chart.yaml")) continue;
    charts.set(chart, [...(charts.get(chart) ?? []), file]);
  }
  return [...charts].flatMap(([chart, templates]) => {
    const users = index.deployers.filter((one) => one.paths.includes(chart));
    const isKnown = users.length > 0 && users.every(({ kind }) => kind !== "HelmRelease") && rendered.has(chart || ".");
    if (isKnown) return [];
    const values = [...(index.directories.get(chart) ?? [])].filter((name) => /\.ya?ml$/.test(name));
    const files = [...templates, ...values.map((name) => posix.join(chart, name)).filter((one) => isValues(one))];
    const texts = files.flatMap((file) => unknownIn(index, file, textsOfFile(tree, file)));
    const given = users.flatMap((user) => textsOfValues(tree, user, chart));
    return [{ what: `what the chart ${chart || "."} makes`, places: namedPlaces(tree, [...texts, ...given]) }];
  });
}

const isValues = (path: string): boolean => !/(?:^|\/)Chart\.ya?ml$/.test(path);

/** Values for charts from elsewhere that make deployers of them. */
function ofValues(tree: Tree, index: RepositoryIndex): HiddenMaker[] {
  return index.deployers.flatMap((deployer) => {
    if (!isOfForeignChart(deployer)) return [];
    const texts = textsOfValues(tree, deployer, "");
    const speaks = texts.some(({ key }) => /^(?:repoURL|sourceRef|targetRevision)$/.test(key));
    const what = `what the chart of ${deployer.kind} ${deployer.name} (${deployer.file}) makes`;
    return speaks ? [{ what, places: namedPlaces(tree, texts) }] : [];
  });
}

function isOfForeignChart({ kind, node }: Deployer): boolean {
  if (kind === "Kustomization") return false;
  if (kind === "HelmRelease") return textAt(node, ["spec", "chart", "spec", "sourceRef", "kind"]) !== "GitRepository";
  return sourcesOf({ kind, node }).some((source) => at(source, ["chart"]) !== undefined);
}

/** What a deployer hands to its chart: inline values, parameters, and the files of this repository that it names. */
function textsOfValues(tree: Tree, deployer: Deployer, chart: string): Texts {
  const inline =
    deployer.kind === "HelmRelease"
      ? [at(deployer.node, ["spec", "values"])]
      : sourcesOf(deployer).map((source) => at(source, ["helm"]));
  const written = inline.flatMap((node) => textsIn(plainOf(node)));
  const names = written.map(({ text }) => text).filter((text) => /\.ya?ml$/.test(text));
  const files = new Set(
    names.flatMap((name) => [posix.join(chart, name), posix.normalize(name.replace(/^\$[\w-]+\//, ""))]),
  );
  return [...written, ...[...files].flatMap((file) => textsOfFile(tree, file))];
}

type Texts = readonly { readonly key: string; readonly text: string }[];

function textsOfFile(tree: Tree, file: string, part = (object: unknown) => object): Texts {
  const bytes = tree.read(file);
  if (bytes === undefined || bytes.byteLength > 1_000_000) return [];
  const text = new TextDecoder().decode(bytes);
  const documents = /\/templates\//.test(`/${file}`) ? undefined : readKubeYaml(text);
  return documents?.ok ? documents.value.flatMap((one) => textsIn(part(one))) : textsOfTemplate(text);
}

/** Flux Operator's ResourceSets: what they list for each of their inputs. */
function ofResourceSets(tree: Tree, index: RepositoryIndex): HiddenMaker[] {
  return [...index.mentions].flatMap((file) => {
    const text = new TextDecoder().decode(tree.read(file));
    if (!/^\s*["']?kind["']?:\s*["']?ResourceSet["']?\s*,?$/m.test(text)) return [];
    const documents = readKubeYaml(text);
    const sets = documents.ok ? documents.value.filter(isRecord).filter(({ kind }) => kind === "ResourceSet") : [];
    if (sets.length === 0) return [{ what: file, places: namedPlaces(tree, textsOfTemplate(text)) }];
    return sets.map(({ metadata, spec }) => ({
      what: `ResourceSet ${String(isRecord(metadata) ? metadata.name : "")} (${file})`,
      places: namedPlaces(tree, textsOfSet(isRecord(spec) ? spec : {})),
    }));
  });
}

function textsOfSet({ inputs, inputsFrom, ...made }: Record<string, unknown>): Texts {
  const texts = textsIn(made);
  const known = Array.isArray(inputs) && inputsFrom === undefined ? inputs.filter(isRecord) : [];
  if (known.length === 0) return [...texts, ...textsIn(inputs)];
  return known.flatMap((input) =>
    texts.map(({ key, text }) => ({
      key,
      text: text.replaceAll(/<<-?\s*inputs\.(\w+)\s*-?>>/g, (whole, name: string) => {
        const value = input[name];
        return typeof value === "string" || typeof value === "number" ? String(value) : whole;
      }),
    })),
  );
}

/** Objects whose path only a variable says, where no rendering showed what it is. */
function ofOpenPaths(tree: Tree, index: RepositoryIndex): HiddenMaker[] {
  return withOpenPaths(index).map((one) => {
    const texts = one.paths.filter(isOpen).map((text) => ({ key: "path", text }));
    return { what: `${one.kind} ${one.name} (${one.file})`, places: namedPlaces(tree, texts) };
  });
}

const isOpen = (path: string): boolean => /\$\{|\{\{/.test(path);

/** The objects themselves, but for sets. */
export function withOpenPaths({ deployers }: Pick<RepositoryIndex, "deployers">): readonly Deployer[] {
  return deployers.filter((one) => {
    if (one.kind === "ApplicationSet" || !one.paths.some(isOpen)) return false;
    return !deployers.some(
      (other) => other.kind === one.kind && other !== one && !other.paths.some(isOpen) && isMadeOf(other, one),
    );
  });
}

/** Made by rendering, under the name that the file has with its variables filled in. */
function isMadeOf(made: Deployer, written: Deployer): boolean {
  const [first = "", ...rest] = written.name.split(/\$\{.*?\}|\{\{.*?\}\}/);
  if (rest.length === 0) return made.name.includes(written.name);
  return made.name.startsWith(first) && made.name.endsWith(rest.at(-1) ?? "");
}
