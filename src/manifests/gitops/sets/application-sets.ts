import { posix } from "node:path";
import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../../domain/kubernetes/tree.ts";
import { globbed } from "./glob.ts";
import { readKubeYaml } from "../../yaml/kube-yaml.ts";
import { directoriesOf } from "../../repository/reader.ts";
import { readText } from "../kustomization.ts";
import { filesAndLinks } from "../links.ts";
import { isSelected } from "./selector.ts";
import { templateOf } from "./templates.ts";

/** An Application that an ApplicationSet makes, as far as the repository can tell. */
interface GeneratedApplication {
  /** May still hold what only the cluster knows: `web-{{name}}`. */
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** True when the cluster may make several of this one: one for each cluster, say. */
  readonly repeated: boolean;
}

/** What fills in a template; `open` when the cluster adds more than the repository shows. */
interface Params {
  readonly values: ReadonlyMap<string, string>;
  readonly open: boolean;
}

/** More than any real set makes of one repository. */
const maxApplications = 2_000;

/** A repository, and what a set says of all its generators. */
interface Generating {
  readonly tree: Tree;
  /** False where an older Argo CD passes the selectors of generators inside of others over. */
  readonly selectsInside: boolean;
}

/** The Applications of a set: lists, Git directories and files are followed, all else stays open. */
export function generatedApplications(tree: Tree, spec: Readonly<Record<string, unknown>>): GeneratedApplication[] {
  const generators: unknown[] = Array.isArray(spec.generators) ? spec.generators : [];
  const generating = { tree, selectsInside: spec.applyNestedSelectors === true };
  const all = generators.flatMap((generator) => {
    const { metadata, spec: own } = templateOf(spec, generator);
    if (!isRecord(own)) return [];
    const made = patched(own, spec.templatePatch);
    const name = String((isRecord(metadata) ? metadata.name : undefined) ?? "");
    return paramsOf(generating, generator, new Map()).map((params) => ({ name, made, params }));
  });
  return all.slice(0, maxApplications).map(({ name, made, params }) => ({
    name: filled(name, params.values),
    spec: filledAll(made, params.values) as Record<string, unknown>,
    repeated: params.open,
  }));
}

/** A patch of sources is a text that the cluster fills in: only there anybody sees what they say in the end. */
function patched(spec: Record<string, unknown>, patch: unknown): Record<string, unknown> {
  if (typeof patch !== "string" || !/\bsources?\b/.test(patch)) return spec;
  const withPatch = (source: unknown) => (isRecord(source) ? { ...source, templatePatch: patch } : source);
  return {
    ...spec,
    ...(spec.source === undefined ? {} : { source: withPatch(spec.source) }),
    ...(Array.isArray(spec.sources) ? { sources: spec.sources.map(withPatch) } : {}),
  };
}

function paramsOf(generating: Generating, generator: unknown, above: ReadonlyMap<string, string>): Params[] {
  if (!isRecord(generator)) return [];
  const all = everyParams(generating, generator, above);
  return all.filter((params) => isSelected(generator.selector, params));
}

function everyParams(
  generating: Generating,
  generator: Readonly<Record<string, unknown>>,
  above: ReadonlyMap<string, string>,
): Params[] {
  const { tree } = generating;
  const { list, git, matrix, merge } = filledAll(generator, above) as Record<string, unknown>;
  if (isRecord(list)) return listed(list);
  if (isRecord(git)) return Array.isArray(git.directories) ? directories(tree, git) : files(tree, git);
  if (isRecord(matrix)) return product(generating, nestedIn(matrix));
  if (isRecord(merge)) return merged(generating, nestedIn(merge), texts(merge.mergeKeys));
  const known = Object.entries(generator).find(([kind, one]) => kind !== "selector" && isRecord(one))?.[1];
  const values = isRecord(known) && isRecord(known.values) ? flat({ values: known.values }) : new Map<string, string>();
  return Object.keys(generator).length === 0 ? [] : [{ values, open: true }];
}

/** The parameters of a generator inside of another one; which of them an older Argo CD leaves out, nobody knows here. */
function paramsInside(
  generating: Generating,
  generator: unknown,
  above: ReadonlyMap<string, string> = new Map(),
): Params[] {
  if (generating.selectsInside || !isRecord(generator)) return paramsOf(generating, generator, above);
  return everyParams(generating, generator, above).map((params) =>
    isSelected(generator.selector, params) ? params : { ...params, open: true },
  );
}

const nestedIn = (generator: Record<string, unknown>): readonly unknown[] =>
  Array.isArray(generator.generators) ? generator.generators : [];

function listed({ elements, elementsYaml }: Record<string, unknown>): Params[] {
  if (!Array.isArray(elements)) return elementsYaml === undefined ? [] : [{ values: new Map(), open: true }];
  return elements.map((element) => ({ values: flat(element), open: false }));
}

function directories(tree: Tree, git: Record<string, unknown>): Params[] {
  const patterns = (git.directories as unknown[]).filter(isRecord);
  const matching = (excluded: boolean) =>
    patterns.filter((one) => (one.exclude === true) === excluded).map((one) => globbed(String(one.path ?? "")));
  const [wanted, unwanted] = [matching(false), matching(true)];
  const found = [...directoriesOf(tree).keys()].filter(
    (path) => path !== "" && wanted.some((one) => one.test(path)) && !unwanted.some((one) => one.test(path)),
  );
  return found.sort().map((path) => ({ values: new Map([...valuesIn(git), ...pathValues(path)]), open: false }));
}

function files(tree: Tree, git: Record<string, unknown>): Params[] {
  const patterns = (Array.isArray(git.files) ? git.files : []).filter(isRecord);
  const wanted = patterns.map((one) => globbed(String(one.path ?? "")));
  // Argo CD lists links to files like files, and reads what they lead to.
  const found = filesAndLinks(tree).filter((path) => wanted.some((one) => one.test(path)));
  return found.slice(0, maxApplications).flatMap((path) => {
    const text = readText(tree, path);
    const documents = text.ok ? readKubeYaml(text.value) : text;
    const contents = documents.ok ? documents.value.flat() : [];
    const place = [...pathValues(posix.dirname(path)), ["path.filename", posix.basename(path)] as const];
    return contents.map((content) => ({
      values: new Map([...flat(content), ...valuesIn(git), ...place]),
      open: false,
    }));
  });
}

const valuesIn = (git: Record<string, unknown>): ReadonlyMap<string, string> =>
  isRecord(git.values) ? flat({ values: git.values }) : new Map();

function pathValues(path: string): (readonly [string, string])[] {
  const segments = path.split("/");
  const name = segments.at(-1) ?? "";
  return [
    ["path", path],
    ["path.path", path],
    ["path.basename", name],
    ["path.basenameNormalized", name.toLowerCase().replaceAll(/[^a-z0-9.-]/g, "-")],
    ...segments.flatMap((segment, index) => [
      [`path[${index}]`, segment] as const,
      [`index path.segments ${index}`, segment] as const,
    ]),
  ];
}

function product(generating: Generating, generators: readonly unknown[]): Params[] {
  let all: Params[] = [{ values: new Map(), open: false }];
  for (const generator of generators) {
    all = all.slice(0, maxApplications).flatMap((left) =>
      paramsInside(generating, generator, left.values).map((right) => ({
        values: new Map([...left.values, ...right.values]),
        open: left.open || right.open,
      })),
    );
  }
  return all;
}

/** The first generator's parameters, completed by those of the others that agree in the keys. */
function merged(generating: Generating, generators: readonly unknown[], keys: readonly string[]): Params[] {
  const [base, ...others] = generators.map((generator) => paramsInside(generating, generator));
  return (base ?? []).map((params) => {
    const fitting = others
      .flat()
      .filter((other) => keys.every((key) => other.values.get(key) === params.values.get(key)));
    return { values: new Map([params, ...fitting].flatMap((one) => [...one.values])), open: params.open };
  });
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

/** `{a: {b: 1}}` → `a.b` = `1`, as templates name it. */
function flat(value: unknown, prefix = "", into = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(value)) value.forEach((item, index) => flat(item, `${prefix}[${index}]`, into));
  else if (isRecord(value))
    for (const [key, item] of Object.entries(value)) flat(item, prefix === "" ? key : `${prefix}.${key}`, into);
  else if (prefix !== "" && value !== null && value !== undefined) into.set(prefix, String(value as string | number));
  return into;
}

/** Fills in what is known; `{{ .path.basename }}` and `{{path.basename}}` mean the same. */
function filled(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\{\{-?\s*([^{}]*?)\s*-?\}\}/g, (whole, expression: string) => {
    const name = expression.replaceAll(/(^|\s)\./g, "$1");
    return values.get(name) ?? whole;
  });
}

function filledAll(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (values.size === 0) return value;
  if (typeof value === "string") return value.includes("{{") ? filled(value, values) : value;
  if (Array.isArray(value)) return value.map((item) => filledAll(item, values));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filledAll(item, values)]));
}
