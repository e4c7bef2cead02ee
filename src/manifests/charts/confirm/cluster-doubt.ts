import type { ObjectChange } from "../../../domain/kubernetes/manifest-edit.ts";
import { canonicalText, changesBetween } from "../../../domain/kubernetes/object-changes.ts";
import {
  type ChartBuild,
  type ChartTools,
  type Rendered,
  type RenderedObject,
  objectKey,
} from "../../../domain/kubernetes/rendered.ts";
import { asksCluster } from "../../helm/cluster/asks-cluster.ts";
import { otherwise, type Otherwise } from "../../helm/cluster/capabilities.ts";
import { textAsks, watched } from "../../helm/cluster/run-texts.ts";
import type { EntryBuild } from "../../trace/entry-build.ts";
import type { Baseline } from "../prepared-release.ts";
import { fieldIn, obstacleIn, type RenderedField } from "../rendered-field.ts";

/**
 * Flux renders with a cluster that answers and knows what ran before, we without one (as Argo CD does): what the chart
 * makes of that is seen by nobody here. The wanted object counts as seen where it is the same without every template
 * that asks.
 */
export async function clusterDoubt(
  { release, build, tools }: Baseline,
  { object }: RenderedField,
): Promise<string | undefined> {
  if (release.resource?.kind !== "HelmRelease") return undefined;
  const asking = asksCluster(build.files, build.values, tools.unpack);
  const without = asking.kind === "some" ? await tools.template({ ...build, files: asking.rest }) : undefined;
  const objects = without?.kind === "rendered" ? without.objects : [];
  const same = objects.find((one) => objectKey(one) === objectKey(object));
  if (asking.kind !== "nothing" && (!same || canonicalText(same) !== canonicalText(object)))
    return `the chart asks the cluster while Flux renders it (lookup in ${asking.where}), so a rendering here is no proof`;
  const files = watched(asking.kind === "some" ? asking.rest : build.files, tools.unpack);
  const seen = files && (await tools.template({ ...build, files }));
  if (seen?.kind !== "unsupported") return undefined;
  const why = seen.because.includes(textAsks) ? textAsks : `it was not seen whether ${textAsks}`;
  return `the chart asks the cluster while Flux renders it (${why}), so a rendering here is no proof`;
}

interface Place {
  readonly entryBuild: EntryBuild;
  readonly baseline: Baseline;
}

type IsKept = (baseline: Baseline, changes: readonly ObjectChange[], field: RenderedField) => Promise<boolean>;

/**
 * Charts ask which Kubernetes and which APIs the cluster has, and nobody here knows: the edit must do the same, and
 * nothing else, in a cluster that has more and in one that has less. Where neither changes what the chart makes, it does.
 */
export async function otherClusters(
  { entryBuild, baseline }: Place,
  after: ChartBuild,
  isKept: IsKept,
): Promise<string | undefined> {
  const { release, build, tools } = baseline;
  // Kustomize asks no cluster: its file says what there is.
  if (release.inflated === true) return undefined;
  const before = otherwise(build, tools.unpack);
  if (before.odd !== undefined)
    return `${before.odd} asks for APIs of the cluster whose names it makes, so a rendering here is no proof`;
  if (before.many !== undefined)
    return `the chart asks for APIs of the cluster and names ${before.many} of them, more than are tried, so a rendering here is no proof`;
  const edited = otherwise(after, tools.unpack).builds;
  for (const [n, there] of before.builds.entries()) {
    const made = await firstRendered(tools, there);
    if (made === undefined || alike(made.rendered.objects) === alike(baseline.objects)) continue;
    const build = edited[n]?.builds[made.at];
    const next = build ? await tools.template(build) : undefined;
    const { objects } = made.rendered;
    const field = fieldIn(objects, entryBuild.question);
    const isFine =
      next?.kind === "rendered" &&
      field !== undefined &&
      !("reason" in field) &&
      obstacleIn(objects, field, entryBuild.question) === undefined &&
      (await isKept({ ...baseline, build: made.build, objects }, changesBetween(objects, next.objects), field));
    if (!isFine)
      return `the chart asks which Kubernetes or APIs the cluster has: in ${there.cluster} this edit does something else`;
  }
  return undefined;
}

interface Made {
  readonly rendered: Extract<Rendered, { kind: "rendered" }>;
  readonly build: ChartBuild;
  readonly at: number;
}

async function firstRendered(tools: ChartTools, { builds }: Otherwise): Promise<Made | undefined> {
  for (const [at, build] of builds.entries()) {
    const rendered = await tools.template(build);
    if (rendered.kind === "rendered") return { rendered, build, at };
  }
  return undefined;
}

/** Objects but for the version of their kind, which says only how they are read. */
const alike = (objects: readonly RenderedObject[]): string =>
  canonicalText(objects.map((one) => canonicalText({ ...one, apiVersion: "" })).sort());
