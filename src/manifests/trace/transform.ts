import { reached, type Traces } from "./traces.ts";
import { setImages } from "./images.ts";
import { applyJsonPatch, changed, mergeStrategic } from "./patch.ts";
import type { Reader } from "../repository/reader.ts";
import { insideRepository } from "../repository/reader.ts";
import { isBuiltin, nameOf, type Resource } from "../repository/resource.ts";
import { at, entriesOf, itemsAt, lineOf, type MapNode, type Node, resolved, textAt } from "../yaml/source.ts";

/** The transformers of one kustomization (or of a Flux or Argo CD object that acts like one), in kustomize's order. */
export function transform(
  spec: Node,
  directory: string,
  resources: Resource[],
  deps: { reader: Reader; traces: Traces },
): void {
  const { reader, traces } = deps;
  const file = (path: string | undefined): readonly Node[] => {
    const inside = path === undefined ? undefined : insideRepository(directory, path);
    const source = inside === undefined ? undefined : reader.file(inside);
    if (inside !== undefined) traces.files.add(inside);
    return source?.ok ? source.file.documents.map((document) => document.root) : [];
  };
  for (const item of itemsAt(spec, ["patchesStrategicMerge"])) strategicItem(item, resources, { reader, traces, file });
  for (const item of itemsAt(spec, ["patches"])) targetedPatch(item, resources, { reader, traces, file });
  const namespace = textAt(spec, ["namespace"]) ?? textAt(spec, ["targetNamespace"]);
  const [prefix, suffix] = [textAt(spec, ["namePrefix"]) ?? "", textAt(spec, ["nameSuffix"]) ?? ""];
  for (const resource of resources) rename(resource, namespace, prefix, suffix);
  for (const item of itemsAt(spec, ["patchesJson6902"])) targetedPatch(item, resources, { reader, traces, file });
  for (const item of itemsAt(spec, ["replicas"])) setReplicas(item, resources, traces);
  for (const item of [...itemsAt(spec, ["images"]), ...itemsAt(spec, ["imageTags"])])
    setImages(item, resources, traces);
  for (const key of ["replacements", "vars"]) noteReplacements(spec, key, traces, file);
  for (const item of itemsAt(spec, ["transformers"])) noteTransformer(item, file, traces);
}

interface Patching {
  readonly reader: Reader;
  readonly traces: Traces;
  readonly file: (path: string | undefined) => readonly Node[];
}

function strategicItem(item: Node, resources: Resource[], patching: Patching): void {
  const scalar = resolved(item);
  if (scalar?.kind !== "scalar") return;
  const inline = scalar.text.includes("\n") || scalar.text.trim().startsWith("{");
  const roots = inline ? patching.reader.embedded(scalar) : patching.file(scalar.text);
  if (roots) for (const root of roots) strategicPatch(root, resources, patching.traces);
  else noteOpaque(scalar, "an inline patch is written in a way that hides its places", patching.traces);
}

function targetedPatch(item: Node, resources: Resource[], patching: Patching): void {
  const target = at(item, ["target"]);
  const inline = at(item, ["patch"]);
  const path = textAt(item, ["path"]);
  const roots = inline?.kind === "scalar" ? patching.reader.embedded(inline) : inline ? [inline] : patching.file(path);
  if (!roots)
    return noteOpaque(inline ?? item, "an inline patch is written in a way that hides its places", patching.traces);
  for (const root of roots) {
    const node = resolved(root);
    if (node?.kind === "list") jsonPatch(root, target, resources, patching.traces);
    else if (target && node?.kind === "map")
      strategicOn(
        anonymous(node),
        resources.filter((one) => selects(target, one, patching.traces)),
        patching.traces,
        root,
      );
    else strategicPatch(root, resources, patching.traces);
  }
}

function jsonPatch(root: Node, target: Node | undefined, resources: Resource[], traces: Traces): void {
  const operations = itemsAt(root, []);
  if (!target) return;
  for (const resource of resources.filter((one) => selects(target, one, traces))) {
    const patched = applyJsonPatch(resource.node, operations);
    reached(traces, root, resource);
    if (patched.kind === "patched") become(resource, patched.node);
    else if (patched.kind === "unsupported") noteOpaque(root, patched.because, traces);
  }
}

/** A patch may also rename the object or move it to another namespace. */
function become(resource: Resource, node: MapNode): void {
  const [name, namespace] = [textAt(node, ["metadata", "name"]), textAt(node, ["metadata", "namespace"])];
  if (name !== undefined && name !== textAt(resource.node, ["metadata", "name"]))
    resource.names = [...resource.names, name];
  if (namespace !== textAt(resource.node, ["metadata", "namespace"])) {
    resource.namespace = namespace;
    resource.namespaces = [...resource.namespaces, namespace];
  }
  resource.node = node;
}

function strategicPatch(root: Node, resources: Resource[], traces: Traces): void {
  const [kind, name] = [textAt(root, ["kind"]), textAt(root, ["metadata", "name"])];
  const namespace = textAt(root, ["metadata", "namespace"]);
  const chosen = resources.filter(
    (one) =>
      one.kind === kind &&
      one.names.includes(name ?? "") &&
      groupOf(one.apiVersion) === groupOf(textAt(root, ["apiVersion"]) ?? "") &&
      (namespace === undefined || one.namespaces.includes(namespace)),
  );
  strategicOn(root, chosen, traces);
}

/** With a target, the patch's own name and kind mean nothing. */
function anonymous(patch: MapNode): MapNode {
  const entries = new Map(entriesOf(patch));
  for (const key of ["apiVersion", "kind"]) entries.delete(key);
  const metadata = entries.get("metadata");
  const value = resolved(metadata?.value);
  if (metadata && value?.kind === "map") {
    const kept = new Map(entriesOf(value));
    for (const key of ["name", "namespace"]) kept.delete(key);
    if (kept.size === 0) entries.delete("metadata");
    else entries.set("metadata", { key: metadata.key, value: { ...value, entries: kept } });
  }
  return { ...patch, entries };
}

function strategicOn(root: Node, chosen: readonly Resource[], traces: Traces, written: Node = root): void {
  const patch = resolved(root);
  if (patch?.kind !== "map") return;
  for (const resource of chosen) {
    const patched = mergeStrategic(resource.node, patch, isBuiltin(resource));
    reached(traces, written, resource);
    if (patched.kind === "patched") become(resource, patched.node);
    else if (patched.kind === "deleted") resource.deletedBy = patch;
    else noteOpaque(root, patched.because, traces);
  }
}

const groupOf = (apiVersion: string): string => (apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "");

/** A patch target: kind, name and namespace are anchored regular expressions; selectors know equality only. */
function selects(target: Node, resource: Resource, traces: Traces): boolean {
  const fits = (key: string, values: readonly (string | undefined)[]): boolean => {
    const wanted = textAt(target, [key]);
    return (
      wanted === undefined ||
      wanted === "" ||
      values.some((value) => value !== undefined && matchesWhole(wanted, value))
    );
  };
  const [group, version] = resource.apiVersion.includes("/")
    ? resource.apiVersion.split("/")
    : ["", resource.apiVersion];
  if (!fits("kind", [resource.kind]) || !fits("name", resource.names)) return false;
  if (!fits("namespace", resource.namespaces) || !fits("group", [group]) || !fits("version", [version])) return false;
  return (
    selectedBy(textAt(target, ["labelSelector"]), "labels", resource, traces) &&
    selectedBy(textAt(target, ["annotationSelector"]), "annotations", resource, traces)
  );
}

function selectedBy(selector: string | undefined, field: string, resource: Resource, traces: Traces): boolean {
  if (selector === undefined || selector.trim() === "") return true;
  const found = (key: string) => textAt(resource.node, ["metadata", field, key]);
  // A comma within parentheses parts values.
  return selector.split(/,(?![^(]*\))/).every((part) => {
    const fits = requirement(part.trim(), found);
    return fits ?? noteOpaque(resource.origin, `the selector ${selector} is not understood`, traces) ?? true;
  });
}

/** One requirement of a selector, as Kubernetes reads it: what has no such label is never equal; undefined for others. */
function requirement(part: string, found: (key: string) => string | undefined): boolean | undefined {
  const [, no, exists] = /^(!?)\s*([^\s=!,()]+)$/.exec(part) ?? [];
  if (exists !== undefined) return (found(exists) !== undefined) === (no === "");
  const [, key, operator, value] = /^([^\s=!,()]+)\s*(==?|!=)\s*([^\s=,()]*)$/.exec(part) ?? [];
  if (key !== undefined) return operator === "!=" ? found(key) !== value : found(key) === value;
  const [, of, set, list = ""] = /^([^\s=!,()]+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part) ?? [];
  if (of === undefined) return undefined;
  const values = list.split(",").map((one) => one.trim());
  return values.includes(found(of) ?? "\0") === (set === "in");
}

/** Anchored as kustomize does it; a pattern that is no regular expression, or a slow one, is compared as text. */
function matchesWhole(pattern: string, value: string): boolean {
  if (/^[\w-]+$/.test(pattern)) return pattern === value;
  if (pattern.length > 200 || /[+*}]\)?[+*{]|\)[+*{]/.test(pattern)) return pattern === value;
  try {
    return new RegExp(`^(?:${pattern})$`).test(value);
  } catch {
    return pattern === value;
  }
}

const clusterScoped =
  /^(?:Namespace|CustomResourceDefinition|Cluster\w*|PersistentVolume|StorageClass|PriorityClass|\w+WebhookConfiguration|APIService)$/;

function rename(resource: Resource, namespace: string | undefined, prefix: string, suffix: string): void {
  if (namespace !== undefined && !clusterScoped.test(resource.kind)) {
    resource.namespace = namespace;
    resource.namespaces = [...resource.namespaces, namespace];
  }
  const untouched = resource.kind === "Namespace" || resource.kind === "CustomResourceDefinition";
  if ((prefix !== "" || suffix !== "") && !untouched)
    resource.names = [...resource.names, `${prefix}${nameOf(resource)}${suffix}`];
}

function setReplicas(entry: Node, resources: readonly Resource[], traces: Traces): void {
  const [name, count] = [textAt(entry, ["name"]), at(entry, ["count"])];
  if (name === undefined || count?.kind !== "scalar") return;
  const kinds = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];
  for (const resource of resources.filter((one) => kinds.includes(one.kind) && one.names.includes(name))) {
    const node = changed(resource.node, ["spec", "replicas"], count);
    if (node.kind === "map") resource.node = node;
    reached(traces, entry, resource);
  }
}

function noteReplacements(spec: Node, key: string, traces: Traces, file: Patching["file"]): void {
  if (key === "vars") return;
  for (const item of itemsAt(spec, [key])) {
    const path = textAt(item, ["path"]);
    const blocks =
      path === undefined
        ? [item]
        : file(path).flatMap((root) => itemsAt(root, []).concat(itemsAt(root, ["replacements"])));
    for (const block of blocks) {
      const targets = itemsAt(block, ["targets"]).flatMap((target) => itemsAt(target, ["fieldPaths"]));
      const kinds = targets.map((target) => textAt(target, []) ?? "").join(" ");
      if (/replicas|image|resources/i.test(kinds)) noteOpaque(block, `a replacement writes ${kinds}`, traces);
    }
  }
}

function noteTransformer(item: Node, file: Patching["file"], traces: Traces): void {
  const harmless =
    /^(?:Label|Annotations?|Namespace|Hash|NamespaceTransformer|Prefix|Suffix)\w*Transformer$|^NamespaceTransformer$/;
  for (const root of file(textAt(item, []))) {
    const kind = textAt(root, ["kind"]);
    if (kind !== undefined && !harmless.test(kind)) noteOpaque(root, `the transformer ${kind} is not followed`, traces);
  }
}

function noteOpaque(node: Node, because: string, traces: Traces): undefined {
  const { path, text } = node.file;
  traces.opaque.push({ path, line: lineOf(text, Math.max(node.start, 0)), because });
  return undefined;
}
