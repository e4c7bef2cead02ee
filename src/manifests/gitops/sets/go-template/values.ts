import { isRecord } from "../../../../domain/kubernetes/rendered.ts";
import { NotUnderstood } from "./parse.ts";

/**
 * What a Go template works on: what JSON holds, and whole numbers of the template as `bigint`; a `Map` is one of texts
 * only, which most functions do not take.
 */
export type Value = unknown;

export const isTextMap = (value: Value): value is ReadonlyMap<string, string> => value instanceof Map;

/** What an `if` asks. */
export function isTrue(value: Value): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isTextMap(value)) return value.size > 0;
  return isRecord(value) ? Object.keys(value).length > 0 : Boolean(value);
}

/** A value as `{{ }}` prints it. Every number of JSON is a float for Go, and large ones are printed with an exponent. */
export function shown(value: Value): string {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  const size = typeof value === "number" ? Math.abs(value) : NaN;
  if (size === 0 || (size >= 1e-4 && size < 1e6)) return String(value as number);
  throw new NotUnderstood("a value that Go prints in its own way");
}

export function text(value: Value): string {
  if (typeof value !== "string") throw new NotUnderstood("no text where one is wanted");
  return value;
}

export function list(value: Value): readonly Value[] {
  if (!Array.isArray(value)) throw new NotUnderstood("no list where one is wanted");
  return value as Value[];
}

export function dictionary(value: Value): Readonly<Record<string, Value>> {
  if (!isRecord(value) || isTextMap(value)) throw new NotUnderstood("no dictionary where one is wanted");
  return value;
}

export function wholeNumber(value: Value): number {
  if (typeof value !== "bigint") throw new NotUnderstood("no whole number where one is wanted");
  return Number(value);
}
