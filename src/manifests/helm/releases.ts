import { sourcesOfSpec, specsOf, unseenIn } from "../gitops/sets/sources.ts";
import { pinOfArgo, type Pin } from "../gitops/own-repository.ts";
import {
  type ChartSpec,
  chartHere,
  chartSpecOf,
  isAtAnother,
  isForeign,
  isSurelyOwn,
  otherRepository,
  pinnedChart,
} from "./foreign-chart.ts";
import { fileLayer, pile, pileFile, pileOwn, type Stack, type ValuesLayer, valuesFrom } from "./layers.ts";
import { mergeValues, madeUp } from "../trace/patch.ts";
import { insideRepository, joinPath } from "../repository/reader.ts";
import { nameOf, type Resource } from "../repository/resource.ts";
import { type EntryBuild, substituted, textIn } from "../trace/entry-build.ts";
import type { InflatedChart } from "../trace/kustomize.ts";
import { at, itemsAt, type MapNode, type Node, resolved, textAt } from "../yaml/source.ts";

/** A chart with its values, weakest layer first. */
export interface Release {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly chart: string;
  /** The chart's directory when it is in this repository. */
  readonly directory: string | undefined;
  readonly layers: readonly ValuesLayer[];
  readonly merged: MapNode;
  /** The object or file that says all this. */
  readonly origin: Node;
  readonly resource: Resource | undefined;
  /** Values from somewhere this repository does not show; the last layer wins over them. */
  readonly unseen: readonly Node[];
  /** Argo CD parameters: they win over every layer. */
  readonly parameters: readonly Node[];
  /** True for a chart that kustomize inflates, whose objects it may change after that. */
  readonly inflated?: true;
  /** The reference to another Git repository that holds the chart. */
  readonly elsewhere?: Node;
  /** What holds the chart at another revision than the branch that is served; in doubt it may be that branch. */
  readonly pin?: Pin;
  /** What keeps changes of the chart's own files from the cluster: Flux packs them again with another version only. */
  readonly packed?: Node;
  /** What says which chart Flux takes. */
  readonly from?: ChartSpec;
  /** Says that other value files may win over every layer. */
  readonly uncertain?: Node;
  /** Files of values that the release would read, weakest first, and that are not there or say nothing. */
  readonly open: readonly string[];
}

/** Every Helm release that the entry makes. */
export function releasesOf(entryBuild: EntryBuild): Release[] {
  const found: Release[] = [];
  for (const resource of entryBuild.resources) {
    if (resource.deletedBy) continue;
    if (resource.kind === "HelmRelease" && /^helm\.(?:toolkit\.fluxcd|cattle)\.io\//.test(resource.apiVersion))
      found.push(fluxRelease(entryBuild, resource));
    if (resource.kind === "Application" && resource.apiVersion.startsWith("argoproj.io/"))
      found.push(...argoReleases(entryBuild, resource));
  }
  for (const chart of entryBuild.build.charts) found.push(inflatedRelease(entryBuild, chart));
  const own = chartRelease(entryBuild);
  return own ? [...found, own] : found;
}

function fluxRelease(entryBuild: EntryBuild, resource: Resource): Release {
  const { node } = resource;
  const name = substituted(nameOf(resource), entryBuild);
  const target = textIn(entryBuild, node, ["spec", "targetNamespace"]);
  const from = chartSpecOf(entryBuild, resource);
  const written = textIn(entryBuild, from?.node, ["chart"]);
  const pin = pinnedChart(entryBuild, from);
  const elsewhere = otherRepository(entryBuild, from) ?? (pin?.isCertain === true ? pin.node : undefined);
  const local = elsewhere ? undefined : chartHere(entryBuild, from);
  const stack = fluxValues(entryBuild, resource, { from, local });
  const chart = (written ?? chartByReference(entryBuild, node) ?? "").split("/").at(-1) ?? "";
  return release({
    name: textIn(entryBuild, node, ["spec", "releaseName"]) ?? (target === undefined ? name : `${target}-${name}`),
    namespace: target ?? resource.namespace,
    chart,
    directory: local,
    ...(elsewhere ? { elsewhere } : {}),
    ...(pin ? { pin } : {}),
    ...packedBy(from, local),
    ...(from ? { from } : {}),
    ...stack,
    origin: resource.origin,
    resource,
    parameters: [],
  });
}

/**
 * By default Flux packs a chart of Git or of a bucket anew when its `Chart.yaml` says another version, whatever else
 * changes in it or in the files of values that go with it. What a HelmChart packs may be of several releases.
 */
function packedBy(from: ChartSpec | undefined, local: string | undefined): { readonly packed?: Node } {
  if (from === undefined || local === undefined) return {};
  const isFresh = textAt(from.node, ["reconcileStrategy"]) === "Revision" && from.isReferred !== true;
  return isFresh ? {} : { packed: from.node };
}

interface Packed {
  readonly from: ChartSpec | undefined;
  readonly local: string | undefined;
}

/** The chart's own values, its value files, the release's sources in their order, then its inline values. */
function fluxValues(entryBuild: EntryBuild, resource: Resource, { from, local }: Packed): Stack {
  const { node } = resource;
  const stack: Stack = { layers: [], unseen: [], open: [] };
  const own = local === undefined ? undefined : fileLayer(entryBuild, joinPath(local, "values.yaml"));
  if (own) stack.layers.push({ ...own, packed: true });
  const mayMiss = textAt(from?.node, ["ignoreMissingValuesFiles"]) === "true";
  for (const item of itemsAt(from?.node, ["valuesFiles"])) {
    const file = local === undefined ? undefined : insideRepository("", textAt(item, []) ?? "");
    pileFile(entryBuild, stack, { file, mayMiss, packed: true }, item);
  }
  for (const source of itemsAt(node, ["spec", "valuesFrom"])) pile(stack, valuesFrom(entryBuild, source), source);
  const values = at(node, ["spec", "values"]);
  if (values?.kind === "map") pile(stack, { values, inside: { resource, path: ["spec", "values"] } }, values);
  return stack;
}

function chartByReference(entryBuild: EntryBuild, node: Node): string | undefined {
  const name = textAt(node, ["spec", "chartRef", "name"]);
  const found = entryBuild.resources.find(
    (one) => one.kind === textAt(node, ["spec", "chartRef", "kind"]) && nameOf(one) === name,
  );
  return (found && (textAt(found.node, ["spec", "url"]) ?? textAt(found.node, ["spec", "chart"]))) ?? name;
}

/** Argo CD: value files in their order, then inline values; parameters win over all of them. */
function argoReleases(entryBuild: EntryBuild, resource: Resource): Release[] {
  return argoSources(entryBuild, { node: resource.node, kind: "Application", name: nameOf(resource), resource });
}

interface ArgoApplication {
  readonly node: MapNode;
  readonly kind: "Application" | "ApplicationSet";
  readonly name: string;
  readonly resource?: Resource;
}

function argoSources(entryBuild: EntryBuild, application: ArgoApplication): Release[] {
  return specsOf(application).flatMap((spec) => ofSpec(entryBuild, application, spec));
}

function ofSpec(entryBuild: EntryBuild, application: ArgoApplication, spec: Node): Release[] {
  const all = sourcesOfSpec(spec);
  return all.flatMap((source) => {
    const path = textAt(source, ["path"]);
    const chart = textAt(source, ["chart"]);
    const pin = pinOfArgo(source) ?? all.map(pinOfArgo).find((one) => one?.isCertain === false);
    const isOther = isForeign(entryBuild, source) || pin?.isCertain === true;
    const elsewhere = chart === undefined && isOther ? source : undefined;
    const directory = chart === undefined && path !== undefined && !elsewhere ? insideRepository("", path) : undefined;
    const home = directory === undefined ? undefined : entryBuild.reader.real(directory);
    const local = directory !== undefined && entryBuild.reader.exists(joinPath(directory, "Chart.yaml"));
    if (chart === undefined && !local && !elsewhere) return [];
    return [
      release({
        name: textAt(source, ["helm", "releaseName"]) ?? application.name,
        namespace: textAt(spec, ["destination", "namespace"]),
        chart: chart ?? (directory === undefined ? (path ?? "") : chartName(entryBuild, directory)),
        directory: home,
        ...(elsewhere ? { elsewhere } : {}),
        ...(pin ? { pin } : {}),
        // Argo CD joins names of files to the path as it is written, and follows links then.
        ...argoValues(entryBuild, { source, all }, directory),
        origin: source,
        resource: application.resource,
        parameters: itemsAt(source, ["helm", "parameters"]),
      }),
    ];
  });
}

interface AmongSources {
  readonly source: Node;
  readonly all: readonly Node[];
}

function argoValues(entryBuild: EntryBuild, { source, all }: AmongSources, directory: string | undefined): Stack {
  const stack: Stack = { layers: [], unseen: [], open: [] };
  if (directory !== undefined) pileOwn(entryBuild, stack, joinPath(directory, "values.yaml"));
  const mayMiss = textAt(source, ["helm", "ignoreMissingValueFiles"]) === "true";
  for (const item of itemsAt(source, ["helm", "valueFiles"])) {
    const written = textAt(item, []) ?? "";
    const from = all.find((one) => written.startsWith(`$${textAt(one, ["ref"])}/`));
    const isOther =
      from && (isAtAnother(from, source) || isForeign(entryBuild, from) || pinOfArgo(from)?.isCertain === true);
    const file = isOther === true ? undefined : argoValueFile(written, directory);
    // Of a file that is not here nobody knows whether it is in a repository that may be another one.
    const isHere = !written.startsWith("$") || (from !== undefined && isSurelyOwn(entryBuild, from, source));
    pileFile(entryBuild, stack, { file, mayMiss: mayMiss && isHere }, item);
  }
  // Argo CD ignores `values` when `valuesObject` is there.
  const inline = at(source, ["helm", "valuesObject"]) ?? at(source, ["helm", "values"]);
  const written = inline?.kind === "scalar" ? resolved(entryBuild.reader.embedded(inline)?.[0]) : inline;
  if (inline) pile(stack, written?.kind === "map" ? { values: written } : undefined, inline);
  for (const item of unseenIn(source)) pile(stack, undefined, item);
  return stack;
}

function argoValueFile(written: string, directory: string | undefined): string | undefined {
  if (/^[a-z]+:\/\//.test(written) || written.includes("{{")) return undefined;
  const reference = /^\$[\w-]+\/(.*)$/.exec(written)?.[1];
  return written.startsWith("/")
    ? insideRepository("", written.slice(1))
    : insideRepository(reference === undefined ? (directory ?? "") : "", reference ?? written);
}

function chartName(entryBuild: EntryBuild, directory: string): string {
  const source = entryBuild.reader.file(joinPath(directory, "Chart.yaml"));
  return (source?.ok && textAt(source.file.documents[0]?.root, ["name"])) || directory.split("/").at(-1) || "";
}

/** The chart's own values, the files of values in their order, then what is written inline. */
function inflatedRelease(entryBuild: EntryBuild, { spec, directory, chart: local }: InflatedChart): Release {
  const own = local === undefined ? undefined : fileLayer(entryBuild, joinPath(local, "values.yaml"));
  const stack: Stack = { layers: own ? [own] : [], unseen: [], open: [] };
  for (const file of [at(spec, ["valuesFile"]), ...itemsAt(spec, ["additionalValuesFiles"])]) {
    const path = file && insideRepository(directory, textAt(file, []) ?? "");
    if (file) pile(stack, path === undefined ? undefined : fileLayer(entryBuild, path), file);
  }
  const inline = at(spec, ["valuesInline"]);
  if (inline?.kind === "map") pile(stack, { values: inline }, inline);
  // Then the inline values are not simply the last ones.
  const order = at(spec, ["valuesMerge"]);
  if (order && textAt(order, []) !== "override") pile(stack, undefined, order);
  const chart = textAt(spec, ["name"]) ?? "";
  return release({
    // So Helm calls a release that kustomize gives no name.
    name: textAt(spec, ["releaseName"]) ?? "release-name",
    namespace: textAt(spec, ["namespace"]),
    chart,
    directory: local,
    inflated: true,
    ...stack,
    origin: spec,
    resource: undefined,
    parameters: [],
  });
}

/** The entry itself is a chart: what deploys it says the release and the value files. */
function chartRelease(entryBuild: EntryBuild): Release | undefined {
  if (!entryBuild.reader.exists(joinPath(entryBuild.path, "Chart.yaml"))) return undefined;
  const { deployer } = entryBuild;
  if (deployer && deployer.kind !== "Kustomization" && deployer.kind !== "HelmRelease") {
    const { node, kind, name } = deployer;
    const found = argoSources(entryBuild, { node, kind, name }).find((one) => one.directory === entryBuild.path);
    if (found) return found;
  }
  const others = entryBuild.reader
    .list(entryBuild.path)
    .filter((name) => /^values[-._].*\.ya?ml$/.test(name) || name === "environments");
  const stack: Stack = { layers: [], unseen: [], open: [] };
  pileOwn(entryBuild, stack, joinPath(entryBuild.path, "values.yaml"));
  const origin = stack.layers[0]?.values ?? fileLayer(entryBuild, joinPath(entryBuild.path, "Chart.yaml"))?.values;
  if (!origin) return undefined;
  const chart = chartName(entryBuild, entryBuild.path);
  const release_ =
    entryBuild.question.workload.labels?.["app.kubernetes.io/instance"] ??
    entryBuild.question.workload.annotations?.["meta.helm.sh/release-name"] ??
    chart;
  return release({
    name: release_,
    namespace: undefined,
    chart,
    directory: entryBuild.path,
    ...stack,
    origin,
    resource: undefined,
    parameters: [],
    ...(others.length > 0 || !isOwnChart(chart, entryBuild) ? { uncertain: origin } : {}),
  });
}

/** A chart that carries the workload's name is made for it; any other may serve several applications that Git hides. */
function isOwnChart(chart: string, entryBuild: EntryBuild): boolean {
  const [own, workload] = [chart, entryBuild.question.workload.name].map((name) =>
    name.toLowerCase().replace(/[^a-z0-9]/g, ""),
  );
  return own !== undefined && workload !== undefined && (workload.includes(own) || own.includes(workload));
}

function release(parts: Omit<Release, "merged">): Release {
  const [first, ...rest] = parts.layers;
  const merged = rest.reduce((below, layer) => mergeValues(below, layer.values), first?.values ?? madeUp(parts.origin));
  return { ...parts, merged };
}
