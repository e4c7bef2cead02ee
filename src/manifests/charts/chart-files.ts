import { type ChartFiles, type ChartFound, type ChartTools, isRecord } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";
import { parseYamlDocuments } from "../yaml/yaml.ts";
import { maxFileBytes } from "../gitops/kustomization.ts";
import { filesBelow } from "../gitops/links.ts";
import { insideRepository } from "../repository/reader.ts";

const maxTotalBytes = 30_000_000;
const maxDepth = 5;

/** A chart that stands in the repository, with every dependency at hand below `charts/`. */
export async function chartInTree(tree: Tree, directory: string, tools: ChartTools, depth = 0): Promise<ChartFound> {
  if (depth > maxDepth) return missing(`${directory} includes itself`);
  const prefix = directory === "" ? "" : `${directory}/`;
  const files = new Map<string, Uint8Array>();
  let total = 0;
  const below = filesBelow(tree, directory);
  if (below.broken !== undefined) return missing(below.broken.because);
  for (const path of below.paths) {
    const bytes = tree.read(path);
    if (bytes === undefined || bytes.byteLength > maxFileBytes) continue;
    total += bytes.byteLength;
    if (total > maxTotalBytes) return missing(`${directory} holds more than a chart may`);
    files.set(path.slice(prefix.length), bytes);
  }
  if (!files.has("Chart.yaml")) return missing(`${directory} holds no Chart.yaml`);
  const inTree = (reference: string): Promise<ChartFound> => {
    const target = insideRepository(directory, reference);
    if (target === undefined) return Promise.resolve(missing(`${reference} leads out of the repository`));
    return chartInTree(tree, target, tools, depth + 1);
  };
  return withDependencies(files, tools, inTree);
}

/** The same for a chart from outside, which has no neighbours. */
export async function withDependencies(
  files: ChartFiles,
  tools: ChartTools,
  inTree: (reference: string) => Promise<ChartFound> = async (reference) => missing(`${reference} is not packed`),
): Promise<ChartFound> {
  const vendored = vendoredIn(files, tools);
  const all = new Map(files);
  for (const dependency of dependenciesOf(files)) {
    if (vendored.some((one) => one.name === dependency.name)) continue;
    const found = await dependencyFiles(dependency, tools, inTree);
    if (!found.ok) return missing(`the dependency ${dependency.name}: ${found.because}`);
    for (const [path, bytes] of found.files) all.set(`charts/${dependency.name}/${path}`, bytes);
  }
  return { ok: true, files: all };
}

async function dependencyFiles(
  { name, version, repository }: Dependency,
  tools: ChartTools,
  inTree: (reference: string) => Promise<ChartFound>,
): Promise<ChartFound> {
  if (repository.startsWith("file://")) return inTree(repository.slice("file://".length));
  if (!/^(?:https?|oci):\/\//.test(repository)) return missing(`${repository || "nothing"} is no place to get it from`);
  if (!isPinned(version)) return missing(`${version} is no exact version`);
  const url = repository.startsWith("oci://") ? `${repository.replace(/\/$/, "")}/${name}` : repository;
  const found = await tools.fetch({ url, name, version });
  return found.ok ? withDependencies(found.files, tools) : found;
}

function missing(because: string): { readonly ok: false; readonly because: string } {
  return { ok: false, because };
}

/** `1.2.3` says which chart is meant; `1.2.x`, `^1.2` and `*` say it only today. */
export function isPinned(version: string): boolean {
  return /^v?\d+\.\d+\.\d+(?:[-+][\w.+-]+)?$/.test(version);
}

interface Dependency {
  readonly name: string;
  readonly alias: string | undefined;
  readonly version: string;
  /** The version or range as the chart itself names it. */
  readonly written: string;
  readonly repository: string;
}

/** The dependencies of a chart, at the versions that its lock file names. */
export function dependenciesOf(files: ChartFiles): Dependency[] {
  const locked = new Map(
    [...listed(files, "Chart.lock"), ...listed(files, "requirements.lock")].map((one) => [one.name, one.version]),
  );
  return [...listed(files, "Chart.yaml"), ...listed(files, "requirements.yaml")].map((one) => ({
    ...one,
    version: isPinned(one.version) ? one.version : (locked.get(one.name) ?? one.version),
  }));
}

function listed(files: ChartFiles, path: string): Dependency[] {
  const value = yamlOf(files, path);
  const items = isRecord(value) && Array.isArray(value.dependencies) ? value.dependencies : [];
  return items.filter(isRecord).flatMap(({ name, alias, version, repository }) =>
    typeof name === "string"
      ? [
          {
            name,
            alias: typeof alias === "string" ? alias : undefined,
            version: typeof version === "string" ? version : "",
            written: typeof version === "string" ? version : "",
            repository: typeof repository === "string" ? repository : "",
          },
        ]
      : [],
  );
}

/**
 * The first document of a file as a plain value; undefined when there is none. What readers of YAML read differently (a
 * date, a number of twenty digits) is read as most do: an experiment only looks for keys here, and rendering decides.
 */
export function yamlOf(files: ChartFiles, path: string): unknown {
  const bytes = files.get(path);
  if (bytes === undefined) return undefined;
  const known = readFiles.get(bytes) ?? { value: firstDocument(new TextDecoder().decode(bytes)) };
  readFiles.set(bytes, known);
  return known.value;
}

// Every question about a chart reads the same bytes.
const readFiles = new WeakMap<Uint8Array, { readonly value: unknown }>();

function firstDocument(text: string): unknown {
  const strict = readKubeYaml(text);
  const documents = strict.ok ? strict : parseYamlDocuments(text);
  return documents.ok ? documents.value[0] : undefined;
}

/** The keys below which a chart reads the values of a packed one: Helm takes one of another version under its own name. */
export function keysOf({ name, version }: Vendored, dependencies: readonly Dependency[]): readonly string[] {
  const bare = (text: string) => text.replace(/^v|\+.*$/g, "");
  const isOne = ({ written }: Dependency) => !isPinned(written) || bare(written) === bare(version);
  const aliases = dependencies.filter((one) => one.name === name && isOne(one)).map((one) => one.alias ?? one.name);
  return aliases.length > 0 ? aliases : [name];
}

interface Vendored {
  readonly name: string;
  readonly version: string;
  /** Where it stands below the chart; undefined when it is packed. */
  readonly directory: string | undefined;
  readonly files: ChartFiles;
}

/** The charts below `charts/`, packed or not. */
export function vendoredIn(files: ChartFiles, tools: Pick<ChartTools, "unpack">): Vendored[] {
  const found: Vendored[] = [];
  for (const [path, bytes] of files) {
    const [, directory] = /^(charts\/[^/]+)\/Chart\.yaml$/.exec(path) ?? [];
    const packed = /^charts\/[^/]+\.tgz$/.test(path) ? tools.unpack(bytes) : undefined;
    const own = directory === undefined ? packed : below(files, directory);
    const chart = own && yamlOf(own, "Chart.yaml");
    if (own && isRecord(chart) && typeof chart.name === "string")
      found.push({ name: chart.name, version: String(chart.version), directory, files: own });
  }
  return found;
}

function below(files: ChartFiles, directory: string): ChartFiles {
  const prefix = `${directory}/`;
  return new Map(
    [...files].flatMap(([path, bytes]) => (path.startsWith(prefix) ? [[path.slice(prefix.length), bytes]] : [])),
  );
}
