import type { ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import { editOf, guarded } from "./edit.ts";
import { kustomizationOf } from "../trace/kustomize.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import { imageName } from "../trace/images.ts";
import { podSpecPath, type Resource } from "../repository/resource.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { deployedTwice, sharedWith } from "../trace/sharing.ts";
import { at, itemsAt, type MapNode, type Node, resolved, textAt } from "../yaml/source.ts";
import { appendItem, insertEntry, type Splice, type Written } from "../yaml/splice.ts";

/** Where a field of an object shall get a value for this environment only. */
interface Wanted {
  readonly resource: Resource;
  readonly path: readonly (string | number)[];
  readonly value: string | number;
  /** Why the owner itself cannot be changed, for people. */
  readonly because: string;
  /** The place that owns the value now; undefined when nobody wrote it. */
  readonly owner: Node | undefined;
}

/**
 * Sets the field for this environment alone: in a patch of the object that only this environment reads, else by
 * `replicas:` or a JSON patch in the entry's own kustomization. Refused when the environment has no place of its own.
 */
export function overlaid(scene: EntryBuild, wanted: Wanted, cannot: Refusal): ManifestEdit {
  if (deployedTwice(scene) !== undefined) return cannot;
  const patch = exclusivePatch(scene, wanted);
  if (patch) return patch;
  // From the outside inwards: the first kustomization that only this environment reads.
  for (const directory of [...new Set([scene.path, ...[...(wanted.resource.through ?? [])].reverse()])]) {
    const kustomization = kustomizationOf(scene.reader, directory);
    if (!kustomization || sharedWith(scene, kustomization.file.path) !== undefined) continue;
    return itemIn(scene, { directory, kustomization }, wanted) ?? cannot;
  }
  return cannot;
}

interface Place {
  readonly directory: string;
  readonly kustomization: MapNode;
}

/** The value as an item of a kustomization: `replicas`, `images` or a JSON patch. */
function itemIn(scene: EntryBuild, { directory, kustomization }: Place, wanted: Wanted): ManifestEdit | undefined {
  const { resource } = wanted;
  const inside = scene.resources.filter((one) => directory === scene.path || one.through?.includes(directory));
  if (!reachesOnly(inside, resource)) return undefined;
  const guard = guarded(scene, kustomization);
  if (guard) return guard;
  const owner = { path: kustomization.file.path, field: "", because: wanted.because };
  if (wanted.path.join(".") === "spec.replicas" && typeof wanted.value === "number" && onlyName(inside, resource)) {
    const item = { name: resource.names[0] ?? "", count: wanted.value };
    const field = `replicas[name=${item.name}].count`;
    return editOf(scene, listed(kustomization, "replicas", item), { ...owner, field });
  }
  const image = imageItem(inside, wanted, kustomization);
  if (image) {
    const field = `images[name=${image.name}].newTag`;
    return editOf(scene, listed(kustomization, "images", image), { ...owner, field });
  }
  const operation = lateOwner(scene, wanted, kustomization) ? undefined : jsonOperation(wanted);
  if (!operation) return undefined;
  // The first name is one that kustomize knows at every stage, before and after prefixes.
  const target = { kind: resource.kind, name: resource.names[0] ?? "" };
  return editOf(scene, patchItem(kustomization, target, operation), { ...owner, field: "patches" });
}

/** The kinds whose count `replicas:` sets. */
const counted = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];

/** `replicas:` and patches find objects by every name they had: no other object may carry one of them. */
function onlyName(inside: readonly Resource[], resource: Resource): boolean {
  const isOther = (one: Resource) => one !== resource && counted.includes(one.kind);
  return (
    counted.includes(resource.kind) &&
    !inside.some((one) => isOther(one) && one.names.some((name) => resource.names.includes(name)))
  );
}

function reachesOnly(inside: readonly Resource[], resource: Resource): boolean {
  return inside.every(
    (one) => one === resource || one.kind !== resource.kind || !one.names.some((name) => resource.names.includes(name)),
  );
}

/** `images:` changes every container that runs the image: it may be the wanted one only. */
function imageItem(
  inside: readonly Resource[],
  wanted: Wanted,
  kustomization: MapNode,
): { name: string; newTag: string } | undefined {
  const current = at(wanted.resource.node, wanted.path);
  if (wanted.path.at(-1) !== "image" || current?.kind !== "scalar") return undefined;
  const name = imageName(current.text);
  const users = inside.flatMap((one) => {
    const pod = podSpecPath(one.kind) ?? [];
    const containers = ["containers", "initContainers"].flatMap((list) => itemsAt(one.node, [...pod, list]));
    return containers.filter((container) => imageName(textAt(container, ["image"]) ?? "") === name);
  });
  const listedAlready = itemsAt(kustomization, ["images"]).some((item) =>
    [textAt(item, ["name"]), textAt(item, ["newName"])].includes(name),
  );
  const tag = /:([^:/]+)$/.exec(String(wanted.value))?.[1];
  return users.length === 1 && !listedAlready && tag !== undefined ? { name, newTag: tag } : undefined;
}

/** A value that the entry's `patchesJson6902`, `replicas` or `images` sets comes after its `patches`. */
function lateOwner(scene: EntryBuild, wanted: Wanted, kustomization: MapNode): boolean {
  const late = ["patchesJson6902", "replicas", "images"].flatMap((key) => itemsAt(kustomization, [key]));
  const counted = wanted.path.some((step) => typeof step === "number");
  if (counted && itemsAt(kustomization, ["patchesJson6902"]).length > 0) return true;
  return late.some(
    (item) => scene.build.reach.get(item)?.has(wanted.resource) === true && item.file.path === wanted.owner?.file.path,
  );
}

function exclusivePatch(scene: EntryBuild, wanted: Wanted): ManifestEdit | undefined {
  const layers = wanted.resource.node.layers.filter((layer) => layer.start >= 0);
  let root = wanted.owner;
  while (root?.parent && !layers.includes(root as MapNode)) root = root.parent;
  const ownerIndex = layers.indexOf(root as MapNode);
  for (let n = layers.length - 1; n > ownerIndex; n -= 1) {
    const layer = layers[n];
    if (!layer || sharedWith(scene, layer.file.path) !== undefined) continue;
    if ((scene.build.reach.get(layer)?.size ?? 1) > 1) continue;
    const splice = insertAt(layer, wanted.path, wanted.value);
    if (!splice) continue;
    const guard = guarded(scene, layer);
    if (guard) continue;
    const edit = editOf(scene, splice, {
      path: layer.file.path,
      field: wanted.path.join("."),
      because: wanted.because,
    });
    if (edit.kind === "edit") return edit;
  }
  return undefined;
}

/** Inserts a path that is not there into a written mapping, below the part of it that is. Lists are not entered. */
export function insertAt(
  root: MapNode,
  path: readonly (string | number)[],
  value: string | number,
): Splice | undefined {
  let here = root;
  for (const [n, step] of path.entries()) {
    const next = resolved(here.entries.get(String(step))?.value);
    if (next?.kind === "map" && next.start >= 0 && (next.flow || next.entries.size > 0)) {
      if (next.parent !== here) return undefined;
      here = next;
      continue;
    }
    if (next || typeof step === "number" || n === 0) return undefined;
    const rest = path.slice(n + 1);
    if (rest.some((one) => typeof one === "number")) return undefined;
    return insertEntry(here, step, nested(rest, value));
  }
  return undefined;
}

export const nested = (path: readonly (string | number)[], value: string | number): Written =>
  path.reduceRight<Written>((inner, step) => ({ [String(step)]: inner }), value);

function jsonOperation(wanted: Wanted): { op: string; path: string; value: Written } | undefined {
  const { resource, path, value } = wanted;
  const pointer = (steps: readonly (string | number)[]): string =>
    steps.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  const current = at(resource.node, path);
  if (current && current.kind !== "removed") return { op: "replace", path: pointer(path), value };
  for (let n = path.length - 1; n > 0; n -= 1) {
    const parent = at(resource.node, path.slice(0, n));
    if (parent?.kind === "map")
      return { op: "add", path: pointer(path.slice(0, n + 1)), value: nested(path.slice(n + 1), value) };
    if (parent) return undefined;
  }
  return undefined;
}

function listed(kustomization: MapNode, key: string, item: Written): Splice | undefined {
  const list = at(kustomization, [key]);
  if (list?.kind === "list" && list.items.length > 0) return appendItem(list, item);
  return kustomization.entries.has(key) ? undefined : insertEntry(kustomization, key, [item]);
}

function patchItem(
  kustomization: MapNode,
  target: Written,
  operation: { op: string; path: string; value: Written },
): Splice | undefined {
  return listed(kustomization, "patches", { target, patch: { "|": [operation] } });
}

export const cannotOverlay = (because: string): Refusal =>
  refused("shared-source", because, "Give this environment a patch or a values file of its own, then ask again.");
