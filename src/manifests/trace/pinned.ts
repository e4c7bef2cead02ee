import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type Deployer, reaching, type RepositoryIndex } from "../gitops/gitops.ts";
import { gitRepositories, type Pin, pinnedSource, pinOfFlux } from "../gitops/own-repository.ts";
import { directoryOf, type Reader } from "../repository/reader.ts";
import { at, type MapNode, type Node, textAt } from "../yaml/source.ts";
import { buildPath, emptyBuild } from "./kustomize.ts";
import { transform } from "./transform.ts";

interface Repository {
  readonly tree: Tree;
  readonly index: RepositoryIndex;
  readonly reader: Reader;
}

/** Where a deployer pins what it reads at a path to a tag, a range of versions or a commit. */
export function pinOf(repository: Repository, deployer: Deployer, path: string): Pin | undefined {
  if (deployer.kind !== "Kustomization") return pinnedSource(repository.index, deployer, path);
  const source = at(deployer.node, ["spec", "sourceRef"]);
  return source && pinOfReference(repository, source, { home: deployer.namespace, file: deployer.file });
}

/**
 * The same for what a Flux object takes through a `sourceRef`: by its GitRepository as kustomizations and Flux leave it.
 * Where several are meant and not all are pinned, nobody here can tell.
 */
export function pinOfReference(
  repository: Repository,
  reference: Node,
  user: { readonly home: string | undefined; readonly file: string },
): Pin | undefined {
  const repositories = repositoriesOf(repository, reference, user);
  const pins = repositories.map(pinOfFlux);
  const first = pins.find((pin) => pin !== undefined);
  return first && { ...first, isCertain: pins.every((pin) => pin !== undefined) };
}

/** The branch that a Flux object follows through a `sourceRef`, where the repository says it. */
export function branchOf(
  repository: Repository,
  reference: Node | undefined,
  user: { readonly home: string | undefined; readonly file: string },
): Node | undefined {
  const repositories = reference ? repositoriesOf(repository, reference, user) : [];
  const branches = repositories.map((one) => at(one, ["spec", "ref", "branch"]));
  const texts = new Set(branches.map((node) => textAt(node, [])));
  return texts.size === 1 && ![...texts][0]?.includes("$") ? branches[0] : undefined;
}

function repositoriesOf(
  repository: Repository,
  reference: Node,
  { home, file }: { readonly home: string | undefined; readonly file: string },
): readonly Node[] {
  const name = textAt(reference, ["name"]);
  const kind = textAt(reference, ["kind"]);
  if (name === undefined || (kind !== undefined && kind !== "GitRepository")) return [];
  const found = gitRepositories(repository.index, name, textAt(reference, ["namespace"]) ?? home);
  const common = found.map((one) => sharedSteps(one.node.file.path, file));
  const near = found.filter((_, n) => common[n] === Math.max(...common));
  return near.flatMap(({ node }) => knownBuilt(repository, { name, node }, file));
}

const builtByIndex = new WeakMap<RepositoryIndex, Map<string, readonly Node[]>>();

/** A tree never changes: what becomes of a source is found out once for many questions. */
function knownBuilt(repository: Repository, source: Source, user: string): readonly Node[] {
  const known = builtByIndex.get(repository.index) ?? new Map<string, readonly Node[]>();
  builtByIndex.set(repository.index, known);
  const key = JSON.stringify([source.node.file.path, source.node.start, user]);
  const nodes = known.get(key) ?? built(repository, source, user);
  known.set(key, nodes);
  return nodes;
}

/** How many directories two files are in together. */
function sharedSteps(one: string, other: string): number {
  const [left, right] = [one, other].map((path) => path.split("/").slice(0, -1)) as [string[], string[]];
  const end = left.findIndex((step, n) => step !== right[n]);
  return end < 0 ? left.length : end;
}

interface Source {
  readonly name: string;
  readonly node: MapNode;
}

/** What kustomizations and Flux itself make of a source; those that the user of it passes through count alone. */
function built(repository: Repository, source: Source, user: string): readonly Node[] {
  const { index } = repository;
  const above = [...reaching(index, source.node.file.path)];
  const users = reaching(index, user);
  const own = above.filter((directory) => users.has(directory));
  const passed = own.length > 0 ? own : above;
  const meant = passed.some((directory) => index.changes.get(directory) === true) ? passed : [];
  const outermost = meant.filter((directory) => ![...reaching(index, directory)].some((one) => meant.includes(one)));
  const made = outermost.flatMap((directory) => builtAt(repository, source, directory));
  const patching = index.deployers.filter(
    ({ kind, node, paths }) =>
      kind === "Kustomization" &&
      at(node, ["spec", "patches"]) !== undefined &&
      paths.some((path) => above.includes(path) || isBelow(source.node.file.path, path)),
  );
  const byFlux = patching.flatMap(({ paths, node }) =>
    paths.flatMap((path) => builtAt(repository, source, path, at(node, ["spec"]))),
  );
  if (byFlux.length > 0) return byFlux;
  return made.length > 0 ? made : [source.node];
}

const isBelow = (file: string, directory: string): boolean =>
  directory === "" || directoryOf(file) === directory || file.startsWith(`${directory}/`);

function builtAt(repository: Repository, { name, node }: Source, directory: string, spec?: Node): readonly Node[] {
  const { tree, reader: all } = repository;
  // Beside a source stands mostly Flux itself, which is long: no source and no patch of one is.
  const isShort = (path: string) => (tree.read(path)?.byteLength ?? 0) < longestPatch;
  const reader = { ...all, file: (path: string) => (isShort(path) ? all.file(path) : undefined) };
  const build = emptyBuild({ kind: "GitRepository", name });
  const resources = buildPath(reader, directory, build);
  if (spec) transform(spec, directory, resources, { reader, traces: build });
  return resources.filter((one) => one.origin === node || isSame(one.origin, node)).map((one) => one.node);
}

const longestPatch = 200_000;

/** Read by another reader an object is another value of the same place. */
const isSame = (one: Node, other: Node): boolean => one.file.path === other.file.path && one.start === other.start;
