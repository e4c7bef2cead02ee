import type { Tree } from "../../../domain/kubernetes/tree.ts";
import { reaching, type RepositoryIndex } from "../../gitops/gitops.ts";
import { deployersAt } from "../../gitops/readers/by-path.ts";
import { directoriesAbove, type Reader } from "../../repository/reader.ts";
import type { Resource } from "../../repository/resource.ts";
import { at, type MapNode, type Node } from "../../yaml/source.ts";
import { buildPath, emptyBuild } from "../kustomize.ts";
import { transform } from "../transform.ts";
import { decidingReplacements, replace, type Unfollowed } from "./replacements.ts";

export interface Repository {
  readonly tree: Tree;
  readonly index: RepositoryIndex;
  readonly reader: Reader;
}

/** An object of Flux or Argo CD that the repository itself holds. */
interface Held {
  readonly kind: string;
  readonly name: string;
  readonly node: MapNode;
}

/** What becomes of such an object on its way to the cluster. */
interface Applied {
  /** One for each cluster that makes another one of it; the object itself where nothing changes it. */
  readonly nodes: readonly MapNode[];
  /** A replacement on the way that writes into it, which is not followed. */
  readonly replaced?: Node;
}

const appliedByIndex = new WeakMap<RepositoryIndex, Map<string, Applied>>();

/**
 * An object as kustomizations and Flux's own patches leave it. Those that its user passes through count alone. A tree
 * never changes: it is found out once for many questions.
 */
export function asApplied(repository: Repository, held: Held, user: string): Applied {
  const known = appliedByIndex.get(repository.index) ?? new Map<string, Applied>();
  appliedByIndex.set(repository.index, known);
  const key = JSON.stringify([held.node.file.path, held.node.start, user]);
  const applied = known.get(key) ?? built(repository, held, user);
  known.set(key, applied);
  return applied;
}

function built(repository: Repository, held: Held, user: string): Applied {
  const { index } = repository;
  const { path } = held.node.file;
  const above = [...reaching(index, path)];
  const users = reaching(index, user);
  const own = above.filter((directory) => users.has(directory));
  const passed = own.length > 0 ? own : above;
  const isChanging = (directory: string) =>
    index.changes.get(directory) === true || decidingReplacements(repository.reader, directory).length > 0;
  const meant = passed.some(isChanging) ? passed : [];
  const outermost = meant.filter((directory) => ![...reaching(index, directory)].some((one) => meant.includes(one)));
  const made = outermost.flatMap((directory) => builtAt(repository, held, directory));
  const patching = deployersAt(index.deployers, [...above, ...directoriesAbove(path)]).filter(
    ({ kind, node }) => kind === "Kustomization" && node !== held.node && at(node, ["spec", "patches"]) !== undefined,
  );
  const byFlux = patching.flatMap(({ paths, node }) =>
    paths.flatMap((one) => builtAt(repository, held, one, at(node, ["spec"]))),
  );
  const nodes = byFlux.length > 0 ? byFlux : made.length > 0 ? made : [held.node];
  // A replacement of the outermost is followed where it copies whole fields.
  const open = passed.flatMap((directory) =>
    outermost.includes(directory)
      ? knownBuild(repository, directory).open
      : decidingReplacements(repository.reader, directory),
  );
  const replaced = open.find(({ kind }) => kind === undefined || kind === held.kind)?.node;
  return { nodes, ...(replaced ? { replaced } : {}) };
}

interface Build {
  readonly resources: readonly Resource[];
  readonly open: readonly Unfollowed[];
}

const buildsByIndex = new WeakMap<RepositoryIndex, Map<string, Build>>();

function knownBuild(repository: Repository, directory: string, spec?: Node): Build {
  const known = buildsByIndex.get(repository.index) ?? new Map<string, Build>();
  buildsByIndex.set(repository.index, known);
  const key = JSON.stringify([directory, spec?.file.path, spec?.start]);
  const build = known.get(key) ?? builtWith(repository, directory, spec);
  known.set(key, build);
  return build;
}

const builtAt = (repository: Repository, { node }: Held, directory: string, spec?: Node): readonly MapNode[] =>
  knownBuild(repository, directory, spec)
    .resources.filter((one) => one.origin === node || isSame(one.origin, node))
    .map((one) => one.node);

function builtWith({ tree, reader: all }: Repository, directory: string, spec: Node | undefined): Build {
  // Beside such objects stands mostly Flux itself, which is long: no such object and no patch of one is.
  const isShort = (path: string) => (tree.read(path)?.byteLength ?? 0) < longestPatch;
  const reader = { ...all, file: (path: string) => (isShort(path) ? all.file(path) : undefined) };
  const build = emptyBuild({ kind: "", name: "" });
  const resources = buildPath(reader, directory, build);
  if (spec) transform(spec, directory, resources, { reader, traces: build });
  const open = replace(reader, directory, resources);
  return { resources: resources.filter(({ apiVersion }) => /toolkit\.fluxcd\.io|argoproj\.io/.test(apiVersion)), open };
}

const longestPatch = 200_000;

/** Read by another reader an object is another value of the same place. */
const isSame = (one: Node, other: Node): boolean => one.file.path === other.file.path && one.start === other.start;
