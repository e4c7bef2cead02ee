import type { ManifestEdit } from "../../../domain/kubernetes/manifest-edit.ts";
import type { RenderedObject } from "../../../domain/kubernetes/rendered.ts";
import type { Release } from "../../helm/releases.ts";
import type { Refusal } from "../../repository/refusal.ts";
import { nameOf, type Resource } from "../../repository/resource.ts";
import { type EntryBuild, entryBuildOf } from "../../trace/entry-build.ts";
import { imageName } from "../../trace/images.ts";
import { madeByChart, placeOfChart } from "../../trace/made-by-chart.ts";
import { at } from "../../yaml/source.ts";
import { editField } from "../field.ts";
import { overlaid } from "./overlay.ts";

type Path = readonly (string | number)[];

/** An object of a chart that Kustomize inflates, with what kustomizations and deployers make of it. */
interface Inflated {
  readonly entryBuild: EntryBuild;
  readonly resource: Resource;
}

/** The object on its way from the chart through the entry; undefined where there is not exactly one. */
export function inflatedObject(
  entryBuild: EntryBuild,
  { inflated, origin }: Release,
  objects: readonly RenderedObject[],
  { kind, metadata }: RenderedObject,
): Inflated | undefined {
  if (inflated !== true) return undefined;
  const made = new Map([[placeOfChart(origin), objects]]);
  const own = entryBuild.ancestors.length > 0 ? entryBuild.declared : undefined;
  const outer = entryBuildOf(entryBuild.tree, entryBuild.question, entryBuild.path, { own, made });
  if ("kind" in outer) return undefined;
  const isMeant = (one: Resource) =>
    one.origin.file.path === madeByChart && one.kind === kind && one.names[0] === metadata.name;
  const [resource, ...others] = outer.resources.filter(isMeant);
  if (resource === undefined || others.length > 0 || resource.deletedBy) return undefined;
  if (nameOf(resource) !== metadata.name) return undefined;
  return { entryBuild: { ...outer, ancestors: entryBuild.ancestors }, resource };
}

/** The edit where a kustomization or a deployer has the last word on the field; undefined where the chart has it. */
export function editInflated({ entryBuild, resource }: Inflated, path: Path): ManifestEdit | undefined {
  const leaf = at(resource.node, path);
  const made = leaf && entryBuild.build.images.get(leaf);
  const owner = made?.tag ?? made?.digest ?? leaf;
  return owner === undefined || owner.file.path === madeByChart ? undefined : editField(entryBuild, resource, path);
}

/** The field in a place over the chart, where no value of it is this environment's own; else what was refused. */
export function overlayInflated({ entryBuild, resource }: Inflated, path: Path, cannot: Refusal): ManifestEdit {
  if (cannot.reason !== "shared-source" && cannot.reason !== "chart-hardcoded") return cannot;
  const { change } = entryBuild.question;
  const now = at(resource.node, path);
  const value =
    change.kind === "image-tag" ? `${imageName(now?.kind === "scalar" ? now.text : "")}:${change.to}` : change.to;
  return overlaid(entryBuild, { resource, path, value, because: cannot.because, owner: undefined }, cannot);
}
