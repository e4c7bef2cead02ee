import type { ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import type { RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { postRendered, postRenderersOf } from "../helm/post-renderers.ts";
import type { Release } from "../helm/releases.ts";
import { refused, whereIs } from "../repository/refusal.ts";
import { nameOf } from "../repository/resource.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { madeByChart } from "../trace/made-by-chart.ts";
import { reachesSeveral, sharedWith } from "../trace/sharing.ts";
import { at } from "../yaml/source.ts";
import { editField } from "./field.ts";
import { cannotOverlay } from "./overlay/overlay.ts";

/** The edit in a post-renderer of the release, where one has the last word on the field; undefined where none has. */
export function editPostRenderer(
  outer: EntryBuild,
  release: Release,
  objects: readonly RenderedObject[],
  field: { readonly object: RenderedObject; readonly path: readonly (string | number)[] },
): ManifestEdit | undefined {
  if (postRenderersOf(release).length === 0) return undefined;
  const { resources, traces } = postRendered(outer, release, objects);
  const { kind, metadata } = field.object;
  const own = resources.filter((one) => one.kind === kind && nameOf(one) === metadata.name);
  const [resource] = own;
  const entryBuild = { ...outer, build: { ...outer.build, ...traces }, resources };
  const leaf = resource && at(resource.node, field.path);
  const made = leaf && traces.images.get(leaf);
  const owner = made?.tag ?? made?.digest ?? leaf;
  if (!resource || !owner || (owner.file.path === madeByChart && traces.opaque.length === 0)) return undefined;
  const several = own.length > 1 || reachesSeveral(entryBuild, owner) !== undefined;
  if (several)
    return refused("shared-patch", `${whereIs(owner)} changes several objects`, "Give each a patch of its own.");
  const shared = sharedWith(entryBuild, owner.file.path);
  if (shared !== undefined) return cannotOverlay(`${whereIs(owner)} also serves ${shared}`);
  return editField(entryBuild, resource, field.path);
}
