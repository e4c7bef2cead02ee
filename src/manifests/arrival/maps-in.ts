import { isRecord, valueAt } from "../../domain/kubernetes/rendered.ts";

/** The maps in a list below a path. */
export function mapsIn(value: unknown, path: readonly (string | number)[]): readonly Record<string, unknown>[] {
  const list = valueAt(value, path);
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
