import type { ChartTools, Rendered, RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { treeOf } from "../../domain/kubernetes/tree.ts";
import { render } from "../render/render.ts";
import type { Resource } from "../repository/resource.ts";
import { type EntryBuild, substituted } from "../trace/entry-build.ts";
import { resourcesMade, streamOf } from "../trace/made-by-chart.ts";
import { transform } from "../trace/transform.ts";
import type { Traces } from "../trace/traces.ts";
import { plainOf } from "../yaml/plain.ts";
import { at, entriesOf, itemsAt, type Node } from "../yaml/source.ts";
import type { Release } from "./releases.ts";

/** The post-renderers of a Flux release, in their order. */
export const postRenderersOf = ({ resource }: Release): readonly Node[] =>
  itemsAt(resource?.node, ["spec", "postRenderers"]);

/** The same tools for a release whose objects its post-renderers change after the chart made them. */
export function postRendering(entryBuild: EntryBuild, release: Release, tools: ChartTools): ChartTools {
  const renderers = postRenderersOf(release);
  if (renderers.length === 0) return tools;
  return {
    ...tools,
    async template(build) {
      let rendered = await tools.template(build);
      for (const renderer of renderers)
        if (rendered.kind === "rendered") rendered = kustomized(entryBuild, renderer, rendered.objects);
      return rendered;
    },
  };
}

/** Kustomize's work on objects that stand in no file, by our own subset of it. */
function kustomized(entryBuild: EntryBuild, renderer: Node, objects: readonly RenderedObject[]): Rendered {
  const written = at(renderer, ["kustomize"]);
  const keys = written?.kind === "map" ? [...entriesOf(written).keys()] : ["nothing"];
  const strange = keys.find((key) => key !== "patches" && key !== "images");
  if (strange !== undefined) return { kind: "unsupported", because: `a post-renderer has ${strange}` };
  const plain = plainOf(written, (text) => substituted(text, entryBuild));
  const kustomization = { ...(plain as Record<string, unknown>), resources: ["objects.yaml"] };
  const text = JSON.stringify(kustomization);
  if (text.includes("${")) return { kind: "unsupported", because: "a post-renderer holds variables" };
  const tree = treeOf({ "kustomization.yaml": text, "objects.yaml": streamOf(objects) });
  const rendered = render(tree, { tool: "kustomize", path: "." });
  return rendered.kind === "rendered" ? { ...rendered, with: "helm template and its post-renderers" } : rendered;
}

/** The objects of a chart with what its post-renderers write into them, each value at the place that it is written. */
export function postRendered(
  entryBuild: EntryBuild,
  release: Release,
  objects: readonly RenderedObject[],
): { readonly resources: readonly Resource[]; readonly traces: Traces } {
  const traces: Traces = { reach: new Map(), images: new Map(), files: new Set(), opaque: [] };
  const resources = resourcesMade(objects);
  for (const renderer of postRenderersOf(release)) {
    const written = at(renderer, ["kustomize"]);
    if (written) transform(written, "", resources, { reader: entryBuild.reader, traces });
  }
  return { resources, traces };
}
