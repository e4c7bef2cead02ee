import { canonicalText } from "../../kubernetes/object-changes.ts";
import { isRecord, type RenderedObject } from "../../kubernetes/rendered.ts";

/** Every field of an object with its value as canonical text; items of a list under the name that tells them apart. */
export function fieldsOf(object: unknown): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  collect(object, "", fields);
  return fields;
}

function collect(value: unknown, path: string, into: Map<string, string>): void {
  const named = Array.isArray(value) ? byName(value) : undefined;
  if (isRecord(value) && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) if (inner !== undefined) collect(inner, `${path}.${key}`, into);
  } else if (named !== undefined) {
    for (const [name, inner] of named) collect(inner, `${path}[${name}]`, into);
  } else {
    into.set(path, canonicalText(value));
  }
}

/** The fields that differ between two renderings, each as its object and path. */
export function fieldsBetween(
  before: readonly RenderedObject[],
  after: readonly RenderedObject[],
): ReadonlySet<string> {
  const [left, right] = [byIdentity(before), byIdentity(after)];
  const found = new Set<string>();
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    const [was, becomes] = [fieldsOf(left.get(key)), fieldsOf(right.get(key))];
    for (const path of new Set([...was.keys(), ...becomes.keys()])) {
      if (path !== "" && was.get(path) !== becomes.get(path)) found.add(`${path.slice(1)} of ${key}`);
    }
  }
  return found;
}

// By these Kubernetes tells the items of its lists apart.
const identities = ["name", "containerPort", "mountPath", "port", "key", "type", "topologyKey", "ip", "host"];

/** The items by the first identity that all of them have, and each its own; undefined for a list without one. */
function byName(items: readonly unknown[]): readonly (readonly [string, unknown])[] | undefined {
  if (items.length === 0) return undefined;
  for (const identity of identities) {
    const names = items.map((item) => (isRecord(item) ? item[identity] : undefined));
    const isPlain = names.every((name) => typeof name === "string" || typeof name === "number");
    if (isPlain && new Set(names).size === items.length) {
      return items.map((item, index) => [`${identity}=${String(names[index])}`, item] as const);
    }
  }
  return undefined;
}

// The letters of Kustomize's content hashes.
const hashed = /-[bcdfghkmt2456789]{10}$/;

/** The objects by identity, generated ConfigMaps and Secrets under the name without their content's hash. */
export function byIdentity(objects: readonly RenderedObject[]): ReadonlyMap<string, RenderedObject> {
  const plain = new Map<string, string>();
  for (const { kind, metadata } of objects) {
    if ((kind === "ConfigMap" || kind === "Secret") && hashed.test(metadata.name)) {
      plain.set(metadata.name, metadata.name.replace(hashed, ""));
    }
  }
  const renamed = objects.map((object) => withNames(object, plain) as RenderedObject);
  return new Map(renamed.map((object) => [identityOf(object), object]));
}

function withNames(value: unknown, plain: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return plain.get(value) ?? value;
  if (Array.isArray(value)) return value.map((item) => withNames(item, plain));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withNames(inner, plain)]));
}

/** `Kind namespace/name`, whatever the version of its API. */
export function identityOf({ apiVersion, kind, metadata }: RenderedObject): string {
  const group = apiVersion.includes("/") ? `.${apiVersion.slice(0, apiVersion.indexOf("/"))}` : "";
  return `${kind}${group} ${metadata.namespace ?? ""}/${metadata.name.replace(kind === "ConfigMap" || kind === "Secret" ? hashed : /$^/, "")}`;
}
