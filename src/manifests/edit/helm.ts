import type { ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import { templateKey } from "../helm/chart-templates.ts";
import { editOf, guarded } from "./edit.ts";
import { editField, insertBelow } from "./field.ts";
import { retagged, untagged } from "../trace/images.ts";
import { cannotOverlay } from "./overlay/overlay.ts";
import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import type { ValuesLayer } from "../helm/layers.ts";
import { type Release, releasesOf } from "../helm/releases.ts";
import { kubernetesInteger, kubernetesScalar } from "../yaml/scalar.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { isCopy } from "../trace/deployed/deployer.ts";
import { includedBy, mayRead, sharedWith } from "../trace/sharing.ts";
import { at, itemsAt, type MapNode, type Node, textAt } from "../yaml/source.ts";
import { replaceScalar } from "../yaml/splice.ts";
import { readBySibling } from "./set-siblings.ts";
import { pinned } from "../helm/app-template.ts";
import { componentName } from "../helm/component.ts";
import { takenFrom } from "../helm/foreign-chart.ts";
import { namesOfValues } from "../helm/other-names.ts";
import { valuesKey } from "../helm/values-key.ts";
import type { ValuesKey } from "../helm/component.ts";

/** The edit of a workload that a chart makes: the value that the chart reads. Undefined when no release makes it. */
export function helmAnswer(entryBuild: EntryBuild): ManifestEdit | undefined {
  const release = releaseOf(entryBuild);
  if (!release) return undefined;
  if ("reason" in release) return release;
  const { workload, change } = entryBuild.question;
  const obstacle = suspended(release) ?? postRendered(release) ?? templatedName(release);
  if (obstacle) return obstacle;
  const asked = { release, workload, change };
  const key = release.directory === undefined ? valuesKey(asked) : templateKey(entryBuild, asked);
  if ("reason" in key) return key.reason === "ambiguous-values-key" ? (fromElsewhere(release) ?? key) : key;
  const leaf = at(release.merged, key.path);
  if (leaf?.kind === "scalar" && key.as !== "value" && leaf.text.includes("@")) return pinned(leaf);
  return uncertain(release, key, leaf) ?? editValue(entryBuild, release, key);
}

/** Values that this repository does not show may win, unless the value stands in the layer above them. */
function uncertain(release: Release, key: ValuesKey, leaf: Node | undefined): Refusal | undefined {
  const unseen = release.unseen[0];
  const last = release.layers.at(-1);
  const above =
    release.uncertain ?? (unseen && !(leaf && last && layerOf(release, leaf) === last) ? unseen : undefined);
  const parameter = release.parameters.find((item) => textAt(item, ["name"]) === key.path.join("."));
  const source = parameter ?? above;
  return (
    source &&
    refused(
      "other-source",
      `${whereIs(source)} brings values that may win over ${key.path.join(".")}`,
      "Look at that source first.",
    )
  );
}

/** A chart of another repository says itself which values it reads. */
function fromElsewhere(release: Release): Refusal | undefined {
  const because = takenFrom(release);
  if (because === undefined) return undefined;
  return refused("other-source", because, "Write the value into the release once, then ask again.");
}

function contains(map: MapNode, node: Node): boolean {
  for (let up: Node | undefined = node; up; up = up.parent) if (up === map) return true;
  return false;
}

/** The release that makes the workload: by the labels on the cluster, else by its name. */
function releaseOf(entryBuild: EntryBuild): Release | Refusal | undefined {
  const { workload } = entryBuild.question;
  const releases = releasesOf(entryBuild).filter(
    (one) => one.namespace === undefined || one.namespace === workload.namespace || one.namespace.includes("{"),
  );
  const label = workload.labels?.["helm.toolkit.fluxcd.io/name"];
  const byLabel = releases.filter((one) => one.resource !== undefined && one.resource.names.includes(label ?? ""));
  if (byLabel.length === 1) return byLabel[0];
  const annotated =
    workload.annotations?.["meta.helm.sh/release-name"] ?? workload.labels?.["app.kubernetes.io/instance"];
  const byRelease = releases.filter((one) => one.name === annotated);
  if (byRelease.length === 1 && label === undefined) return byRelease[0];
  if (label !== undefined) return undefined;
  const named = releases.filter((one) => componentName(one, workload.name) !== undefined);
  if (named.length === 0)
    return releases.length === 1 && releases[0]?.directory !== undefined ? releases[0] : undefined;
  const longest = Math.max(...named.map((one) => one.name.length));
  const best = named.filter((one) => one.name.length === longest);
  if (best.length === 1) return best[0];
  return refused(
    "ambiguous",
    `several releases fit ${workload.name}: ${best
      .slice(0, 5)
      .map((one) => whereIs(one.origin))
      .join(", ")}`,
    "Say which release makes it.",
  );
}

export function suspended(release: Release): Refusal | undefined {
  const suspend = at(release.resource?.node, ["spec", "suspend"]);
  if (suspend?.kind !== "scalar" || kubernetesScalar(suspend) !== true) return undefined;
  return refused(
    "deliberately-disabled",
    `${whereIs(suspend)} suspends the release: no change would be applied`,
    "Resume the release first.",
  );
}

/** A post-renderer changes what the chart made, so the values are not the last word. */
function postRendered(release: Release): Refusal | undefined {
  const renderer = itemsAt(release.resource?.node, ["spec", "postRenderers"])[0];
  return (
    renderer &&
    refused(
      "ambiguous",
      `${whereIs(renderer)} changes what the chart makes`,
      "Make this change in the post-renderer by hand.",
    )
  );
}

export function templatedName(release: Release): Refusal | undefined {
  if (!release.name.includes("{{")) return undefined;
  return refused(
    "template",
    `${whereIs(release.origin)} names the release by a template`,
    "Name the generated application's own entry.",
  );
}

/** A change of what Flux packs into the chart does not arrive: the release's own values come after it, and do. */
export function editPacked(entryBuild: EntryBuild, release: Release, key: ValuesKey): ManifestEdit {
  const written = at(release.merged, key.path);
  const isInList = key.path.some((step) => /^\d+$/.test(step));
  if (isInList || key.as === "image") return staysPacked(release, whereIs(written ?? release.origin));
  return editLayer(entryBuild, release, key, { holder: undefined, leaf: undefined });
}

/** Why a change of a file of the chart itself would not reach the cluster. */
export function staysPacked({ packed, chart, origin }: Release, where: string): Refusal {
  if (textAt(packed, ["reconcileStrategy"]) === "Revision")
    return refused(
      "shared-source",
      `${where} is of the chart ${chart}, which other releases may take by the same HelmChart (${whereIs(packed ?? origin)})`,
      "Write the value into the release's own `spec.values`.",
    );
  return refused(
    "other-source",
    `${where} is packed into the chart ${chart}, which Flux packs again only for another version in its Chart.yaml (${whereIs(packed ?? origin)})`,
    "Set `reconcileStrategy: Revision` there, or write the value into the release's own `spec.values`.",
  );
}

export function editValue(entryBuild: EntryBuild, release: Release, key: ValuesKey): ManifestEdit {
  const leaf = at(release.merged, key.path);
  const holder = leaf ? layerOf(release, leaf) : release.layers.at(-1);
  if (release.packed !== undefined && holder?.packed === true) return editPacked(entryBuild, release, key);
  const first = editLayer(entryBuild, release, key, { holder, leaf });
  if (first.kind === "edit" || first.reason !== "shared-source" || !leaf) return first;
  // The shared value keeps serving the others; a layer above it that only this environment reads may say otherwise.
  const above = holder ? release.layers.slice(release.layers.indexOf(holder) + 1) : [];
  for (const layer of above.reverse()) {
    const own = editLayer(entryBuild, release, key, { holder: layer, leaf: undefined });
    if (own.kind === "edit") return own;
  }
  return first;
}

export function editLayer(
  entryBuild: EntryBuild,
  release: Release,
  key: ValuesKey,
  place: { readonly holder: ValuesLayer | undefined; readonly leaf: Node | undefined },
): ManifestEdit {
  const { holder, leaf } = place;
  const own =
    release.resource?.kind === "HelmRelease" ? { resource: release.resource, path: ["spec", "values"] } : undefined;
  const inside = holder ? holder.inside : own;
  if (inside) return editField(entryBuild, inside.resource, [...inside.path, ...key.path], key.as);
  if (holder) return editFile(entryBuild, release, { holder, key, leaf });
  return refused(
    "not-found",
    `${whereIs(release.origin)} has no values to change`,
    "Give the release values of its own.",
  );
}

/** The layer that a value of the merged values was written in; patches of the release belong to its own values. */
function layerOf(release: Release, leaf: Node): ValuesLayer | undefined {
  const file = release.layers.find(
    (layer) => !layer.inside && layer.values.layers.some((written) => contains(written, leaf)),
  );
  return file ?? release.layers.find((layer) => layer.inside);
}

/** Values in a file of their own: shared files are refused, for nobody knows which environments read them. */
function editFile(
  entryBuild: EntryBuild,
  release: Release,
  what: { holder: ValuesLayer; key: ValuesKey; leaf: Node | undefined },
): ManifestEdit {
  const { holder, key, leaf } = what;
  const { change } = entryBuild.question;
  const path = holder.values.file.path;
  // Several applications of one chart are told apart by the value files that they name.
  const included = release.directory === entryBuild.path ? includedBy(entryBuild, path) : sharedWith(entryBuild, path);
  const shared = included ?? valuesUsedBy(entryBuild, release, path);
  if (shared !== undefined) return cannotOverlay(`${whereIs(leaf ?? holder.values)} also serves ${shared}`);
  const owner = {
    path,
    field: key.path.join("."),
    because: `${whereIs(leaf ?? holder.values)} is the last value that the chart reads`,
  };
  if (!leaf && key.as === "image")
    return refused("not-found", `${whereIs(holder.values)} names no image`, "Write the image into the values first.");
  if (!leaf) {
    const splice = insertBelow(holder.values, key.path, change.to);
    return guarded(entryBuild, holder.values) ?? editOf(entryBuild, splice, owner);
  }
  if (leaf.kind !== "scalar")
    return refused("parse-error", `${whereIs(leaf)} holds no plain value`, "Make this change by hand.");
  const guard = guarded(entryBuild, leaf);
  if (guard) return guard;
  if (change.kind === "replicas" && kubernetesInteger(leaf) === 0)
    return refused(
      "deliberately-disabled",
      `${whereIs(leaf)} says 0: someone switched it off`,
      "Ask its owners before starting it.",
    );
  if (/\$\{|\{\{/.test(leaf.text))
    return refused("template", `${whereIs(leaf)} holds ${leaf.text}`, "Find what fills this in.");
  if (key.as !== "image") return editOf(entryBuild, replaceScalar(leaf, change.to), owner);
  const tag = /:([\w][\w.-]*)$/.exec(leaf.text);
  if (!tag && !untagged.test(leaf.text))
    return refused("ambiguous", `${whereIs(leaf)} names no tag`, "Write the tag into the values first.");
  return editOf(entryBuild, retagged(leaf, tag?.index, String(change.to)), owner);
}

/** Another application or release that names the same value file, or the same chart with its own defaults. */
export function valuesUsedBy(entryBuild: EntryBuild, release: Release, path: string): string | undefined {
  const { own, other } = namesOfValues(entryBuild, release, path);
  if (other !== undefined) return `what reads ${other}`;
  for (const name of new Set([path, ...own])) {
    const user = readBySibling(entryBuild, name) ?? namedBy(entryBuild, release, name);
    if (user !== undefined) return user;
  }
  return undefined;
}

function namedBy(entryBuild: EntryBuild, release: Release, path: string): string | undefined {
  const segments = path.split("/");
  const name = segments.at(-1) ?? "";
  const ending = segments.slice(-2).join("/");
  for (const deployer of entryBuild.index.deployers) {
    const itself =
      deployer.file === release.resource?.origin.file.path && release.resource.names.includes(deployer.name);
    const own = deployer === entryBuild.declared || (entryBuild.declared && isCopy(deployer, entryBuild.declared));
    if (own || deployer.kind === "Kustomization" || itself) continue;
    const chart = deployer.paths.find((one) => path.startsWith(`${one}/`) && mayRead(entryBuild, deployer, one, path));
    const text = deployer.node.file.text.slice(deployer.node.start, deployer.node.end);
    if (chart === undefined && !text.includes(ending)) continue;
    if (name === "values.yaml" || text.includes(name)) return `${deployer.kind} ${deployer.name} (${deployer.file})`;
  }
  return undefined;
}
