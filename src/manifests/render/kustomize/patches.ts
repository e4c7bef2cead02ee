import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { applyJsonPatch, type JsonPatch, readJsonPatch } from "./json-patch.ts";
import { readKubeYaml } from "../../yaml/kube-yaml.ts";
import type { PatchTarget } from "../../gitops/kustomization.ts";
import {
  currentName,
  type Draft,
  identityOf,
  metadataOf,
  rememberName,
  type BuildResource,
  resourceOf,
} from "./build-resource.ts";
import { selectResources } from "./selector.ts";
import { strategicMerge } from "./strategic-merge.ts";

/** A patch of either kind, as a kustomization names it. */
export interface PatchText {
  readonly text: string;
  readonly target: PatchTarget | undefined;
  /** `patchesStrategicMerge` and `patchesJson6902` differ in details from `patches`. */
  readonly field: "patches" | "patchesStrategicMerge" | "patchesJson6902";
}

type Patched =
  | { readonly ok: true; readonly value: readonly BuildResource[] }
  | { readonly ok: false; readonly because: string };

/** Applies one patch to the resources; those that it deletes are gone from the answer. */
export function applyPatch(resources: readonly BuildResource[], patch: PatchText): Patched {
  // Kustomize reads a text that starts like a JSON list as JSON only.
  if (patch.text.startsWith("[") && !isJson(patch.text)) return { ok: false, because: "a JSON patch that is no JSON" };
  const documents = readKubeYaml(patch.text, "kubernetes");
  if (documents.ok && documents.value.length === 1 && Array.isArray(documents.value[0])) {
    const operations = readJsonPatch(documents.value[0]);
    if (operations === undefined) return { ok: false, because: "a JSON patch that cannot be read" };
    return applyOperations(resources, patch, operations);
  }
  if (patch.field === "patchesJson6902") return { ok: false, because: "a JSON patch that cannot be read" };
  return applyMerges(resources, patch);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function applyOperations(resources: readonly BuildResource[], patch: PatchText, operations: JsonPatch): Patched {
  if (patch.target === undefined || patch.field === "patchesStrategicMerge") {
    return { ok: false, because: "a JSON patch without a target" };
  }
  if (patch.field === "patchesJson6902" && !patch.target.name) {
    return { ok: false, because: "a JSON patch without the name of its target" };
  }
  const selected = selectResources(resources, patch.target);
  if (!selected.ok) return selected;
  for (const resource of selected.value) {
    if (patch.field === "patches") rememberName(resource);
    resource.object = withWrittenNulls(resource.object) as Draft;
    const problem = applyJsonPatch(resource.object, operations);
    if (problem !== undefined) return { ok: false, because: `a JSON patch: ${problem}` };
    const checked = resourceOf(resource.object);
    if (!checked.ok) return { ok: false, because: `a JSON patch leaves ${checked.problem}` };
  }
  return { ok: true, value: resources };
}

/** Kustomize turns the object into JSON and back: every null is a written one afterwards. */
function withWrittenNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withWrittenNulls);
  if (!isRecord(value)) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withWrittenNulls(item)]));
}

function applyMerges(resources: readonly BuildResource[], patch: PatchText): Patched {
  const documents = readKubeYaml(patch.text);
  if (!documents.ok) return { ok: false, because: `a patch: ${documents.problem}` };
  if (documents.value.length === 0) return { ok: false, because: "an empty patch" };
  if (patch.target !== undefined && documents.value.length > 1)
    return { ok: false, because: "two patches, one target" };
  let all = resources;
  for (const document of documents.value) {
    const change = resourceOf(document);
    if (!change.ok) return { ok: false, because: `a patch that is ${change.problem}` };
    if (String(change.value.object.kind).endsWith("List")) return { ok: false, because: "a patch that is a list" };
    const patched = applyMerge(all, patch, change.value);
    if (!patched.ok) return patched;
    all = patched.value;
  }
  return { ok: true, value: all };
}

function applyMerge(resources: readonly BuildResource[], patch: PatchText, change: BuildResource): Patched {
  const selected = patch.target ? selectResources(resources, patch.target) : selectByIdentity(resources, change);
  if (!selected.ok) return selected;
  const isRewritten = patch.target !== undefined || patch.field === "patchesStrategicMerge";
  if (isRewritten && !hasTextMetadata(change.object)) {
    return { ok: false, because: "a patch with labels or annotations that are no texts" };
  }
  const { finalizers, ownerReferences } = metadataOf(change.object);
  if (finalizers !== undefined || ownerReferences !== undefined) return { ok: false, because: "a patch of finalizers" };
  const deleted = new Set<BuildResource>();
  for (const resource of selected.value) {
    const { object } = resource;
    const { name, namespace } = metadataOf(object);
    const own = { ...change.object, apiVersion: object.apiVersion };
    const merged = strategicMerge(object, own);
    if (!merged.ok)
      return { ok: false, because: `a patch of ${String(object.kind)} ${String(name)}: ${merged.because}` };
    if (merged.value === undefined) {
      deleted.add(resource);
      continue;
    }
    const { namespace: _namespace, ...metadata } = metadataOf(merged.value);
    const identity = namespace === undefined || namespace === null ? { name } : { name, namespace };
    resource.object = { ...merged.value, kind: object.kind, metadata: { ...metadata, ...identity } };
  }
  return { ok: true, value: resources.filter((resource) => !deleted.has(resource)) };
}

function selectByIdentity(resources: readonly BuildResource[], change: BuildResource): Patched {
  const wanted = identityOf(change);
  const found = resources.filter((resource) =>
    [...resource.previous, currentName(resource)].some((name) => identityOf(resource, name) === wanted),
  );
  const { kind, name } = currentName(change);
  if (found.length !== 1)
    return { ok: false, because: `a patch for ${kind} ${name}, which meets ${found.length} objects` };
  return { ok: true, value: found };
}

function hasTextMetadata(object: Draft): boolean {
  const { labels, annotations } = metadataOf(object);
  return [labels, annotations].every(
    (map) => map === undefined || (isRecord(map) && Object.values(map).every((value) => typeof value === "string")),
  );
}
