import { at, type MapNode, resolved } from "../../yaml/source.ts";
import { appendItem, fillEmpty, fillList, insertEntry, type Splice, type Written } from "../../yaml/splice.ts";

/** Inserts a path that is not there into a written mapping, below the part of it that is. Lists are not entered. */
export function insertAt(
  root: MapNode,
  path: readonly (string | number)[],
  value: string | number,
): Splice | undefined {
  let here = root;
  for (const [n, step] of path.entries()) {
    const next = resolved(here.entries.get(String(step))?.value);
    if (next?.kind === "map" && next.start >= 0 && (next.flow || next.entries.size > 0)) {
      if (next.parent !== here) return undefined;
      here = next;
      continue;
    }
    if (next || typeof step === "number" || n === 0) return undefined;
    const rest = path.slice(n + 1);
    if (rest.some((one) => typeof one === "number")) return undefined;
    return insertEntry(here, step, nested(rest, value));
  }
  return undefined;
}

export const nested = (path: readonly (string | number)[], value: string | number): Written =>
  path.reduceRight<Written>((inner, step) => ({ [String(step)]: inner }), value);

/** Adds an item to a list of a written mapping, also where the key is not there yet, or says nothing. */
export function listed(map: MapNode, key: string, item: Written): Splice | undefined {
  const entry = map.entries.get(key);
  if (!entry) return insertEntry(map, key, [item]);
  const list = at(map, [key]);
  if (list?.kind === "list") return list.items.length > 0 ? appendItem(list, item) : fillList(entry.key, list, item);
  const isEmpty = list?.kind === "scalar" && list.style === "plain" && list.text === "";
  return isEmpty ? fillEmpty(entry.key, [item]) : undefined;
}
