import { isRecord, readObject } from "../../../domain/kubernetes/rendered.ts";
import { plainScalar } from "../../yaml/kube-yaml.ts";

/** An object while it is being built, with the names it had before. `undefined` values are nulls that nobody wrote. */
export interface BuildResource {
  object: Draft;
  /** Names before each renaming, oldest first. */
  readonly previous: ResourceName[];
  readonly prefixes: string[];
  readonly suffixes: string[];
  /** True when the name gets a hash of the content at the end. */
  hashed: boolean;
}

export type Draft = Record<string, unknown>;

interface ResourceName {
  readonly kind: string;
  readonly name: string;
  /** `default` when none is set, empty for what has no namespace. */
  readonly namespace: string;
}

/** Group, version and kind; an empty part of a selector matches everything. */
export interface Gvk {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Wraps an object; a problem when it lacks the identity that Kustomize asks for. */
export function resourceOf(
  value: unknown,
): { readonly ok: true; readonly value: BuildResource } | { readonly ok: false; readonly problem: string } {
  const object = readObject(value);
  if (object === undefined || object.kind === "" || object.metadata.name === "") {
    return { ok: false, problem: "an object without apiVersion, kind or metadata.name" };
  }
  // Kustomize writes names back without quotes, so a name like `010` would turn into a number.
  const texts = [object.metadata.name, object.metadata.namespace ?? ""].filter((text) => text !== "");
  if (texts.some((text) => plainScalar(text) !== text)) return { ok: false, problem: "a name that reads as a number" };
  const resource: BuildResource = {
    object: value as Draft,
    previous: [],
    prefixes: [],
    suffixes: [],
    hashed: false,
  };
  return { ok: true, value: resource };
}

export function gvkOf(object: Draft): Gvk {
  const apiVersion = String(object.apiVersion);
  const slash = apiVersion.indexOf("/");
  return {
    group: slash < 0 ? "" : apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    kind: String(object.kind),
  };
}

export function isSelected(gvk: Gvk, selector: Partial<Gvk>): boolean {
  return (
    (!selector.group || selector.group === gvk.group) &&
    (!selector.version || selector.version === gvk.version) &&
    (!selector.kind || selector.kind === gvk.kind)
  );
}

export function metadataOf(object: Draft): Record<string, unknown> {
  return isRecord(object.metadata) ? object.metadata : {};
}

export function currentName(resource: BuildResource): ResourceName {
  const { object } = resource;
  const metadata = metadataOf(object);
  return {
    kind: String(object.kind),
    name: String(metadata.name),
    namespace: effectiveNamespace(object, metadata.namespace),
  };
}

export function originalName(resource: BuildResource): ResourceName {
  return resource.previous[0] ?? currentName(resource);
}

/** Remembers the name that a change is about to replace. */
export function rememberName(resource: BuildResource): void {
  resource.previous.push(currentName(resource));
}

/** One text per identity as Kustomize compares it: group, version, kind, namespace, name. */
export function identityOf(resource: BuildResource, name: ResourceName = currentName(resource)): string {
  return JSON.stringify([resource.object.apiVersion, name.kind, name.namespace, name.name]);
}

function effectiveNamespace(object: Draft, namespace: unknown): string {
  if (isClusterScoped(object)) return "";
  return typeof namespace === "string" && namespace !== "" ? namespace : "default";
}

/**
 * What Kustomize takes for cluster-scoped: built-in kinds of known versions only. Every other kind, custom ones
 * included, is given a namespace. https://github.com/kubernetes-sigs/kustomize/blob/master/kyaml/openapi/openapi.go
 */
export function isClusterScoped(object: Draft): boolean {
  return clusterScoped.has(`${String(object.apiVersion)} ${String(object.kind)}`);
}

const versionsByGroup: Readonly<Record<string, readonly string[]>> = {
  "admissionregistration.k8s.io": ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
  "apiextensions.k8s.io": ["CustomResourceDefinition"],
  "apiregistration.k8s.io": ["APIService"],
  "certificates.k8s.io": ["CertificateSigningRequest"],
  "networking.k8s.io": ["IngressClass"],
  "node.k8s.io": ["RuntimeClass"],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding"],
  "scheduling.k8s.io": ["PriorityClass"],
  "storage.k8s.io": ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
};

const clusterScoped: ReadonlySet<string> = new Set([
  ...Object.entries(versionsByGroup).flatMap(([group, kinds]) =>
    kinds.flatMap((kind) => [`${group}/v1 ${kind}`, `${group}/v1beta1 ${kind}`]),
  ),
  "flowcontrol.apiserver.k8s.io/v1beta1 FlowSchema",
  "flowcontrol.apiserver.k8s.io/v1beta1 PriorityLevelConfiguration",
  "policy/v1beta1 PodSecurityPolicy",
  ...["ComponentStatus", "Namespace", "Node", "NodeProxyOptions", "PersistentVolume"].map((kind) => `v1 ${kind}`),
]);
