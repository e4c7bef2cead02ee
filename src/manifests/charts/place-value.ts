import type { ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import { editOf, guarded } from "../edit/edit.ts";
import { editLayer, editPacked, editValue, staysPacked } from "../edit/helm.ts";
import { inNewValues } from "../edit/new-values.ts";
import { cannotOverlay } from "../edit/overlay/overlay.ts";
import { refused, whereIs } from "../repository/refusal.ts";
import type { ValuesLayer } from "../helm/layers.ts";
import { linkedTemplate } from "../helm/other-names.ts";
import type { ValuesKey } from "../helm/component.ts";
import type { Release } from "../helm/releases.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { retagged, untagged } from "../trace/images.ts";
import { sharedAt } from "../trace/sharing.ts";
import { at, type Node, textAt } from "../yaml/source.ts";
import { replaceScalar } from "../yaml/splice.ts";
import { fileGuard, fieldComment } from "../yaml/guards.ts";
import type { Candidate } from "./candidates.ts";
import { otherUser, otherUserOfParts } from "./chart-users.ts";
import type { Literal } from "./literals/template-literals.ts";

/**
 * Writes the wanted value where only this environment reads it: the layer that holds it, else the most specific one,
 * else a file of values that the release asks for and that is not there yet. `image` is the whole image with the wanted
 * tag, for a key that names it as a whole.
 */
export function placed(
  entryBuild: EntryBuild,
  release: Release,
  candidate: Pick<Candidate, "path" | "as">,
  image?: string,
): ManifestEdit {
  const edit = placedInLayers(entryBuild, release, candidate);
  if (edit.kind === "edit") return edit;
  const isElsewhere = edit.reason === "shared-source" || edit.reason === "not-found";
  if (candidate.as === "image" && image !== undefined && (isElsewhere || release.packed !== undefined))
    return placedImage(entryBuild, release, candidate.path, image) ?? edit;
  if (!isElsewhere || candidate.as === "image") return edit;
  const own = release.directory === undefined ? undefined : `${prefixOf(release.directory)}values.yaml`;
  const file = release.open.at(-1);
  if (file === undefined) return edit;
  const user = file === own ? otherUser(entryBuild, release) : undefined;
  if (user !== undefined) return cannotOverlay(`${file} says nothing yet, and would also serve ${user}`);
  return inNewValues(entryBuild, release, candidate.path, { file, isOwn: file === own }) ?? edit;
}

/** An image that one key names as a whole, written where nothing stood yet. */
function placedImage(
  entryBuild: EntryBuild,
  release: Release,
  path: Candidate["path"],
  to: string,
): ManifestEdit | undefined {
  const change = { ...entryBuild.question.change, to } as EntryBuild["question"]["change"];
  const edit = placed({ ...entryBuild, question: { ...entryBuild.question, change } }, release, { path, as: "tag" });
  return edit.kind === "edit" ? edit : undefined;
}

function placedInLayers(
  entryBuild: EntryBuild,
  release: Release,
  candidate: Pick<Candidate, "path" | "as">,
): ManifestEdit {
  const key = { path: candidate.path.map(String), as: candidate.as };
  const parameter = release.parameters.find((item) => textAt(item, ["name"]) === key.path.join("."));
  if (parameter) return editParameter(entryBuild, parameter, candidate);
  const leaf = at(release.merged, key.path);
  const own = release.layers[0];
  const isOwn = (layer: ValuesLayer | undefined): boolean =>
    layer !== undefined &&
    release.directory !== undefined &&
    (layer.values.file.path.startsWith(prefixOf(release.directory)) ||
      layer.values.file.path === entryBuild.reader.real(`${prefixOf(release.directory)}values.yaml`));
  const above = release.layers.filter((layer) => layer.values.file.path !== own?.values.file.path).reverse();
  const holder = leaf && release.layers.findLast((layer) => at(layer.values, key.path) === leaf);
  if (holder && holder.values.file.path !== own?.values.file.path) return editValue(entryBuild, release, key);
  // What is left is packed: the chart's own values, or a key that nobody wrote.
  if (release.packed !== undefined) return editPacked(entryBuild, release, key);
  const user = isOwn(own) ? otherUser(entryBuild, release) : undefined;
  if (leaf && user === undefined) return editValue(entryBuild, release, key);
  const edit = inLayerAbove(entryBuild, release, {
    key,
    above,
    isShared: user !== undefined,
    isInList: isInList(candidate),
  });
  if (edit !== undefined) return edit;
  if (user === undefined) return editValue(entryBuild, release, key);
  return cannotOverlay(`${leaf ? whereIs(leaf) : `${release.directory}/values.yaml`} also serves ${user}`);
}

interface Above {
  readonly key: ValuesKey;
  /** Most specific first. */
  readonly above: readonly ValuesLayer[];
  /** Whether other releases read what lies below. */
  readonly isShared: boolean;
  readonly isInList: boolean;
}

/** The value in a layer over the chart's own; else why the first of them cannot have it. */
function inLayerAbove(entryBuild: EntryBuild, release: Release, what: Above): ManifestEdit | undefined {
  const { key, above, isShared } = what;
  if (what.isInList) return undefined;
  // What a release itself says comes over all that others read as well.
  const says = above.some(({ inside }) => inside !== undefined);
  const isOpen = release.resource?.kind === "HelmRelease" && isShared && !says && key.as !== "image";
  let first: ManifestEdit | undefined;
  for (const holder of [...above, ...(isOpen ? [undefined] : [])]) {
    const edit = editLayer(entryBuild, release, key, { holder, leaf: undefined });
    if (edit.kind === "edit") return edit;
    first ??= edit;
  }
  return first;
}

/** No layer above can say one item of a list anew. */
const isInList = ({ path }: Pick<Candidate, "path">): boolean =>
  path.length > 1 && path.some((step) => typeof step === "number");

const prefixOf = (directory: string): string => (directory === "" ? "" : `${directory}/`);

/** A parameter of an Argo CD Application wins over all values: it is what must say something else. */
function editParameter(entryBuild: EntryBuild, item: Node, { as }: Pick<Candidate, "as">): ManifestEdit {
  const value = at(item, ["value"]);
  if (value?.kind !== "scalar")
    return refused("parse-error", `${whereIs(item)} holds no plain value`, "Make this change by hand.");
  if (/\{\{|\$\{/.test(value.text))
    return refused("template", `${whereIs(value)} holds ${value.text}`, "Find what fills this in.");
  const shared = sharedAt(entryBuild, value);
  if (shared !== undefined) return cannotOverlay(`${whereIs(value)} also serves ${shared}`);
  const to = String(entryBuild.question.change.to);
  const tag = /:([\w][\w.-]*)$/.exec(value.text);
  if (as === "image" && !tag && !untagged.test(value.text))
    return refused("ambiguous", `${whereIs(value)} names no tag`, "Write the tag into the parameter first.");
  const splice = as === "image" ? retagged(value, tag?.index, to) : replaceScalar(value, to);
  const owner = {
    path: value.file.path,
    field: `helm.parameters[name=${textAt(item, ["name"])}].value`,
    because: `${whereIs(value)} is a parameter of the application, which wins over its values`,
  };
  return guarded(entryBuild, value) ?? editOf(entryBuild, splice, owner);
}

/** A value that the template itself writes down: its owner, where exactly one release uses the chart. */
export function placedLiteral(entryBuild: EntryBuild, release: Release, literal: Literal): ManifestEdit {
  const { change } = entryBuild.question;
  const before = new TextDecoder().decode(entryBuild.tree.read(literal.path));
  const line = before.slice(0, literal.start).split("\n").length;
  const where = `${literal.path}:${line}`;
  const user =
    otherUser(entryBuild, release) ??
    otherUserOfParts(entryBuild, release, literal.parts) ??
    linkedTemplate(entryBuild, release, literal.path);
  if (user !== undefined) {
    const because = `${where} writes ${literal.text} for every release of the chart, also for ${user}`;
    return refused("chart-hardcoded", because, "Make the chart read it from its values first.");
  }
  if (release.packed !== undefined) return staysPacked(release, where);
  const guard =
    fileGuard(literal.path, before) ??
    fieldComment({ file: { path: literal.path, text: before }, start: literal.start, end: literal.end });
  if (guard) return refused(guard.reason, `${literal.path}:${guard.line} says: ${guard.text}`, "Ask its owners first.");
  const after = before.slice(0, literal.start) + String(change.to) + before.slice(literal.end);
  const because = `${where} writes it into the template, and only this release uses the chart`;
  return {
    kind: "edit",
    files: [{ path: literal.path, before, after }],
    owners: [{ path: literal.path, field: `line ${line}`, because }],
    warnings: [],
  };
}
