import type { ManifestEdit } from "../../../domain/kubernetes/manifest-edit.ts";
import { editOf, guarded } from "../edit.ts";
import { kustomizationOf } from "../../trace/kustomize.ts";
import { refused, type Refusal } from "../../repository/refusal.ts";
import type { Resource } from "../../repository/resource.ts";
import { countedName, targetFor } from "./address.ts";
import { itemOfDeployer, renames } from "./deployer-item.ts";
import type { EntryBuild } from "../../trace/entry-build.ts";
import { deployedTwice, isOfDeployer, sharedAt, sharedWith } from "../../trace/sharing.ts";
import { itemsAt, type MapNode, type Node, textAt } from "../../yaml/source.ts";
import { insertAt, listed } from "./insert.ts";
import { imageItem, jsonOperation, type Wanted } from "./wanted.ts";

/**
 * Sets the field for this environment alone: in a patch of the object that only this environment reads, else by
 * `replicas:`, `images:` or a JSON patch in the outermost kustomization that can single the object out. Refused when
 * the environment has no place of its own.
 */
export function overlaid(entryBuild: EntryBuild, wanted: Wanted, cannot: Refusal): ManifestEdit {
  const patch = exclusivePatch(entryBuild, wanted);
  if (patch) return patch;
  // What the deployer itself says comes after everything that its path says.
  if (wanted.owner && isOfDeployer(entryBuild, wanted.owner)) return cannot;
  if (deployedTwice(entryBuild) !== undefined) return itemOfDeployer(entryBuild, wanted) ?? cannot;
  // From the outside inwards: the first kustomization that only this environment reads.
  for (const directory of [...new Set([entryBuild.path, ...[...(wanted.resource.through ?? [])].reverse()])]) {
    const kustomization = kustomizationOf(entryBuild.reader, directory);
    if (!kustomization || sharedWith(entryBuild, kustomization.file.path) !== undefined) continue;
    const place = { directory, kustomization };
    if (isLateOwner(entryBuild, wanted, kustomization)) return cannot;
    const item = itemIn(entryBuild, place, wanted);
    if (item) return item;
  }
  return itemOfDeployer(entryBuild, wanted) ?? cannot;
}

interface Place {
  readonly directory: string;
  readonly kustomization: MapNode;
}

/** The value as an item of a kustomization: `replicas`, `images` or a JSON patch; undefined where it would reach more. */
function itemIn(entryBuild: EntryBuild, place: Place, wanted: Wanted): ManifestEdit | undefined {
  const { resource } = wanted;
  const { directory, kustomization } = place;
  const inside = entryBuild.resources.filter(
    (one) => directory === entryBuild.path || one.through?.includes(directory),
  );
  const guard = guarded(entryBuild, kustomization);
  if (guard) return guard;
  const owner = { path: kustomization.file.path, field: "", because: wanted.because };
  const stage = { inside, isOutermost: directory === entryBuild.path && !renames(entryBuild, kustomization) };
  const counted = wanted.path.join(".") === "spec.replicas" ? countedName(stage, resource) : undefined;
  if (counted !== undefined && typeof wanted.value === "number") {
    const field = `replicas[name=${counted}].count`;
    return editOf(entryBuild, listed(kustomization, "replicas", { name: counted, count: wanted.value }), {
      ...owner,
      field,
    });
  }
  const images = itemsAt(kustomization, ["images"]).flatMap((one) => [textAt(one, ["name"]), textAt(one, ["newName"])]);
  const image = imageItem(inside, wanted, images);
  if (image) {
    const field = `images[name=${image.name}].newTag`;
    return editOf(entryBuild, listed(kustomization, "images", image), { ...owner, field });
  }
  const operation = jsonOperation(wanted);
  const target = targetFor(stage, resource);
  if (!operation || !target) return undefined;
  // What the older key says comes last, and may move the containers.
  const isLate = itemsAt(kustomization, ["patchesJson6902"]).some((item) => maySelect(item, resource));
  const key = isLate ? "patchesJson6902" : "patches";
  return editOf(entryBuild, listed(kustomization, key, { target, patch: { "|": [operation] } }), {
    ...owner,
    field: key,
  });
}

/** An existing patch of the older kind that may reach the object. */
function maySelect(item: Node, { kind, names }: Resource): boolean {
  const [wanted, name] = [textAt(item, ["target", "kind"]), textAt(item, ["target", "name"])];
  const isOpen = (text: string | undefined): boolean => text === undefined || !/^[\w-]+$/.test(text);
  return (isOpen(wanted) || wanted === kind) && (isOpen(name) || names.includes(name ?? ""));
}

/** A value that this kustomization's own `replicas` or `images` set: they come after every patch. */
function isLateOwner(entryBuild: EntryBuild, { owner, resource }: Wanted, kustomization: MapNode): boolean {
  const late = ["replicas", "images"].flatMap((key) => itemsAt(kustomization, [key]));
  return late.some(
    (item) => entryBuild.build.reach.get(item)?.has(resource) === true && item.file.path === owner?.file.path,
  );
}

function exclusivePatch(entryBuild: EntryBuild, wanted: Wanted): ManifestEdit | undefined {
  const layers = wanted.resource.node.layers.filter((layer) => layer.start >= 0);
  let root = wanted.owner;
  while (root?.parent && !layers.includes(root as MapNode)) root = root.parent;
  const ownerIndex = layers.indexOf(root as MapNode);
  for (let n = layers.length - 1; n > ownerIndex; n -= 1) {
    const layer = layers[n];
    if (!layer || sharedAt(entryBuild, layer) !== undefined) continue;
    if ((entryBuild.build.reach.get(layer)?.size ?? 1) > 1) continue;
    const splice = insertAt(layer, wanted.path, wanted.value);
    if (!splice) continue;
    const guard = guarded(entryBuild, layer);
    if (guard) continue;
    const edit = editOf(entryBuild, splice, {
      path: layer.file.path,
      field: wanted.path.join("."),
      because: wanted.because,
    });
    if (edit.kind === "edit") return edit;
  }
  return undefined;
}

export const cannotOverlay = (because: string): Refusal =>
  refused("shared-source", because, "Give this environment a patch or a values file of its own, then ask again.");
