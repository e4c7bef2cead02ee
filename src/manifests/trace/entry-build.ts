import type { Entry, WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";
import { type Deployer, deployersOf, indexOf, type RepositoryIndex } from "../gitops/gitops.ts";
import { sourcesOf } from "../gitops/sets/sources.ts";
import { foreignSource, type Pin } from "../gitops/own-repository.ts";
import { chosenDeployer, copyElsewhere, directoryOptions, isCopy } from "./deployed/deployer.ts";
import { applyComponents, type KustomizeTrace, buildArgo, buildPath, emptyBuild } from "./kustomize.ts";
import { insideRepository, type Reader, readerOf } from "../repository/reader.ts";
import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import type { Resource } from "../repository/resource.ts";
import { at, type Node, type ScalarNode, resolved, textAt } from "../yaml/source.ts";
import type { Repository } from "./deployed/as-applied.ts";
import { effectiveDeployer } from "./deployed/effective.ts";
import { pinOf } from "./deployed/pinned.ts";
import type { MadeByCharts } from "./made-by-chart.ts";
import { transform } from "./transform.ts";

export interface FieldQuestion {
  readonly workload: LiveWorkload;
  readonly change: WantedChange;
  readonly entry: Entry;
}

/** Everything that is known when a question is asked: the objects of its entry and who deploys them. */
export interface EntryBuild {
  readonly question: FieldQuestion;
  readonly tree: Tree;
  readonly index: RepositoryIndex;
  readonly reader: Reader;
  readonly path: string;
  /** The entries that deploy this one, when it was reached through them. */
  readonly ancestors: readonly string[];
  /** The Flux or Argo CD object of the entry, when exactly one fits: the repository's, or the cluster's. */
  readonly deployer: Deployer | undefined;
  /** The repository's object of the entry. */
  readonly declared: Deployer | undefined;
  /** Other objects that deploy the same path. */
  readonly rivals: readonly Deployer[];
  /** True for a directory that Argo CD reads file by file. */
  readonly plain: boolean;
  /** Why no rendering of it is a proof of what arrives. */
  readonly unproven?: string;
  readonly build: KustomizeTrace;
  readonly resources: readonly Resource[];
  /** Flux post-build variables written in the deployer. */
  readonly variables: ReadonlyMap<string, ScalarNode>;
}

/** What is known of an entry besides its question. */
interface Known {
  /** The object that deploys it. */
  readonly own?: Deployer | undefined;
  readonly made?: MadeByCharts;
}

/** Reads the entry as its controller would; a refusal when the entry is not there. */
export function entryBuildOf(
  tree: Tree,
  question: FieldQuestion,
  entryPath: string,
  { own, made }: Known = {},
): EntryBuild | Refusal {
  const index = indexOf(tree);
  const reader = readerOf(tree, index.directories);
  const inside = insideRepository("", entryPath.replace(/^\/+/, ""));
  const path = inside === undefined ? undefined : reader.real(inside);
  if (path === undefined || !(reader.exists(path) || reader.isDirectory(path)))
    return missingEntry(index, path, entryPath);
  const all = deployersOf(index, path);
  const chosen = own
    ? { deployer: own, declared: own, rivals: all.filter((one) => one !== own && !isCopy(one, own)) }
    : chosenDeployer(all, question.entry);
  const { declared, rivals } = chosen;
  const repository = { tree, index, reader };
  const { deployer, doubt } = asItIs(repository, chosen, own ? withoutSpec(question.entry) : question.entry);
  const foreign = foreignEntry(index, declared, path);
  if (foreign) return foreign;
  const pin = deployer && pinOf(repository, deployer, path);
  if (pin?.isCertain === true) return pinnedEntry(pin, path);
  const unproven = pin ? mayBePinned(pin) : (doubt ?? (declared && copyElsewhere(index, all, declared)));
  const build = emptyBuild(question.workload, made);
  const plain = directoryOptions(deployer, path);
  const isPlain = plain !== undefined && reader.kustomization(path) === undefined;
  const resources = plain ? buildArgo(reader, path, build, plain) : buildPath(reader, path, build);
  if (deployer) applyDeployer(reader, deployer, path, { build, resources });
  forgetSupposed(build, resources);
  build.resources.push(...resources);
  const variables = deployer ? variablesOf(deployer) : new Map<string, ScalarNode>();
  return {
    question,
    tree,
    index,
    reader,
    path,
    ancestors: [],
    deployer,
    declared,
    rivals,
    plain: isPlain,
    ...(unproven === undefined ? {} : { unproven }),
    build,
    resources,
    variables,
  };
}

/** What the cluster said was said of the asked entry, and not of one that it deploys. */
const withoutSpec = ({ spec: _spec, ...entry }: Entry): Entry => entry;

/** What the cluster holds is the last word already; the repository's object is what others make of it. */
function asItIs(
  repository: Repository,
  { deployer, declared }: Pick<EntryBuild, "deployer" | "declared">,
  entry: Entry,
): { readonly deployer: Deployer | undefined; readonly doubt?: string } {
  return deployer === undefined || deployer !== declared
    ? { deployer }
    : effectiveDeployer(repository, deployer, entry);
}

function foreignEntry(index: RepositoryIndex, declared: Deployer | undefined, path: string): Refusal | undefined {
  const source = declared && foreignSource(index, declared, path);
  if (!source) return undefined;
  const because = `${whereIs(source)} takes ${path || "."} from another repository`;
  return refused("other-source", because, "Make the change in the repository that its source names.");
}

function pinnedEntry({ node, revision }: Pin, path: string): Refusal {
  const because = `${whereIs(node)} takes ${path || "."} at ${revision}, whatever the branch says`;
  return refused("other-source", because, "Let it follow the branch, or change the revision after the change.");
}

/** For people: no refusal, because a branch may be called so, and no proof, because a tag or commit may be. */
export const mayBePinned = ({ node, revision }: Pin): string =>
  `${whereIs(node)} names ${revision}, which may be a tag or a commit that this change does not reach`;

function missingEntry(index: RepositoryIndex, path: string | undefined, entryPath: string): Refusal {
  const [deployer] = path === undefined ? [] : deployersOf(index, path);
  if (deployer) {
    const because = `${deployer.file} deploys ${entryPath}, which is not in this repository`;
    return refused("other-source", because, "Make the change in the repository that its source names.");
  }
  return refused(
    "not-found",
    `${entryPath} is not in the repository`,
    "Name the path that the controller really reads.",
  );
}

/** What a remote base may hold does not matter once the workload is found in the repository itself. */
function forgetSupposed(build: KustomizeTrace, resources: Resource[]): void {
  const { kind, name } = build.wanted;
  if (!resources.some((one) => one.supposed !== true && one.kind === kind && one.names.includes(name))) return;
  const kept = resources.filter((one) => one.supposed !== true);
  resources.splice(0, resources.length, ...kept);
  for (const reached of build.reach.values()) for (const one of reached) if (one.supposed === true) reached.delete(one);
}

/** The builds of the Flux and Argo CD objects that this entry itself deploys, each once. */
export function childBuilds(entryBuild: EntryBuild): EntryBuild[] {
  const entryBuilds: EntryBuild[] = [];
  for (const resource of entryBuild.resources) {
    const own = entryBuild.index.deployers.find(
      (one) =>
        one.kind === resource.kind &&
        one.kind !== "HelmRelease" &&
        one.file === resource.origin.file.path &&
        one.name === resource.names[0],
    );
    if (!own || resource.deletedBy || own === entryBuild.deployer || entryBuild.ancestors.length > 4) continue;
    for (const path of own.paths) {
      if (path === entryBuild.path || entryBuild.ancestors.includes(path)) continue;
      const child = entryBuildOf(entryBuild.tree, entryBuild.question, path, { own });
      if (!("kind" in child)) entryBuilds.push({ ...child, ancestors: [...entryBuild.ancestors, entryBuild.path] });
    }
  }
  return entryBuilds;
}

/** Flux Kustomizations and Argo CD's kustomize options transform what the path builds. */
function applyDeployer(
  reader: Reader,
  deployer: Deployer,
  path: string,
  into: { build: KustomizeTrace; resources: Resource[] },
): void {
  const { build, resources } = into;
  for (const spec of transformsOf(deployer)) {
    applyComponents(reader, path, spec, { build, stack: [path], resources });
    transform(spec, path, resources, { reader, traces: build });
  }
}

/** What a deployer's own object changes of what its path builds. */
export function transformsOf(deployer: Deployer): Node[] {
  const specs =
    deployer.kind === "Kustomization"
      ? [at(deployer.node, ["spec"])]
      : sourcesOf(deployer).map((source) => at(source, ["kustomize"]));
  return specs.filter((spec) => spec !== undefined);
}

function variablesOf(deployer: Deployer): Map<string, ScalarNode> {
  const variables = new Map<string, ScalarNode>();
  const substitute = at(deployer.node, ["spec", "postBuild", "substitute"]);
  if (deployer.kind !== "Kustomization" || substitute?.kind !== "map") return variables;
  for (const [name, entry] of substitute.entries) {
    const value = resolved(entry.value);
    if (value?.kind === "scalar") variables.set(name, value);
  }
  return variables;
}

/** Flux's post-build substitution of `${NAME}`, `${NAME:=default}` and `${NAME:-default}`. */
export function substituted(text: string, entryBuild: Pick<EntryBuild, "variables">): string {
  if (!text.includes("${")) return text;
  return text.replace(/\$\{(\w+)(?::[=-]([^}]*))?\}/g, (whole, name: string, fallback: string | undefined) => {
    return entryBuild.variables.get(name)?.text ?? fallback ?? whole;
  });
}

export const textIn = (
  entryBuild: EntryBuild,
  node: Node | undefined,
  path: readonly (string | number)[],
): string | undefined => {
  const text = textAt(node, path);
  return text === undefined ? undefined : substituted(text, entryBuild);
};
