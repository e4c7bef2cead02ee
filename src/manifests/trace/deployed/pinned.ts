import type { Deployer } from "../../gitops/gitops.ts";
import { gitRepositories, type Pin, pinnedSource, pinOfFlux } from "../../gitops/own-repository.ts";
import { at, type Node, textAt } from "../../yaml/source.ts";
import { asApplied, type Repository } from "./as-applied.ts";

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

/** The GitRepository that a `sourceRef` means, as the cluster gets it: one for each cluster that changes it. */
export function repositoriesOf(
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
  return near.flatMap(({ node }) => asApplied(repository, { kind: "GitRepository", name, node }, file).nodes);
}

/** How many directories two files are in together. */
function sharedSteps(one: string, other: string): number {
  const [left, right] = [one, other].map((path) => path.split("/").slice(0, -1)) as [string[], string[]];
  const end = left.findIndex((step, n) => step !== right[n]);
  return end < 0 ? left.length : end;
}
