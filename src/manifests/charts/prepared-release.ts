import {
  type ChartBuild,
  type ChartFiles,
  type ChartTools,
  type RenderedObject,
  unfitNames,
} from "../../domain/kubernetes/rendered.ts";
import { realPath } from "../../domain/kubernetes/tree.ts";
import { takenFrom } from "../helm/foreign-chart.ts";
import { isHandedOn } from "../helm/handed-on.ts";
import { postRendering } from "../helm/post-renderers.ts";
import type { Release } from "../helm/releases.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { filesBelow } from "../gitops/links.ts";
import { chartInTree, withDependencies } from "./chart-files.ts";
import { chartReference, runningChart } from "./chart-reference.ts";
import { hasUnseenValues, replacesOwnValues, type Values, valuesOf } from "./release-values.ts";

/** A release that can be templated here, with everything that an experiment needs to know. */
interface PreparedRelease {
  readonly release: Release;
  readonly files: ChartFiles;
  readonly build: ChartBuild;
  readonly effective: Values;
  /** The tools that make of the build what is applied in the end. */
  readonly tools: ChartTools;
  /** False where values that only the cluster knows may win, or where more is done to the objects. */
  readonly certain: boolean;
}

export interface Baseline extends PreparedRelease {
  readonly objects: readonly RenderedObject[];
  /** The renderer, for people. */
  readonly with: string;
}

type Impossible = { readonly impossible: string };

/** Gathers the chart and the values of a release; what is missing is named. */
export async function preparedRelease(
  entryBuild: EntryBuild,
  release: Release,
  tools: ChartTools,
): Promise<PreparedRelease | Impossible> {
  const found = await chartOf(entryBuild, release, tools);
  if ("impossible" in found) return found;
  // In an archive of Flux the named files are already what the chart's own values say.
  const files = replacesOwnValues(release) && !found.isRunning ? withoutOwnValues(found.files) : found.files;
  const values = valuesOf(entryBuild, release, files, tools);
  if (values === undefined) return { impossible: "its values hold variables that only the cluster knows" };
  const namespace = release.namespace ?? entryBuild.question.workload.namespace;
  const unfit = unfitNames({ release: release.name, namespace });
  if (unfit !== undefined) return { impossible: unfit };
  const { texts, sets, effective } = values;
  const isUpgrade = release.resource?.kind === "HelmRelease";
  const build = { files, release: release.name, namespace, values: texts, sets, checked: true, isUpgrade };
  const applied = postRendering(entryBuild, release, tools);
  return {
    release,
    files,
    build,
    effective,
    tools: applied,
    certain: !hasUnseenValues(release) && isHandedOn(entryBuild, release),
  };
}

/** The release as it is rendered now. */
export async function baselineOf(
  entryBuild: EntryBuild,
  release: Release,
  tools: ChartTools,
): Promise<Baseline | Impossible> {
  const prepared = await preparedRelease(entryBuild, release, tools);
  if ("impossible" in prepared) return prepared;
  const rendered = await prepared.tools.template(prepared.build);
  if (rendered.kind === "unsupported") return { impossible: rendered.because };
  return { ...prepared, objects: rendered.objects, with: rendered.with };
}

interface Chart {
  readonly files: ChartFiles;
  readonly isRunning?: true;
}

async function chartOf(entryBuild: EntryBuild, release: Release, tools: ChartTools): Promise<Chart | Impossible> {
  if (release.directory !== undefined) {
    const link = linkUnderFlux(entryBuild, release, release.directory);
    if (link !== undefined) return { impossible: `Flux leaves the symbolic link ${link} out` };
    const local = await chartInTree(entryBuild.tree, release.directory, tools);
    return local.ok ? local : { impossible: local.because };
  }
  const running = await runningChart(entryBuild, release, tools);
  if (running && !("impossible" in running)) return running;
  const other = await publishedChart(entryBuild, release, tools);
  if (!running || !("impossible" in other)) return other;
  return { impossible: `${other.impossible}; what Flux runs: ${running.impossible}` };
}

/** A symbolic link on the way to what a HelmRelease reads of the repository: Flux's archives hold none. */
function linkUnderFlux({ tree }: EntryBuild, release: Release, directory: string): string | undefined {
  if (tree.links === undefined || release.resource?.kind !== "HelmRelease") return undefined;
  const files = release.layers.map(({ values, named }) => named ?? values.file.path);
  const linked = files.find((name) => realPath(tree, name) !== name);
  const below = filesBelow(tree, directory);
  return linked ?? below.broken?.link ?? [directory, ...below.paths].find((name) => realPath(tree, name) !== name);
}

async function publishedChart(
  entryBuild: EntryBuild,
  release: Release,
  tools: ChartTools,
): Promise<Chart | Impossible> {
  const from = takenFrom(release);
  if (from !== undefined) return { impossible: from };
  const reference = chartReference(entryBuild, release);
  if ("impossible" in reference) return reference;
  const fetched = await tools.fetch(reference);
  const whole = fetched.ok ? await withDependencies(fetched.files, tools) : fetched;
  return whole.ok ? whole : { impossible: whole.because };
}

function withoutOwnValues(files: ChartFiles): ChartFiles {
  return new Map([...files].filter(([path]) => path !== "values.yaml"));
}
