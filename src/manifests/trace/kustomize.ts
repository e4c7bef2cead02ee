import { isArgoManifest, isPassedOver, type PlainOptions } from "../gitops/plain.ts";
import { isRemoteSource } from "../gitops/readers/references.ts";
import { chartHome, chartPlace, inflationGenerator } from "../gitops/inflated-charts.ts";
import { madeUp } from "./patch.ts";
import { directoryOf, insideRepository, joinPath, isKustomization, type Reader } from "../repository/reader.ts";
import { type Resource, resourcesOf } from "../repository/resource.ts";
import { itemsAt, lineOf, type MapNode, type Node, resolved, textAt } from "../yaml/source.ts";
import { type MadeByCharts, placeOfChart, resourcesMade } from "./made-by-chart.ts";
import { transform } from "./transform.ts";
import { reached, type Traces } from "./traces.ts";

/** A reference that could not be followed, with the line that makes it. */
interface Unfollowed {
  readonly path: string;
  readonly line: number;
  readonly reference: string;
}

/** A ConfigMap or Secret that kustomize makes from files: the files by key. */
interface Generated {
  readonly name: string;
  readonly files: ReadonlyMap<string, string>;
}

/** A chart that kustomize inflates itself. */
export interface InflatedChart {
  readonly spec: Node;
  /** Where the kustomization stands: paths of values go from there. */
  readonly directory: string;
  /** The chart in the repository; undefined when kustomize would fetch it. */
  readonly chart: string | undefined;
}

/** The objects of an entry as the controller would build them, and what the build touched. */
export interface KustomizeTrace extends Traces {
  readonly resources: Resource[];
  readonly directories: Set<string>;
  readonly remotes: Unfollowed[];
  readonly missing: Unfollowed[];
  readonly generated: Generated[];
  readonly charts: InflatedChart[];
  /** The workload asked for: a remote base may hold it, so that local patches of it can be followed. */
  readonly wanted: { readonly kind: string; readonly name: string };
  /** What the charts make, where they were rendered. */
  readonly made?: MadeByCharts;
  /** A directory that includes itself: the path of bases. */
  readonly cycles: Unfollowed[];
}

export function emptyBuild(wanted: KustomizeTrace["wanted"], made?: MadeByCharts): KustomizeTrace {
  return {
    wanted,
    ...(made ? { made } : {}),
    resources: [],
    directories: new Set(),
    remotes: [],
    missing: [],
    generated: [],
    charts: [],
    cycles: [],
    reach: new Map(),
    images: new Map(),
    files: new Set(),
    opaque: [],
  };
}

/** Builds what lies at a path: a file, a directory with a kustomization, or a directory of manifests. */
export function buildPath(
  reader: Reader,
  path: string,
  build: KustomizeTrace,
  stack: readonly string[] = [],
): Resource[] {
  if (reader.exists(path) && !reader.isDirectory(path)) return buildFile(reader, path, build);
  const kustomization = reader.kustomization(path);
  return kustomization === undefined
    ? buildDirectory(reader, path, build, stack)
    : buildKustomization(reader, path, build, stack);
}

/** What Argo CD builds: a kustomization, or the manifests of a plain directory, below it only where it is told so. */
export function buildArgo(reader: Reader, path: string, build: KustomizeTrace, options: PlainOptions): Resource[] {
  const isPlain = reader.isDirectory(path) && reader.kustomization(path) === undefined;
  if (!isPlain || reader.exists(joinPath(path, "Chart.yaml"))) return buildPath(reader, path, build);
  const below = (directory: string): string[] =>
    reader.list(directory).flatMap((name) => {
      const at = joinPath(directory, name);
      if (reader.isLinkedDirectory(at)) return [];
      if (reader.isDirectory(at)) return options.recurse === true ? below(at) : [];
      return isArgoManifest(path === "" ? at : at.slice(path.length + 1), options) ? [at] : [];
    });
  const isTaken = (file: string): boolean => {
    const source = reader.file(file);
    return source?.ok !== true || !isPassedOver(source.file.text);
  };
  return below(path)
    .filter(isTaken)
    .flatMap((file) => buildFile(reader, file, build));
}

function buildFile(reader: Reader, path: string, build: KustomizeTrace): Resource[] {
  build.files.add(path);
  const source = reader.file(path);
  if (!source?.ok) return [];
  const resources = source.file.documents.flatMap((document) => resourcesOf(document.root));
  for (const resource of resources) reached(build, resource.origin, resource);
  return resources;
}

/** A directory without kustomization: every manifest below it, as Flux and `kubectl apply -R` take them; charts are left out. */
function buildDirectory(
  reader: Reader,
  directory: string,
  build: KustomizeTrace,
  stack: readonly string[],
): Resource[] {
  if (reader.exists(joinPath(directory, "Chart.yaml"))) return [];
  return reader.list(directory).flatMap((name) => {
    const path = joinPath(directory, name);
    if (reader.isLinkedDirectory(path)) return [];
    if (reader.isDirectory(path)) {
      return name.startsWith(".") ? [] : buildPath(reader, path, build, stack);
    }
    return /\.(?:ya?ml|json)$/.test(name) && !isKustomization(name) ? buildFile(reader, path, build) : [];
  });
}

function buildKustomization(
  reader: Reader,
  directory: string,
  build: KustomizeTrace,
  stack: readonly string[],
): Resource[] {
  const path = reader.kustomization(directory) ?? "";
  build.files.add(path);
  build.directories.add(directory);
  const source = reader.file(path);
  const spec = source?.ok ? source.file.documents[0]?.root : undefined;
  if (!spec) return [];
  const resources = [...itemsAt(spec, ["resources"]), ...itemsAt(spec, ["bases"])].flatMap((item) =>
    buildReference(reader, directory, item, { build, stack: [...stack, directory] }),
  );
  applyComponents(reader, directory, spec, { build, stack: [...stack, directory], resources });
  resources.push(...generate(reader, spec, directory, build));
  transform(spec, directory, resources, { reader, traces: build });
  for (const resource of resources) resource.through = [...(resource.through ?? []), directory];
  return resources;
}

/** Components see what was built so far and change it. */
export function applyComponents(
  reader: Reader,
  directory: string,
  spec: Node,
  into: { build: KustomizeTrace; stack: readonly string[]; resources: Resource[] },
): void {
  const { build, stack, resources } = into;
  for (const item of itemsAt(spec, ["components"])) {
    const target = followed(reader, directory, item, build);
    if (target === undefined) continue;
    if (stack.includes(target)) {
      build.cycles.push(unfollowed(item, target));
      continue;
    }
    const path = reader.kustomization(target);
    const source = path === undefined ? undefined : reader.file(path);
    const component = source?.ok ? source.file.documents[0]?.root : undefined;
    if (path === undefined || !component) continue;
    build.files.add(path);
    build.directories.add(target);
    const added = [...itemsAt(component, ["resources"]), ...itemsAt(component, ["bases"])].flatMap((one) =>
      buildReference(reader, target, one, { build, stack: [...stack, target] }),
    );
    resources.push(...added);
    applyComponents(reader, target, component, { build, stack: [...stack, target], resources });
    resources.push(...generate(reader, component, target, build));
    transform(component, target, resources, { reader, traces: build });
  }
}

function buildReference(
  reader: Reader,
  directory: string,
  item: Node,
  into: { build: KustomizeTrace; stack: readonly string[] },
): Resource[] {
  const remotes = into.build.remotes.length;
  const target = followed(reader, directory, item, into.build);
  if (target === undefined) return into.build.remotes.length > remotes ? supposed(into.build, item) : [];
  if (into.stack.includes(target) || into.stack.length > 50) {
    into.build.cycles.push(unfollowed(item, target));
    return [];
  }
  return buildPath(reader, target, into.build, into.stack);
}

/** The wanted workload as a remote base may hold it: nothing is known of it but what local patches say. */
function supposed(build: KustomizeTrace, item: Node): Resource[] {
  const { kind, name } = build.wanted;
  const apiVersion = kind === "Rollout" ? "argoproj.io/v1alpha1" : "apps/v1";
  const node = madeUp(item);
  return [
    {
      apiVersion,
      kind,
      origin: node,
      node,
      names: [name],
      namespace: undefined,
      namespaces: [undefined],
      supposed: true,
    },
  ];
}

/** The repository path that a reference means; remote and missing ones are noted. */
function followed(reader: Reader, directory: string, item: Node, build: KustomizeTrace): string | undefined {
  const reference = textAt(item, []);
  if (reference === undefined) return undefined;
  const target = isRemoteSource(reference) ? undefined : insideRepository(directory, reference);
  if (target !== undefined && (reader.exists(target) || reader.isDirectory(target))) return reader.real(target);
  const remote = isRemoteSource(reference) || /^[\w-]+(?:\.[\w-]+)+\/[^/]+\/[^/]+/.test(reference);
  (remote ? build.remotes : build.missing).push(unfollowed(item, reference));
  return undefined;
}

function unfollowed(item: Node, reference: string): Unfollowed {
  const node = resolved(item) ?? item;
  return { path: node.file.path, line: lineOf(node.file.text, Math.max(node.start, 0)), reference };
}

/** Notes what is generated; the objects of charts come where they are known. */
function generate(reader: Reader, spec: Node, directory: string, build: KustomizeTrace): Resource[] {
  for (const key of ["configMapGenerator", "secretGenerator"]) {
    for (const item of itemsAt(spec, [key])) {
      const files = generatedFiles(item, directory);
      for (const path of files.values()) build.files.add(path);
      build.generated.push({ name: textAt(item, ["name"]) ?? "", files });
    }
  }
  const charts = itemsAt(spec, ["helmCharts"]).map((item) => [item, chartHome(spec)] as const);
  for (const item of itemsAt(spec, ["generators"])) {
    const generators = generatorsAt(reader, directory, item);
    if (generators.length === 0) build.missing.push(unfollowed(item, textAt(item, []) ?? "a generator"));
    charts.push(...generators.map((one) => [one, undefined] as const));
  }
  for (const [one, home] of charts) {
    const place = insideRepository(directory, chartPlace(one, home));
    const isHere = place !== undefined && reader.exists(joinPath(place, "Chart.yaml"));
    build.charts.push({ spec: one, directory, chart: isHere ? reader.real(place) : undefined });
  }
  return charts.flatMap(([one]) => resourcesMade(build.made?.get(placeOfChart(one)) ?? []));
}

/** The charts that a generator inflates, in the text itself or in a file beside the kustomization; nothing else is known. */
function generatorsAt(reader: Reader, directory: string, item: Node): Node[] {
  const node = resolved(item);
  const written = textAt(item, []) ?? "";
  const path = written.includes("\n") ? undefined : insideRepository(directory, written);
  const isBeside = path !== undefined && directoryOf(reader.real(path)) === directory;
  const source = isBeside ? reader.file(path) : undefined;
  const inline = written.includes("\n") && node?.kind === "scalar" ? reader.embedded(node) : undefined;
  const roots = inline ?? (source?.ok ? source.file.documents.map((document) => document.root) : []);
  return roots.every((root) => textAt(root, ["kind"]) === inflationGenerator) ? [...roots] : [];
}

/** `key=path` or a path whose last part is the key. */
function generatedFiles(item: Node, directory: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const entry of itemsAt(item, ["files"])) {
    const text = textAt(entry, []) ?? "";
    const [name, relative] = text.includes("=") ? text.split("=", 2) : [text.split("/").at(-1), text];
    const path = insideRepository(directory, relative ?? "");
    if (path !== undefined && name !== undefined) files.set(name, path);
  }
  return files;
}

export const kustomizationOf = (reader: Reader, directory: string): MapNode | undefined => {
  const path = reader.kustomization(directory);
  const source = path === undefined ? undefined : reader.file(path);
  const root = source?.ok ? resolved(source.file.documents[0]?.root) : undefined;
  return root?.kind === "map" ? root : undefined;
};
