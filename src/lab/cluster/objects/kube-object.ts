import { isRecord, type RenderedObject } from "../../../domain/kubernetes/rendered.ts";

/** A Kubernetes object as the lab's API serves it: plain JSON that the lab's controllers change in place. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: KubeMetadata;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  [field: string]: unknown;
}

interface KubeMetadata {
  name: string;
  namespace?: string;
  uid?: string;
  generation?: number;
  resourceVersion?: string;
  creationTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller: boolean }[];
  [field: string]: unknown;
}

/** A copy of a rendered object that may be changed. */
export function liveCopy(object: RenderedObject): KubeObject {
  return structuredClone(object) as unknown as KubeObject;
}

/** The value at a path of names and list positions; undefined where the path ends early. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, step) => {
    if (Array.isArray(inner)) return typeof step === "number" ? inner[step] : undefined;
    return isRecord(inner) ? inner[step] : undefined;
  }, value);
}

export function numberAt(value: unknown, ...path: readonly (string | number)[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" ? found : undefined;
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" ? found : undefined;
}

interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly requests: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}

/** The containers of a pod template or a pod. */
export function containersOf(podSpec: unknown): ContainerSpec[] {
  const containers = at(podSpec, "containers");
  if (!Array.isArray(containers)) return [];
  return containers.map((container: unknown) => ({
    name: textAt(container, "name") ?? "main",
    image: textAt(container, "image") ?? "",
    requests: quantitiesAt(container, "requests"),
    limits: quantitiesAt(container, "limits"),
  }));
}

function quantitiesAt(container: unknown, kind: string): Record<string, string> {
  const found = at(container, "resources", kind);
  if (!isRecord(found)) return {};
  return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, String(value)]));
}
