/** One Kubernetes object as the GitOps controller would apply it. Everything but identity is unknown to us. */
export interface RenderedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** What an entry produces, or why that cannot be known. A rendering is never approximate. */
export type Rendered =
  | {
      readonly kind: "rendered";
      /** The renderer and its version, for people. */
      readonly with: string;
      readonly objects: readonly RenderedObject[];
    }
  | { readonly kind: "unsupported"; readonly because: string };

/** `apiVersion/Kind namespace/name`: an object is the same object while these are. */
export function objectKey(object: RenderedObject): string {
  return `${object.apiVersion}/${object.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

/** Reads a value as an object with an identity; undefined when it has none. */
export function readObject(value: unknown): RenderedObject | undefined {
  if (!isRecord(value) || !isRecord(value.metadata)) return undefined;
  const { apiVersion, kind, metadata } = value;
  const { name, namespace } = metadata;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string") return undefined;
  if (namespace !== undefined && typeof namespace !== "string") return undefined;
  return value as unknown as RenderedObject;
}

/** True for a plain map: not null, not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
