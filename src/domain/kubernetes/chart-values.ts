import type { ObjectChange, WantedChange } from "./manifest-edit.ts";
import { canonicalText } from "./object-changes.ts";
import { isRecord, objectKey, type RenderedObject } from "./rendered.ts";
import type { Workload } from "./workload.ts";

/**
 * The object that hands exactly one changed value, the wanted one, to a chart: a HelmRelease, an Argo CD Application,
 * or a HelmRelease's ConfigMap of values (renamed by its content or not). Undefined when the changes are anything else.
 */
export function chartOf(
  changes: readonly ObjectChange[],
  after: readonly RenderedObject[],
  wanted: { readonly workload: Workload; readonly change: WantedChange },
): ObjectChange["object"] | undefined {
  const [only] = changes;
  if (changes.length === 1 && only !== undefined && isOwnValue(only, after, wanted)) return only.object;
  const map = changedMap(changes);
  if (map === undefined || !isValueText(map.from, map.to, wanted.change)) return undefined;
  const release = after.find((object) => isRelease(object) && usesMap(object, map.object));
  if (release === undefined || !isFor(release, wanted.workload)) return undefined;
  const others = changes.filter((change) => !map.changes.includes(change));
  return others.every((change) => followsMap(change, map)) ? map.object : undefined;
}

type Wanted = Parameters<typeof chartOf>[2];

function isOwnValue(
  change: ObjectChange,
  after: readonly RenderedObject[],
  { workload, change: wanted }: Wanted,
): boolean {
  const { apiVersion, kind, namespace, name } = change.object;
  const object = after.find((candidate) => objectKey(candidate) === `${apiVersion}/${kind} ${namespace}/${name}`);
  if (object === undefined || !isFor(object, workload)) return false;
  const path = change.field.join(".");
  if (isRelease(object)) return path.startsWith("spec.values.") && isValue(change, wanted);
  const inHelm = /^spec\.sources?(?:\.\d+)?\.helm\.(.*)$/.exec(path)?.[1];
  if (kind !== "Application" || !apiVersion.startsWith("argoproj.io/") || inHelm === undefined) return false;
  if (inHelm === "values") return isValueText(change.from, change.to, wanted);
  return inHelm.startsWith("valuesObject.") && isValue(change, wanted);
}

function isValue({ field, to }: ObjectChange, wanted: WantedChange): boolean {
  return String(to) === String(wanted.to) && namesTheField(field.map(String), wanted);
}

function isRelease(object: RenderedObject): boolean {
  return object.kind === "HelmRelease" && object.apiVersion.startsWith("helm.toolkit.fluxcd.io/");
}

/** True when what the object installs can be the workload: an unknown namespace can be any. */
function isFor(object: RenderedObject, workload: Workload): boolean {
  const spec = isRecord(object.spec) ? object.spec : {};
  const destination = isRecord(spec.destination) ? spec.destination.namespace : undefined;
  const own = isRelease(object) ? (spec.targetNamespace ?? object.metadata.namespace) : destination;
  return own === undefined || own === "" || own === workload.namespace;
}

/** Charts name their values as they like; the last key must at least mean the wanted field. */
function namesTheField(field: readonly string[], wanted: WantedChange): boolean {
  const last = (field.at(-1) ?? "").toLowerCase();
  switch (wanted.kind) {
    case "replicas":
      return /replica|count|size/.test(last) && !/min|max|limit/.test(last);
    case "hpa":
    case "scaled-object":
      return last.includes(wanted.field.startsWith("min") ? "min" : "max");
    case "resources":
      return field.slice(-2).join(".") === wanted.field || last === wanted.field.split(".")[1];
    case "image-tag":
      return last === "tag" || last === "image";
  }
}

/** True when two texts of values differ in one line, which now says the wanted value. */
function isValueText(from: unknown, to: unknown, wanted: WantedChange): boolean {
  if (typeof from !== "string" || typeof to !== "string") return false;
  const [before, after] = [from.split("\n"), to.split("\n")];
  const changed = after.filter((line, index) => line !== before[index]);
  const [line] = changed;
  if (before.length !== after.length || changed.length !== 1 || line === undefined) return false;
  const match = /^\s*(?:- )?["']?([\w.-]+)["']?:\s*(?:"([^"]*)"|'([^']*)'|([^\s#'"]+))\s*(?:#.*)?$/.exec(line);
  const key = match?.[1];
  if (key === undefined || match?.index !== 0) return false;
  const value = match[2] ?? match[3] ?? match[4];
  const previous = before[after.indexOf(line)] ?? "";
  const sameKey = previous.trimStart().replace(/^- /, "").replace(/^["']/, "").startsWith(key);
  return value === String(wanted.to) && sameKey && namesTheField([key], wanted);
}

interface ChangedMap {
  readonly object: ObjectChange["object"];
  readonly oldName: string;
  readonly from: unknown;
  readonly to: unknown;
  readonly changes: readonly ObjectChange[];
}

/** The one ConfigMap with one changed entry; a generated one goes under its old name and comes under a new one. */
function changedMap(changes: readonly ObjectChange[]): ChangedMap | undefined {
  const maps = changes.filter(({ object }) => object.kind === "ConfigMap" && object.apiVersion === "v1");
  const [first, second] = maps;
  if (first === undefined || maps.length > 2) return undefined;
  if (second === undefined) {
    if (first.field.length !== 2 || first.field[0] !== "data") return undefined;
    return { object: first.object, oldName: first.object.name, from: first.from, to: first.to, changes: maps };
  }
  const gone = maps.find((change) => change.field.length === 0 && change.to === undefined);
  const come = maps.find((change) => change.field.length === 0 && change.from === undefined);
  if (gone === undefined || come === undefined || !isRecord(gone.from) || !isRecord(come.to)) return undefined;
  const entry = changedEntry(gone.from, come.to);
  const sameName = stem(gone.object.name) === stem(come.object.name) && gone.object.namespace === come.object.namespace;
  if (entry === undefined || !sameName) return undefined;
  return { object: come.object, oldName: gone.object.name, ...entry, changes: maps };
}

function stem(name: string): string {
  return name.replace(/-[0-9a-z]{10}$/, "");
}

function changedEntry(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
): { from: unknown; to: unknown } | undefined {
  const [from, to] = [before, after].map((object) => (isRecord(object.data) ? object.data : {}));
  if (from === undefined || to === undefined) return undefined;
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].filter((key) => from[key] !== to[key]);
  const [key] = keys;
  const frame = (object: Record<string, unknown>) =>
    canonicalText({
      ...object,
      data: {},
      metadata: { ...(isRecord(object.metadata) ? object.metadata : {}), name: "" },
    });
  return keys.length === 1 && key !== undefined && frame(before) === frame(after)
    ? { from: from[key], to: to[key] }
    : undefined;
}

function usesMap(release: RenderedObject, map: ObjectChange["object"]): boolean {
  const values = isRecord(release.spec) && Array.isArray(release.spec.valuesFrom) ? release.spec.valuesFrom : [];
  const isNear = (release.metadata.namespace ?? "") === map.namespace;
  return isNear && values.some((source) => isRecord(source) && source.kind === "ConfigMap" && source.name === map.name);
}

/** A HelmRelease that only follows the new name of its values. */
function followsMap({ object, field, from, to }: ObjectChange, map: ChangedMap): boolean {
  const isReference = /^spec\.valuesFrom\.\d+\.name$/.test(field.join("."));
  return object.kind === "HelmRelease" && isReference && from === map.oldName && to === map.object.name;
}
