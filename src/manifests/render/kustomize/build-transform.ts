import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import {
  annotationSpecs,
  commonLabelSpecs,
  type FieldSpec,
  imageSpecs,
  metadataLabelSpecs,
  namespaceSpecs,
  replicaSpecs,
  setField,
  templateLabelSpecs,
} from "./field-specs.ts";
import type { Image, Kustomization } from "../../gitops/kustomization.ts";
import {
  currentName,
  type Draft,
  gvkOf,
  identityOf,
  isClusterScoped,
  isSelected,
  metadataOf,
  originalName,
  rememberName,
  type BuildResource,
} from "./build-resource.ts";

/**
 * What a kustomization does to its resources after the patches, in Kustomize's order: namespace, prefix, suffix,
 * labels, annotations. The answer is a list of problems.
 */
export function transformNames(resources: readonly BuildResource[], value: Kustomization): readonly string[] {
  return [
    ...(value.namespace ? setNamespace(resources, value.namespace) : []),
    ...(value.namePrefix ? rename(resources, value.namePrefix, "prefix") : []),
    ...(value.nameSuffix ? rename(resources, value.nameSuffix, "suffix") : []),
    ...setLabels(resources, value),
    ...setEntries(resources, annotationSpecs, value.commonAnnotations ?? {}),
  ];
}

/** The last changes of a kustomization: replicas and images. */
export function transformFields(resources: readonly BuildResource[], value: Kustomization): readonly string[] {
  return [
    ...(value.replicas ?? []).flatMap(({ name, count }) => setReplicas(resources, name, count)),
    ...(value.images ?? []).flatMap((image) => setImage(resources, image)),
  ];
}

function setNamespace(resources: readonly BuildResource[], namespace: string): string[] {
  const problems: string[] = [];
  for (const resource of resources) {
    rememberName(resource);
    const { object } = resource;
    const isRoleBinding = object.kind === "RoleBinding" || object.kind === "ClusterRoleBinding";
    if (!isClusterScoped(object)) object.metadata = { ...metadataOf(object), namespace };
    if (isRoleBinding) setDefaultSubjects(object, namespace);
    for (const spec of namespaceSpecs) {
      if (spec.kind === "Namespace" && object.apiVersion !== "v1") continue;
      const problem = setField(
        object,
        spec,
        () => "",
        () => namespace,
      );
      if (problem !== undefined) problems.push(`setting the namespace of ${String(object.kind)}: ${problem}`);
    }
  }
  const identities = new Set(resources.map((resource) => identityOf(resource)));
  if (identities.size < resources.length) problems.push(`two objects are the same in the namespace ${namespace}`);
  return problems;
}

/** Kustomize moves only the service account that is called `default`; others follow as name references. */
function setDefaultSubjects(object: Draft, namespace: string): void {
  if (!Array.isArray(object.subjects)) return;
  for (const subject of object.subjects)
    if (isRecord(subject) && subject.name === "default") subject.namespace = namespace;
}

const neverRenamed = [
  { kind: "CustomResourceDefinition" },
  { group: "apiregistration.k8s.io", kind: "APIService" },
  { kind: "Namespace" },
];

function rename(resources: readonly BuildResource[], affix: string, at: "prefix" | "suffix"): string[] {
  for (const resource of resources) {
    const gvk = { ...gvkOf(resource.object), kind: originalName(resource).kind };
    if (neverRenamed.some((selector) => isSelected(gvk, selector))) continue;
    rememberName(resource);
    const { name } = currentName(resource);
    const renamed = at === "prefix" ? `${affix}${name}` : `${name}${affix}`;
    (at === "prefix" ? resource.prefixes : resource.suffixes).push(affix);
    resource.object.metadata = { ...metadataOf(resource.object), name: renamed };
  }
  return [];
}

function setLabels(resources: readonly BuildResource[], value: Kustomization): string[] {
  const problems: string[] = [];
  for (const label of value.labels ?? []) {
    if ((label.fields ?? []).length > 0) problems.push("labels with fields of their own");
    const specs = label.includeTemplates ? templateLabelSpecs : metadataLabelSpecs;
    problems.push(...setEntries(resources, label.includeSelectors ? commonLabelSpecs : specs, label.pairs ?? {}));
  }
  return [...problems, ...setEntries(resources, commonLabelSpecs, value.commonLabels ?? {})];
}

function setEntries(
  resources: readonly BuildResource[],
  specs: readonly FieldSpec[],
  entries: Readonly<Record<string, string>>,
): string[] {
  if (Object.keys(entries).length === 0) return [];
  const problems: string[] = [];
  const add = (present: unknown) => {
    if (isRecord(present)) return { ...present, ...entries };
    problems.push("labels or annotations that are no map");
    return present;
  };
  for (const resource of resources) {
    for (const spec of specs) {
      const problem = setField(resource.object, spec, () => ({}), add);
      if (problem !== undefined) problems.push(problem);
    }
  }
  return problems;
}

function setReplicas(resources: readonly BuildResource[], name: string, count: number): string[] {
  const problems: string[] = [];
  let found = 0;
  for (const resource of resources) {
    const gvk = gvkOf(resource.object);
    for (const spec of replicaSpecs) {
      const names = [...resource.previous, currentName(resource)];
      if (!names.some((known) => known.name === name && isSelected({ ...gvk, kind: known.kind }, spec))) continue;
      found += 1;
      const problem = setField(
        resource.object,
        spec,
        () => 0,
        () => count,
      );
      if (problem !== undefined) problems.push(problem);
    }
  }
  return found === 0 ? [`replicas names ${name}, which is not there`] : problems;
}

function setImage(resources: readonly BuildResource[], image: Image): string[] {
  if (image.tagSuffix !== undefined) return ["images with a tagSuffix"];
  if (!/^[A-Za-z0-9._/:-]+$/.test(image.name)) return [`the image name ${image.name}`];
  // Kustomize takes the name for a regular expression too: its dots match anything.
  const matcher = new RegExp(`^${image.name.replaceAll("/", "\\/")}(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$`);
  const problems: string[] = [];
  const replace = (present: unknown) => {
    if (typeof present === "string") return matcher.test(present) ? imageText(present, image) : present;
    if (present !== null && present !== undefined) problems.push("an image that is no text");
    return present;
  };
  for (const { object } of resources) {
    if (object.kind === "CustomResourceDefinition") continue;
    replaceInContainers(object, replace);
    for (const spec of imageSpecs) {
      const problem = setField(object, spec, () => "", replace);
      if (problem !== undefined) problems.push(problem);
    }
  }
  return problems;
}

/** Every list called `containers` or `initContainers`, wherever it is. */
function replaceInContainers(value: unknown, replace: (image: unknown) => unknown): void {
  if (Array.isArray(value)) for (const item of value) replaceInContainers(item, replace);
  if (!isRecord(value)) return;
  for (const [key, field] of Object.entries(value)) {
    replaceInContainers(field, replace);
    if ((key !== "containers" && key !== "initContainers") || !Array.isArray(field)) continue;
    for (const item of field) if (isRecord(item) && Object.hasOwn(item, "image")) item.image = replace(item.image);
  }
}

function imageText(present: string, image: Image): string {
  const slash = Math.max(present.indexOf("/"), 0);
  const at = present.indexOf("@", slash);
  const colon = present.indexOf(":", slash);
  const tagAt = colon >= 0 && (at < 0 || colon < at) ? colon : -1;
  const nameEnd = tagAt >= 0 ? tagAt : at >= 0 ? at : present.length;
  let tag = tagAt >= 0 ? present.slice(tagAt + 1, at >= 0 ? at : undefined) : "";
  let digest = at >= 0 ? present.slice(at + 1) : "";
  if (image.newTag || image.digest) {
    tag = image.newTag ?? "";
    digest = image.digest ?? "";
  }
  const name = image.newName ? image.newName : present.slice(0, nameEnd);
  return `${name}${tag === "" ? "" : `:${tag}`}${digest === "" ? "" : `@${digest}`}`;
}
