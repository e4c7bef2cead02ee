import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { type Draft, type Gvk, gvkOf, isSelected } from "./build-resource.ts";

/** A field of some kinds. Lists on the way are entered; `[]` says that a part must be one and is never created. */
export interface FieldSpec extends Partial<Gvk> {
  readonly path: readonly string[];
  readonly create?: boolean;
}

/**
 * Sets the field in an object of the right kind, creating it where the spec says so. `set` gets the present value
 * (or `empty()` for a created one) and answers the new value. The answer is a problem, or undefined.
 */
export function setField(
  object: Draft,
  spec: FieldSpec,
  empty: () => unknown,
  set: (value: unknown) => unknown,
): string | undefined {
  if (!isSelected(gvkOf(object), spec)) return undefined;
  return setAt(object, spec.path, spec.create === true ? empty : undefined, set);
}

function setAt(
  node: unknown,
  path: readonly string[],
  empty: (() => unknown) | undefined,
  set: (value: unknown) => unknown,
): string | undefined {
  if (node === null || node === undefined) return undefined;
  if (Array.isArray(node)) {
    for (const item of node) {
      const problem = setAt(item, path, empty, set);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  const [part, ...rest] = path;
  if (!isRecord(node) || part === undefined) return `${path.join(".")} is not inside a map`;
  const isList = part.endsWith("[]");
  const key = isList ? part.slice(0, -2) : part;
  const creates = empty !== undefined && !isList;
  if (!Object.hasOwn(node, key) && !creates) return undefined;
  if (node[key] === null || node[key] === undefined) {
    if (creates) node[key] = rest.length === 0 ? empty() : {};
    else if (isList) node[key] = [];
  }
  if (rest.length > 0) return setAt(node[key], rest, empty, set);
  node[key] = set(node[key]);
  return undefined;
}

const templated = (kinds: readonly string[], path: readonly string[]): readonly FieldSpec[] =>
  kinds.map((kind) => ({ kind, path: ["spec", "template", "metadata", ...path], create: true }));

/** Where labels go besides `metadata.labels`, with templates. */
export const templateLabelSpecs: readonly FieldSpec[] = [
  { path: ["metadata", "labels"], create: true },
  { version: "v1", kind: "ReplicationController", path: ["spec", "template", "metadata", "labels"], create: true },
  ...templated(["Deployment", "ReplicaSet", "DaemonSet"], ["labels"]),
  { group: "apps", kind: "StatefulSet", path: ["spec", "template", "metadata", "labels"], create: true },
  { group: "apps", kind: "StatefulSet", path: ["spec", "volumeClaimTemplates[]", "metadata", "labels"], create: true },
  { group: "batch", kind: "Job", path: ["spec", "template", "metadata", "labels"], create: true },
  { group: "batch", kind: "CronJob", path: ["spec", "jobTemplate", "metadata", "labels"], create: true },
  {
    group: "batch",
    kind: "CronJob",
    path: ["spec", "jobTemplate", "spec", "template", "metadata", "labels"],
    create: true,
  },
];

const podSelectors: readonly (readonly string[])[] = [
  ...["podAffinity", "podAntiAffinity"].flatMap((kind) => [
    ["affinity", kind, "preferredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm"],
    ["affinity", kind, "requiredDuringSchedulingIgnoredDuringExecution"],
  ]),
  ["topologySpreadConstraints"],
].map((path) => ["spec", "template", "spec", ...path, "labelSelector", "matchLabels"]);

const matchLabels = ["spec", "selector", "matchLabels"];

/** Where common labels go: metadata, templates and selectors. */
export const commonLabelSpecs: readonly FieldSpec[] = [
  { version: "v1", kind: "Service", path: ["spec", "selector"], create: true },
  { version: "v1", kind: "ReplicationController", path: ["spec", "selector"], create: true },
  ...["Deployment", "ReplicaSet", "DaemonSet"].map((kind) => ({ kind, path: matchLabels, create: true })),
  { group: "apps", kind: "StatefulSet", path: matchLabels, create: true },
  ...["Deployment", "StatefulSet"].flatMap((kind) => podSelectors.map((path) => ({ group: "apps", kind, path }))),
  { group: "batch", kind: "Job", path: matchLabels },
  { group: "batch", kind: "CronJob", path: ["spec", "jobTemplate", ...matchLabels] },
  { group: "policy", kind: "PodDisruptionBudget", path: matchLabels },
  ...[["podSelector"], ["ingress", "from", "podSelector"], ["egress", "to", "podSelector"]].map((path) => ({
    group: "networking.k8s.io",
    kind: "NetworkPolicy",
    path: ["spec", ...path, "matchLabels"],
  })),
  ...templateLabelSpecs,
];

export const metadataLabelSpecs: readonly FieldSpec[] = [{ path: ["metadata", "labels"], create: true }];

/** Where common annotations go. */
export const annotationSpecs: readonly FieldSpec[] = [
  { path: ["metadata", "annotations"], create: true },
  { version: "v1", kind: "ReplicationController", path: ["spec", "template", "metadata", "annotations"], create: true },
  ...templated(["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"], ["annotations"]),
  { group: "batch", kind: "Job", path: ["spec", "template", "metadata", "annotations"], create: true },
  { group: "batch", kind: "CronJob", path: ["spec", "jobTemplate", "metadata", "annotations"], create: true },
  {
    group: "batch",
    kind: "CronJob",
    path: ["spec", "jobTemplate", "spec", "template", "metadata", "annotations"],
    create: true,
  },
];

/** Fields besides `metadata.namespace` that hold the namespace. */
export const namespaceSpecs: readonly FieldSpec[] = [
  { version: "v1", group: "", kind: "Namespace", path: ["metadata", "name"], create: true },
  { group: "apiregistration.k8s.io", kind: "APIService", path: ["spec", "service", "namespace"], create: true },
  {
    group: "apiextensions.k8s.io",
    kind: "CustomResourceDefinition",
    path: ["spec", "conversion", "webhook", "clientConfig", "service", "namespace"],
  },
];

export const replicaSpecs: readonly FieldSpec[] = [
  "Deployment",
  "ReplicationController",
  "ReplicaSet",
  "StatefulSet",
].map((kind) => ({ kind, path: ["spec", "replicas"], create: true }));

/** Image fields besides those of any `containers` and `initContainers` list. */
export const imageSpecs: readonly FieldSpec[] = [["spec"], ["spec", "template", "spec"]].flatMap((at) => [
  { path: [...at, "containers[]", "image"] },
  { path: [...at, "initContainers[]", "image"] },
  { path: [...at, "volumes[]", "image", "reference"] },
]);
