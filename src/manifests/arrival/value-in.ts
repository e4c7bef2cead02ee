import { isRecord } from "../../domain/kubernetes/rendered.ts";

/** The value below a path of keys and indexes. */
export function valueIn(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((here, step) => {
    if (Array.isArray(here)) return (here as unknown[])[Number(step)];
    return isRecord(here) && Object.hasOwn(here, step) ? here[step] : undefined;
  }, value);
}

/** The maps in a list below a path. */
export function mapsIn(value: unknown, path: readonly (string | number)[]): readonly Record<string, unknown>[] {
  const list = valueIn(value, path);
  return Array.isArray(list) ? list.filter(isRecord) : [];
}
