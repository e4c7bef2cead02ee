import { at, type MapNode, type Node, resolved, textAt } from "../yaml/source.ts";

/** One object on its way through a build: what it is called now and was called before, and its merged content. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  /** The mapping as it is written in the file it comes from. */
  readonly origin: MapNode;
  /** What it has become so far. */
  node: MapNode;
  /** Every name it had, the current one last. */
  names: readonly string[];
  namespace: string | undefined;
  /** Every namespace it had. */
  namespaces: readonly (string | undefined)[];
  /** The place that takes the object out of this build. */
  deletedBy?: Node;
  /** The kustomizations that it passed through, the outermost last. */
  through?: readonly string[];
  /** True when only a remote base can hold the object. */
  readonly supposed?: boolean;
}

/** The objects of a document: itself, or the items of a List. */
export function resourcesOf(root: Node): Resource[] {
  const node = resolved(root);
  if (node?.kind === "list") return node.items.flatMap((item) => resourcesOf(item));
  if (node?.kind !== "map") return [];
  const kind = textAt(node, ["kind"]);
  const items = at(node, ["items"]);
  if (kind?.endsWith("List") && items?.kind === "list") return items.items.flatMap((item) => resourcesOf(item));
  const name = textAt(node, ["metadata", "name"]);
  if (kind === undefined || name === undefined) return [];
  const namespace = textAt(node, ["metadata", "namespace"]);
  const apiVersion = textAt(node, ["apiVersion"]) ?? "";
  return [{ apiVersion, kind, origin: node, node, names: [name], namespace, namespaces: [namespace] }];
}

export const nameOf = (resource: Resource): string => resource.names.at(-1) ?? "";

/** True for the API groups of Kubernetes itself, whose lists kustomize merges by name. */
export const isBuiltin = (resource: Resource): boolean =>
  !/^[^/]*\./.test(resource.apiVersion) || /^[^/]*\.k8s\.io\//.test(resource.apiVersion);

/** Where the pod's spec lies in an object; undefined when it has none. */
export function podSpecPath(kind: string): readonly string[] | undefined {
  if (kind === "Pod") return ["spec"];
  if (kind === "CronJob") return ["spec", "jobTemplate", "spec", "template", "spec"];
  const templated = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "Rollout"];
  return templated.includes(kind) ? ["spec", "template", "spec"] : undefined;
}
