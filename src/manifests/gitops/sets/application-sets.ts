import { posix } from "node:path";
import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../../domain/kubernetes/tree.ts";
import { globbed } from "./glob.ts";
import { type Filled, filledIn } from "./go-template/fill.ts";
import { readKubeYaml } from "../../yaml/kube-yaml.ts";
import { directoriesOf } from "../../repository/reader.ts";
import { readText } from "../kustomization.ts";
import { filesAndLinks } from "../links.ts";
import { type Dialect, dialectOf, filledAll, flat, merged, ofElement, ofPlace, type Params } from "./parameters.ts";
import { isSelected } from "./selector.ts";
import { withPatch } from "./template-patch.ts";
import { templateOf } from "./templates.ts";

/** An Application that an ApplicationSet makes, as far as the repository can tell. */
interface GeneratedApplication {
  /** May still hold what only the cluster knows: `web-{{name}}`. */
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
  /** True when the cluster may make several of this one: one for each cluster, say. */
  readonly repeated: boolean;
  /** True when a patch of the set says some of it. */
  readonly isPatched: boolean;
  /** Why the patch of the set is not filled in here. */
  readonly unpatched?: string;
}

/** More than any real set makes of one repository. */
const maxApplications = 2_000;

/** A repository, and what a set says of all its generators. */
interface Generating {
  readonly tree: Tree;
  readonly dialect: Dialect;
  /** False where an older Argo CD passes the selectors of generators inside of others over. */
  readonly selectsInside: boolean;
}

/** The Applications of a set: lists, Git directories and files are followed, all else stays open. */
export function generatedApplications(tree: Tree, spec: Readonly<Record<string, unknown>>): GeneratedApplication[] {
  const generators: unknown[] = Array.isArray(spec.generators) ? spec.generators : [];
  const dialect = dialectOf(spec);
  const generating = { tree, dialect, selectsInside: spec.applyNestedSelectors === true };
  const all = generators.flatMap((generator) => {
    const template = templateOf(spec, generator);
    if (!isRecord(template.spec)) return [];
    return paramsOf(generating, generator, nobody).map((params) => ({ template, params }));
  });
  return all.slice(0, maxApplications).map(({ template, params }) => {
    const made = filledAll(dialect, template, params) as Record<string, unknown>;
    const patched = patchedBy(spec.templatePatch, made, dialect.isGo ? { ...dialect, data: params.data } : undefined);
    return { ...patched, name: String(patched.metadata.name ?? ""), repeated: params.open };
  });
}

/** An Application with the patch of its set; what nobody can tell of that is left to the cluster. */
function patchedBy(
  patch: unknown,
  { metadata, spec }: Readonly<Record<string, unknown>>,
  go: (Pick<Params, "data"> & { readonly isStrict: boolean }) | undefined,
) {
  const made = { metadata: isRecord(metadata) ? metadata : {}, spec: isRecord(spec) ? spec : {} };
  if (typeof patch !== "string") return { ...made, isPatched: false };
  const { data, isStrict = false } = go ?? {};
  const because = go ? "the cluster alone knows its values" : "it is read only where goTemplate is true";
  const filled: Filled = data ? filledIn(patch, { data, isStrict }) : { text: undefined, because };
  const patched = filled.text === undefined ? undefined : withPatch(made, filled.text);
  if (patched) return { ...patched, isPatched: true };
  const unpatched = filled.text === undefined ? filled.because : "Argo CD merges it in a way of its own, or refuses it";
  return { ...made, spec: marked(made.spec, patch), isPatched: false, unpatched };
}

/** A patch of sources that only the cluster can fill in: only there anybody sees what they say in the end. */
function marked(spec: Record<string, unknown>, patch: string): Record<string, unknown> {
  if (!/\bsources?\b/.test(patch)) return spec;
  const withPatch = (source: unknown) => (isRecord(source) ? { ...source, templatePatch: patch } : source);
  return {
    ...spec,
    ...(spec.source === undefined ? {} : { source: withPatch(spec.source) }),
    ...(Array.isArray(spec.sources) ? { sources: spec.sources.map(withPatch) } : {}),
  };
}

function paramsOf(generating: Generating, generator: unknown, above: Params): Params[] {
  if (!isRecord(generator)) return [];
  const all = everyParams(generating, generator, above);
  return all.filter((params) => isSelected(generator.selector, params));
}

function everyParams(generating: Generating, generator: Readonly<Record<string, unknown>>, above: Params): Params[] {
  const { list, git, matrix, merge } = filledAll(generating.dialect, generator, above) as Record<string, unknown>;
  if (isRecord(list)) return listed(generating, list);
  if (isRecord(git)) return Array.isArray(git.directories) ? directories(generating, git) : files(generating, git);
  if (isRecord(matrix)) return product(generating, nestedIn(matrix));
  if (isRecord(merge)) return completed(generating, nestedIn(merge), texts(merge.mergeKeys));
  const known = Object.entries(generator).find(([kind, one]) => kind !== "selector" && isRecord(one))?.[1];
  const values = isRecord(known) && isRecord(known.values) ? flat({ values: known.values }) : new Map<string, string>();
  return Object.keys(generator).length === 0 ? [] : [{ values, open: true }];
}

/** The parameters of a generator inside of another one; which of them an older Argo CD leaves out, nobody knows here. */
function paramsInside(generating: Generating, generator: unknown, above: Params = nobody): Params[] {
  if (generating.selectsInside || !isRecord(generator)) return paramsOf(generating, generator, above);
  return everyParams(generating, generator, above).map((params) =>
    isSelected(generator.selector, params) ? params : { ...params, open: true },
  );
}

const nestedIn = (generator: Record<string, unknown>): readonly unknown[] =>
  Array.isArray(generator.generators) ? generator.generators : [];

function listed({ dialect }: Generating, { elements, elementsYaml }: Record<string, unknown>): Params[] {
  if (!Array.isArray(elements)) return elementsYaml === undefined ? [] : [{ values: new Map(), open: true }];
  return elements.map((element) => ofElement(dialect, element));
}

function directories({ tree, dialect }: Generating, git: Record<string, unknown>): Params[] {
  const wanted = wantedBy(git.directories);
  const found = [...directoriesOf(tree).keys()].filter((path) => path !== "" && wanted(path));
  return found.sort().map((path) => ofPlace(dialect, git, { path }));
}

/** Whether the patterns of a generator take a path: one that is excluded stays so. */
function wantedBy(patterns: unknown): (path: string) => boolean {
  const all = (Array.isArray(patterns) ? (patterns as unknown[]) : []).filter(isRecord);
  const matching = (excluded: boolean) =>
    all.filter((one) => (one.exclude === true) === excluded).map((one) => globbed(String(one.path ?? "")));
  const [wanted, unwanted] = [matching(false), matching(true)];
  return (path) => wanted.some((one) => one.test(path)) && !unwanted.some((one) => one.test(path));
}

function files({ tree, dialect }: Generating, git: Record<string, unknown>): Params[] {
  // Argo CD lists links to files like files, and reads what they lead to.
  const found = filesAndLinks(tree).filter(wantedBy(git.files)).sort();
  return found.slice(0, maxApplications).flatMap((file) => {
    const text = readText(tree, file);
    const documents = text.ok ? readKubeYaml(text.value) : text;
    // Of several documents Argo CD reads the first one.
    const contents: unknown[] = documents.ok ? [documents.value[0] ?? {}].flat() : [];
    const place = { path: posix.dirname(file), filename: posix.basename(file) };
    return contents.map((content) => ofPlace(dialect, git, { ...place, content }));
  });
}

function product(generating: Generating, generators: readonly unknown[]): Params[] {
  const { dialect } = generating;
  let all: Params[] | undefined;
  for (const generator of generators) {
    all = all
      ? all.slice(0, maxApplications).flatMap((left) =>
          paramsInside(generating, generator, left).map((right) =>
            // Of Go's parameters those of the first generator win.
            dialect.isGo ? merged(dialect, right, left) : merged(dialect, left, right),
          ),
        )
      : paramsInside(generating, generator);
  }
  return all ?? [];
}

/** The first generator's parameters, completed by those of the others that agree in the keys. */
function completed(generating: Generating, generators: readonly unknown[], keys: readonly string[]): Params[] {
  const { dialect } = generating;
  const [base, ...others] = generators.map((generator) => paramsInside(generating, generator));
  return (base ?? []).map((params) => {
    const fitting = others
      .flat()
      .filter((other) => keys.every((key) => other.values.get(key) === params.values.get(key)));
    const { values, data, open } = fitting.reduce((below, above) => merged(dialect, below, above), params);
    // Argo CD compares keys at the top only.
    const isExact = data !== undefined && keys.every((key) => !key.includes("."));
    return { values, open, ...(isExact ? { data } : {}) };
  });
}

const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : []);

const nobody: Params = { values: new Map(), open: false };
