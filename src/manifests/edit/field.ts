import type { ManifestEdit, WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import { editOf, guarded } from "./edit.ts";
import { insertAt, nested } from "./overlay/insert.ts";
import { cannotOverlay, overlaid } from "./overlay/overlay.ts";
import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import { nameOf, podSpecPath, type Resource } from "../repository/resource.ts";
import {
  crossedBound,
  crossedQuantity,
  otherBoundOf,
  otherSideOf,
  parseQuantity,
} from "../../domain/kubernetes/quantity.ts";
import { kubernetesInteger } from "../yaml/scalar.ts";
import { ignoredByArgo } from "../trace/scalers.ts";
import { type EntryBuild, substituted } from "../trace/entry-build.ts";
import { isNewTag, retagged, untagged } from "../trace/images.ts";
import { onlyTwinsRead, reachesSeveral, sharedAt, sharedWith } from "../trace/sharing.ts";
import { at, itemsAt, type MapEntry, type MapNode, type Node, type ScalarNode, textAt } from "../yaml/source.ts";
import { fillEmpty, fillValue, insertEntry, replaceScalar, type Splice } from "../yaml/splice.ts";
import { editVariable } from "./variables.ts";

type Path = readonly (string | number)[];

/** The wanted change as a path into an object of the entry; a refusal when the container is unclear. */
export function fieldPath(entryBuild: EntryBuild, resource: Resource): Path | Refusal {
  const { change } = entryBuild.question;
  if (change.kind === "replicas") return ["spec", "replicas"];
  if (change.kind === "hpa" || change.kind === "scaled-object") return ["spec", change.field];
  const pod = podSpecPath(resource.kind);
  if (!pod)
    return refused(
      "operator-owned",
      `${resource.kind} ${nameOf(resource)} has no containers of its own`,
      "Change the custom resource by hand.",
    );
  const index = containerIndex(entryBuild, resource, pod);
  if (typeof index !== "number") return index;
  const container = [...pod, "containers", index];
  return change.kind === "image-tag"
    ? [...container, "image"]
    : [...container, "resources", ...change.field.split(".")];
}

function containerIndex(entryBuild: EntryBuild, resource: Resource, pod: Path): number | Refusal {
  const containers = itemsAt(resource.node, [...pod, "containers"]);
  const { container } = entryBuild.question.workload;
  if (container === undefined && containers.length === 1) return 0;
  const index = containers.findIndex((one) => textAt(one, ["name"]) === container);
  if (index >= 0 && container !== undefined) return index;
  const because = `${whereIs(resource.origin)} has the containers ${containers.map((one) => textAt(one, ["name"])).join(", ") || "of a remote base only"}`;
  return container === undefined
    ? refused("ambiguous", because, "Say which container is meant.")
    : refused(
        "not-found",
        `${because}, not ${container}`,
        "Look for what adds the container (a sidecar injector, an operator).",
      );
}

/** Edits the field of an object where Git owns it, or for this environment alone when the owner is shared. */
export function editField(
  entryBuild: EntryBuild,
  resource: Resource,
  path: Path,
  as: "value" | "tag" | "image" = "value",
): ManifestEdit {
  const { change } = entryBuild.question;
  const ignored = ignoredByArgo(entryBuild, resource, path);
  if (ignored) return ignored;
  const opaque = entryBuild.build.opaque[0];
  if (opaque)
    return refused("ambiguous", `${opaque.path}:${opaque.line}: ${opaque.because}`, "Make this change by hand.");
  const leaf = at(resource.node, path);
  if (leaf?.kind === "removed") {
    return refused(
      "deliberately-disabled",
      `${whereIs(leaf)} removes ${path.join(".")} on purpose`,
      "Change or drop that patch first.",
    );
  }
  if (leaf && leaf.kind !== "scalar")
    return refused("parse-error", `${whereIs(leaf)} holds no plain value`, "Make this change by hand.");
  const above = crossedLimit(entryBuild, resource, path) ?? crossedBounds(entryBuild, resource);
  if (above) return above;
  if (!leaf || isEmpty(leaf)) return insertField(entryBuild, resource, path, as);
  if (change.kind === "image-tag" && as !== "tag") return editImage(entryBuild, resource, path, leaf);
  if (leaf.text.includes("${")) return editVariable(entryBuild, leaf, change.to);
  const odd = oddValue(change, leaf) ?? asText(change, path, leaf);
  if (odd) return odd;
  return replaceOwned(entryBuild, { resource, path, leaf, splice: replaceScalar(leaf, change.to), value: change.to });
}

const isEmpty = (leaf: ScalarNode): boolean => leaf.style === "plain" && /^(?:~|null)?$/.test(leaf.text);

/** A count that is 0 was switched off by someone; one that Kubernetes cannot read is not ours to mend. */
function oddValue(change: WantedChange, leaf: ScalarNode): Refusal | undefined {
  if (typeof change.to !== "number") return undefined;
  const current = kubernetesInteger(leaf);
  if (current === undefined)
    return refused("template", `${whereIs(leaf)} holds ${leaf.text}, not a number`, "Find what fills this in.");
  if (change.kind !== "replicas" || current !== 0) return undefined;
  return refused(
    "deliberately-disabled",
    `${whereIs(leaf)} says 0: someone switched it off`,
    "Ask its owners before starting it.",
  );
}

/** A count in quotes is a text, which the API refuses; what a chart makes of such a value only its templates know. */
function asText(change: WantedChange, path: Path, leaf: ScalarNode): Refusal | undefined {
  if (typeof change.to !== "number" || path.length !== 2 || (leaf.style !== "single" && leaf.style !== "double"))
    return undefined;
  const because = `${whereIs(leaf)} writes ${leaf.text} as a text, and the API wants a number for ${path.join(".")}`;
  return refused("parse-error", because, "Take the quotes away first.");
}

/** Kubernetes refuses an autoscaler whose least is more than its most. */
function crossedBounds(entryBuild: EntryBuild, resource: Resource): Refusal | undefined {
  const { change } = entryBuild.question;
  if (change.kind !== "hpa" && change.kind !== "scaled-object") return undefined;
  const other = at(resource.node, ["spec", otherBoundOf(change.field)]);
  const bound = other?.kind === "scalar" ? parseQuantity(substituted(other.text, entryBuild)) : undefined;
  if (!other || bound === undefined || !crossedBound(change.field, change.to, bound)) return undefined;
  return refused(
    "ambiguous",
    `${whereIs(other)} says ${bound}, so ${change.field} cannot be ${change.to}`,
    "Change both bounds by hand.",
  );
}

/** Kubernetes refuses a request above its limit. */
function crossedLimit(entryBuild: EntryBuild, resource: Resource, path: Path): Refusal | undefined {
  const { change } = entryBuild.question;
  if (change.kind !== "resources") return undefined;
  const other = otherSideOf(change.field);
  const there = at(resource.node, [...path.slice(0, -2), ...other.split(".")]);
  const text = there?.kind === "scalar" ? substituted(there.text, entryBuild) : undefined;
  if (!there || text === undefined || !crossedQuantity(change.field, change.to, text)) return undefined;
  const because = `${whereIs(there)} says ${text} for ${other}, so ${change.field} cannot be ${change.to}`;
  return refused("ambiguous", because, "Change request and limit together, by hand.");
}

interface Owned {
  readonly resource: Resource;
  readonly path: Path;
  readonly leaf: Node;
  readonly splice: Splice | undefined;
  readonly value: string | number;
}

function replaceOwned(entryBuild: EntryBuild, owned: Owned): ManifestEdit {
  const { leaf, resource, path } = owned;
  const guard = guarded(entryBuild, leaf);
  if (guard && guard.reason !== "shared-anchor") return guard;
  const several = reachesSeveral(entryBuild, leaf);
  const shared = several ? undefined : sharedAt(entryBuild, leaf);
  const field = path.join(".");
  if (several || shared !== undefined) {
    const others = several?.resources.filter((one) => one !== resource).map((one) => `${one.kind} ${nameOf(one)}`);
    const because = `${whereIs(leaf)} also serves ${others?.join(", ") ?? shared}`;
    const cannot = cannotOverlay(because);
    const inPatch = !standsIn(leaf, resource.origin);
    // One patch for several objects of this environment means that they belong together.
    if (several && inPatch) return { ...cannot, reason: "shared-patch" };
    const refusal: Refusal = inPatch ? { ...cannot, reason: "shared-patch" } : cannot;
    const overlay = overlaid(entryBuild, { resource, path, value: owned.value, because, owner: leaf }, refusal);
    if (overlay.kind === "edit" || several || !onlyTwinsRead(entryBuild, leaf.file.path)) return overlay;
    if (guard) return guard;
    const twin = `${shared} deploys the same object from ${leaf.file.path}`;
    return editOf(entryBuild, owned.splice, { path: leaf.file.path, field, because }, [twin]);
  }
  if (guard) return guard;
  return editOf(entryBuild, owned.splice, {
    path: leaf.file.path,
    field,
    because: `${whereIs(leaf)} sets ${field} of ${resource.kind} ${nameOf(resource)}, nothing after it does`,
  });
}

/** `IMAGE_TAG`, `__TAG__`, `tag-placeholder`: no tag that anyone pushes. */
const isPlaceholder = (tag: string): boolean => /^[A-Z][A-Z_]{2,}$|^__|placeholder/.test(tag);

function standsIn(node: Node, root: Node): boolean {
  for (let up: Node | undefined = node; up; up = up.parent) if (up === root) return true;
  return false;
}

function editImage(entryBuild: EntryBuild, resource: Resource, path: Path, leaf: ScalarNode): ManifestEdit {
  const made = entryBuild.build.images.get(leaf);
  const value = String(entryBuild.question.change.to);
  const owner = made?.tag ?? leaf;
  if (made?.digest || leaf.text.includes("@")) {
    return refused(
      "digest-pinned",
      `${whereIs(made?.digest ?? owner)} pins the image by digest, which wins over the tag`,
      "Give tag and digest together, by hand.",
    );
  }
  if (owner.text.includes("${")) return editVariable(entryBuild, owner, value);
  const whole = !isNewTag(owner);
  const tag = /:([\w][\w.-]*)$/.exec(owner.text);
  if (whole && !tag && !untagged.test(owner.text))
    return refused("ambiguous", `${whereIs(owner)} names no tag`, "Write the tag into the manifest first.");
  const written = tag?.[1] ?? owner.text;
  if (isPlaceholder(written)) {
    return refused(
      "template",
      `${whereIs(owner)} holds ${written}, which a program fills in`,
      "Change what it is filled with.",
    );
  }
  const splice = whole ? retagged(owner, tag?.index, value) : replaceScalar(owner, value);
  const full = `${leaf.text.replace(/:[^/:]*$/, "")}:${value}`;
  if (made && owner !== leaf) return replaceOwned(entryBuild, { resource, path, leaf: owner, splice, value: full });
  return replaceOwned(entryBuild, { resource, path, leaf, splice, value: full });
}

/** Nobody wrote the field: it goes into the strongest mapping of the object that only this environment reads. */
function insertField(
  entryBuild: EntryBuild,
  resource: Resource,
  path: Path,
  as: "value" | "tag" | "image",
): ManifestEdit {
  const value = entryBuild.question.change.to;
  if (resource.supposed === true) {
    return refused(
      "remote-base",
      `${whereIs(resource.origin)} takes ${nameOf(resource)} from elsewhere, and nothing here sets ${path.join(".")}`,
      "Change it there, or add a patch here by hand.",
    );
  }
  if (entryBuild.question.change.kind === "image-tag" && as !== "tag" && path.at(-1) !== "tag")
    return refused("not-found", `${whereIs(resource.origin)} has no image`, "Make this change by hand.");
  const because = `nothing sets ${path.join(".")} of ${resource.kind} ${nameOf(resource)} (${whereIs(resource.origin)})`;
  const shared = sharedWith(entryBuild, resource.origin.file.path);
  const several = reachesSeveral(entryBuild, resource.origin);
  if (shared !== undefined || several) {
    const why = `${because}, and its file also serves ${shared ?? "other objects"}`;
    return overlaid(entryBuild, { resource, path, value, because: why, owner: undefined }, cannotOverlay(why));
  }
  const splice = insertBelow(resource.node, path, value) ?? insertAt(resource.origin, path, value);
  const place = splice && ownerOf(resource, splice.path);
  if (!splice || !place)
    return refused("parse-error", `${because}, and there is no place to add it`, "Make this change by hand.");
  const foreign = splice.path === resource.origin.file.path ? undefined : sharedWith(entryBuild, splice.path);
  if (foreign !== undefined)
    return overlaid(entryBuild, { resource, path, value, because, owner: undefined }, cannotOverlay(because));
  const guard = guarded(entryBuild, place);
  if (guard) return guard;
  return editOf(entryBuild, splice, { path: splice.path, field: path.join("."), because });
}

const ownerOf = (resource: Resource, path: string): Node | undefined =>
  resource.node.layers.find((layer) => layer.file.path === path) ??
  (resource.origin.file.path === path ? resource.origin : undefined);

/** Inserts below the deepest mapping on the way that someone wrote by hand. */
export function insertBelow(root: MapNode, path: Path, value: string | number): Splice | undefined {
  for (let n = path.length - 1; n >= 0; n -= 1) {
    const parent = at(root, path.slice(0, n));
    const step = String(path[n]);
    const rest = path.slice(n + 1);
    if (parent?.kind === "scalar" && parent.start < 0) {
      const holder = at(root, path.slice(0, n - 1));
      const key = holder?.kind === "map" ? holder.entries.get(String(path[n - 1]))?.key : undefined;
      return key && key.start >= 0 ? fillEmpty(key, nested(path.slice(n), value)) : undefined;
    }
    if (parent?.kind !== "map") continue;
    const written = parent.layers.filter((layer) => layer.start >= 0 && (layer.flow || layer.entries.size > 0)).at(-1);
    const present = written?.entries.get(step);
    if (present) return rest.length === 0 ? filled(present, value) : undefined;
    return written && insertEntry(written, step, nested(rest, value));
  }
  return undefined;
}

/** A key that stands there with nothing, or with null. */
function filled({ key, value: written }: MapEntry, value: string | number): Splice | undefined {
  if (written.kind !== "scalar" || !isEmpty(written)) return undefined;
  return written.start < 0 || written.text === "" ? fillValue(key, value) : replaceScalar(written, value);
}
