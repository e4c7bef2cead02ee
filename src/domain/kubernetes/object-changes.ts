import type { ObjectChange } from "./manifest-edit.ts";
import { isRecord, objectKey, type RenderedObject } from "./rendered.ts";

/**
 * Every field that differs between two renderings, maps entered, list items by index. An object that comes or goes is
 * one change with an empty field path. Neither the order of objects nor of keys matters.
 */
export function changesBetween(
  before: readonly RenderedObject[],
  after: readonly RenderedObject[],
): readonly ObjectChange[] {
  const left = new Map(before.map((object) => [objectKey(object), object]));
  const right = new Map(after.map((object) => [objectKey(object), object]));
  const keys = [...new Set([...left.keys(), ...right.keys()])].sort();
  return keys.flatMap((key) => objectChanges(left.get(key), right.get(key)));
}

function objectChanges(before: RenderedObject | undefined, after: RenderedObject | undefined): ObjectChange[] {
  const known = after ?? before;
  if (known === undefined || before === after) return [];
  const { apiVersion, kind, metadata } = known;
  const object = { apiVersion, kind, namespace: metadata.namespace ?? "", name: metadata.name };
  if (before === undefined || after === undefined) return [{ object, field: [], from: before, to: after }];
  return fieldChanges([], before, after).map((change) => ({ object, ...change }));
}

type FieldChange = Pick<ObjectChange, "field" | "from" | "to">;

function fieldChanges(field: readonly (string | number)[], from: unknown, to: unknown): FieldChange[] {
  if (isRecord(from ?? to) && isRecord(to ?? from) && !(isEmpty(from) && isEmpty(to))) {
    return mapChanges(field, isRecord(from) ? from : undefined, isRecord(to) ? to : undefined, [from, to]);
  }
  if (Array.isArray(from) && Array.isArray(to)) {
    const length = Math.max(from.length, to.length);
    return Array.from({ length }).flatMap((_, index) => fieldChanges([...field, index], from[index], to[index]));
  }
  return isSame(from, to) ? [] : [{ field, from, to }];
}

/** A map that comes or goes is told field by field: a new `resources` block shows which request was set. */
function mapChanges(
  field: readonly (string | number)[],
  from: Record<string, unknown> | undefined,
  to: Record<string, unknown> | undefined,
  raw: readonly [unknown, unknown],
): FieldChange[] {
  const isOneSided = from === undefined || to === undefined;
  const isSpelledOut = isOneSided && (raw[0] === null || raw[1] === null || isEmpty(from ?? to));
  if (isSpelledOut) return [{ field, from: raw[0], to: raw[1] }];
  const keys = [...new Set([...Object.keys(from ?? {}), ...Object.keys(to ?? {})])].sort();
  return keys.flatMap((key) => fieldChanges([...field, key], own(from, key), own(to, key)));
}

function own(map: Record<string, unknown> | undefined, key: string): unknown {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (isRecord(value) && Object.keys(value).length === 0);
}

function isSame(left: unknown, right: unknown): boolean {
  return canonicalText(left) === canonicalText(right);
}

/** JSON with sorted keys. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? "absent";
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`)
    .join(",")}}`;
}

/** A map that comes where there was an empty one, or none, is the one field that it holds. */
export function spelledOut(change: ObjectChange): ObjectChange {
  const { from, to } = change;
  const wasEmpty = from === undefined || from === null || (isRecord(from) && Object.keys(from).length === 0);
  const [only, ...more] = isRecord(to) ? Object.entries(to) : [];
  if (!wasEmpty || only === undefined || more.length > 0) return change;
  return spelledOut({ ...change, field: [...change.field, only[0]], from: undefined, to: only[1] });
}
