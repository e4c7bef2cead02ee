import { type GitSource, gitSource, isSameSource, type Pin, sourceOf } from "../gitops/own-repository.ts";
import { insideRepository } from "../repository/reader.ts";
import { whereIs } from "../repository/refusal.ts";
import { nameOf, type Resource } from "../repository/resource.ts";
import { type EntryBuild, textIn } from "../trace/entry-build.ts";
import { branchOf, pinOfReference } from "../trace/deployed/pinned.ts";
import { at, type Node, textAt } from "../yaml/source.ts";

/** What says which chart a HelmRelease of Flux takes. */
export interface ChartSpec {
  readonly node: Node;
  /** Where names without a namespace are looked for. */
  readonly home: string | undefined;
  readonly file: string;
  /** True for a HelmChart that others may take as well. */
  readonly isReferred?: true;
}

/** The chart that a HelmRelease writes down itself, or the HelmChart of the same entry that it refers to. */
export function chartSpecOf(entryBuild: EntryBuild, { node, namespace, origin }: Resource): ChartSpec | undefined {
  const own = at(node, ["spec", "chart", "spec"]);
  if (own) return { node: own, home: namespace, file: origin.file.path };
  const reference = at(node, ["spec", "chartRef"]);
  if (textAt(reference, ["kind"]) !== "HelmChart") return undefined;
  const [name, home] = [
    textIn(entryBuild, reference, ["name"]),
    textIn(entryBuild, reference, ["namespace"]) ?? namespace,
  ];
  const isMeant = (one: Resource) =>
    one.kind === "HelmChart" &&
    one.apiVersion.startsWith("source.toolkit.fluxcd.io/") &&
    nameOf(one) === name &&
    (one.namespace === undefined || home === undefined || one.namespace === home);
  const [found, ...others] = entryBuild.resources.filter(isMeant);
  const spec = found && !found.deletedBy && others.length === 0 ? at(found.node, ["spec"]) : undefined;
  return spec && found && { node: spec, home: found.namespace ?? home, file: found.origin.file.path, isReferred: true };
}

/** The directory of a chart that stands in this repository. */
export function chartHere(entryBuild: EntryBuild, from: ChartSpec | undefined): string | undefined {
  const written = textIn(entryBuild, from?.node, ["chart"]);
  const isGit = textAt(from?.node, ["sourceRef", "kind"]) !== "HelmRepository";
  if (written === undefined || !isGit) return undefined;
  const isPlace = written.startsWith(".") || (written.includes("/") && entryBuild.reader.isDirectory(written));
  return isPlace ? insideRepository("", written) : undefined;
}

/** The source of a HelmRelease's chart where that is not the repository that the entry itself comes from. */
export function otherRepository(entryBuild: EntryBuild, chart: ChartSpec | undefined): Node | undefined {
  const source = at(chart?.node, ["sourceRef"]);
  const kind = textAt(source, ["kind"]);
  if (!source || kind === "HelmRepository") return undefined;
  // A bucket holds what somebody packed, under paths of its own.
  if (kind !== "GitRepository") return source;
  const found = gitSource(entryBuild.index, source, chart?.home);
  return found && !isSameSource(ownSource(entryBuild) ?? { name: "flux-system" }, found) ? source : undefined;
}

/**
 * What keeps the chart of a HelmRelease from following the branch that the entry follows: a tag or commit of its source,
 * or another branch.
 */
export function pinnedChart(entryBuild: EntryBuild, chart: ChartSpec | undefined): Pin | undefined {
  const source = at(chart?.node, ["sourceRef"]);
  if (!chart || !source || textAt(source, ["kind"]) !== "GitRepository") return undefined;
  const user = { home: chart.home, file: chart.file };
  const pin = pinOfReference(entryBuild, source, user);
  if (pin) return pin;
  const { deployer } = entryBuild;
  const reference = deployer?.kind === "Kustomization" ? at(deployer.node, ["spec", "sourceRef"]) : undefined;
  const own = reference && branchOf(entryBuild, reference, { home: deployer?.namespace, file: deployer?.file ?? "" });
  const other = own && branchOf(entryBuild, source, user);
  const revision = textAt(other, []);
  if (!other || revision === undefined || revision === textAt(own, [])) return undefined;
  return { node: other, revision: `the branch ${revision}`, isCertain: true };
}

interface Taken {
  readonly chart: string;
  readonly elsewhere?: Node;
  readonly pin?: Pin;
}

/** Why the repository does not say what a chart is like, for people. */
export function takenFrom({ elsewhere, pin, chart }: Taken): string | undefined {
  if (pin?.isCertain === true)
    return `${whereIs(pin.node)} takes the chart ${chart} at ${pin.revision}, whatever the branch says`;
  return elsewhere && `${whereIs(elsewhere)} takes the chart ${chart} from another repository`;
}

/** True for an Argo CD source that is another repository than the one that the entry itself comes from. */
export function isForeign(entryBuild: EntryBuild, source: Node): boolean {
  const [own, found] = [ownSource(entryBuild), gitSource(entryBuild.index, source, undefined)];
  return own !== undefined && found !== undefined && !isSameSource(own, found);
}

/** True for an Argo CD source that is certainly what the entry comes from: its repository, as another source has it. */
export function isSurelyOwn(entryBuild: EntryBuild, source: Node, beside: Node): boolean {
  const [own, found] = [ownSource(entryBuild), gitSource(entryBuild.index, source, undefined)];
  return own?.address !== undefined && own.address === found?.address && revisionOf(source) === revisionOf(beside);
}

/** True where two sources name two branches: only one of them can be the branch that is served. */
export function isAtAnother(source: Node, beside: Node): boolean {
  const named = [source, beside].map(revisionOf);
  return (
    !named.includes("HEAD") && named[0] !== named[1] && textAt(source, ["repoURL"]) === textAt(beside, ["repoURL"])
  );
}

const revisionOf = (source: Node): string => textAt(source, ["targetRevision"]) || "HEAD";

const ownSource = ({ index, deployer, path }: EntryBuild): GitSource | undefined =>
  deployer && sourceOf(index, deployer, path);
