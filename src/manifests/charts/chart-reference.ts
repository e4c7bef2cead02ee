import type { Release } from "../helm/releases.ts";
import { type EntryBuild, substituted, textIn } from "../trace/entry-build.ts";
import { at, type Node, textAt } from "../yaml/source.ts";
import { isPinned, withDependencies, yamlOf } from "./chart-files.ts";
import { nameOf } from "../repository/resource.ts";
import {
  type ChartFiles,
  type ChartReference,
  type ChartTools,
  type FluxRelease,
  isRecord,
  isName,
} from "../../domain/kubernetes/rendered.ts";

type Impossible = { readonly impossible: string };

/** Where the chart of a release is published, at the exact version that Git names. */
export function chartReference(entryBuild: EntryBuild, release: Release): ChartReference | Impossible {
  const place =
    release.resource?.kind === "HelmRelease"
      ? fluxPlace(entryBuild, release.resource.node, release)
      : plainPlace(release);
  if (place === undefined) return { impossible: `nothing here says where the chart ${release.chart} is published` };
  const { url, version, digest } = place;
  if (!isPinned(version))
    return { impossible: `the chart ${release.chart} has the version ${version || "of the day"}` };
  const isOci = url.startsWith("oci://");
  if (!isOci && !/^https?:\/\//.test(url)) return { impossible: `${url} is no chart repository` };
  return { url, name: release.chart, version, ...(digest === undefined ? {} : { digest }) };
}

interface Place {
  readonly url: string;
  readonly version: string;
  readonly digest?: string | undefined;
}

/** `repoURL` and `targetRevision` of Argo CD, `repo` and `version` of Kustomize and of Rancher. */
function plainPlace(release: Release): Place | undefined {
  const { origin } = release;
  const repository = textAt(origin, ["repoURL"]) ?? textAt(origin, ["repo"]);
  if (repository === undefined) return undefined;
  const version = textAt(origin, ["targetRevision"]) ?? textAt(origin, ["version"]) ?? "";
  // Argo CD writes registries without a scheme.
  const isBare = textAt(origin, ["repoURL"]) !== undefined && !repository.includes("://");
  const url = isBare ? `oci://${repository}` : repository;
  return { url: url.startsWith("oci://") ? ociChart(url, release.chart) : url, version };
}

const ociChart = (url: string, chart: string): string =>
  url.endsWith(`/${chart}`) ? url : `${url.replace(/\/$/, "")}/${chart}`;

/** The HelmRepository or OCIRepository that a HelmRelease refers to, among the objects of the repository. */
function fluxPlace(entryBuild: EntryBuild, node: Node, { from }: Release): Place | undefined {
  const reference = at(node, ["spec", "chartRef"]);
  if (reference && !from) {
    const source = sourceObject(entryBuild, node, reference);
    const version = source && (textIn(entryBuild, source, ["spec", "ref", "tag"]) ?? "");
    const url = source && textIn(entryBuild, source, ["spec", "url"]);
    if (url === undefined || version === undefined) return undefined;
    return { url, version, digest: textAt(source, ["spec", "ref", "digest"]) };
  }
  const source = sourceObject(entryBuild, node, at(from?.node, ["sourceRef"]));
  const url = source && textIn(entryBuild, source, ["spec", "url"]);
  const chart = textIn(entryBuild, from?.node, ["chart"]) ?? "";
  const version = textIn(entryBuild, from?.node, ["version"]) ?? "";
  return url === undefined ? undefined : { url: url.startsWith("oci://") ? ociChart(url, chart) : url, version };
}

function sourceObject(entryBuild: EntryBuild, release: Node, reference: Node | undefined): Node | undefined {
  const [kind, name] = [textAt(reference, ["kind"]), textAt(reference, ["name"])];
  const own = entryBuild.resources.find((one) => one.kind === kind && one.names.includes(name ?? ""));
  if (own) return own.node;
  const home = textAt(reference, ["namespace"]) ?? textAt(release, ["metadata", "namespace"]);
  const others = entryBuild.index.fluxSources.filter((one) => one.kind === kind && one.name === name);
  const near = others.filter((one) => one.namespace === home);
  const fitting = near.length > 0 ? near : others;
  const urls = new Set(fitting.map((one) => textAt(one.node, ["spec", "url"])));
  return urls.size === 1 ? fitting[0]?.node : undefined;
}

type Running = { readonly files: ChartFiles; readonly isRunning: true } | { readonly impossible: string };

/**
 * The chart that Flux installed for a release of the asked entry, where it is the one that Git names: the same name, and
 * the same version where Git names an exact one. Undefined where no cluster is asked about the release.
 */
export async function runningChart(
  entryBuild: EntryBuild,
  release: Release,
  tools: ChartTools,
): Promise<Running | undefined> {
  const at = placeOf(entryBuild, release);
  if (!tools.running || at === undefined) return undefined;
  const found = await tools.running(at);
  if (!found.ok) return { impossible: found.because };
  const chart = yamlOf(found.files, "Chart.yaml");
  const name = isRecord(chart) ? chart.name : undefined;
  if (release.elsewhere === undefined) {
    if (name !== release.chart)
      return { impossible: `its archive holds the chart ${String(name)}, not ${release.chart}` };
    const reference = chartReference(entryBuild, release);
    const pinned = "impossible" in reference ? undefined : reference;
    const isOther = pinned && plain(pinned.version) !== plain(found.version);
    const isMoved = pinned?.digest !== undefined && pinned.digest !== found.digest;
    if (isOther || isMoved)
      return { impossible: `it is at ${found.version}, and Git names ${pinned?.version} already` };
  }
  const whole = await withDependencies(found.files, tools);
  return whole.ok ? { files: whole.files, isRunning: true } : { impossible: whole.because };
}

/** Where a release of Flux's helm-controller stands. */
function placeOf(entryBuild: EntryBuild, { resource }: Release): FluxRelease | undefined {
  if (resource?.kind !== "HelmRelease" || !resource.apiVersion.startsWith("helm.toolkit.fluxcd.io/")) return undefined;
  const at = {
    namespace: substituted(resource.namespace ?? "", entryBuild),
    name: substituted(nameOf(resource), entryBuild),
  };
  return isName(at.namespace) && isName(at.name) ? at : undefined;
}

const plain = (version: string): string => version.replace(/^v/, "");
