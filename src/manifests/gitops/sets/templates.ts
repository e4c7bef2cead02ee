import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { at, entriesOf, itemsAt, mergedMap, type Node, resolved } from "../../yaml/source.ts";

type Written = Readonly<Record<string, unknown>>;

/** The template that a generator's Applications are made of: its own, and the set's where that says nothing. */
export function templateOf(set: Written, generator: unknown): Written {
  const own = isRecord(generator)
    ? Object.values(generator).find((one) => isRecord(one) && isRecord(one.template))
    : {};
  const template = completed(isRecord(own) ? own.template : {}, isRecord(set.template) ? set.template : {}, "");
  return isRecord(template) ? template : {};
}

/** As Argo CD does it: mappings by key, and everything else from the set where the generator's is empty. */
function completed(own: unknown, base: unknown, key: string): unknown {
  if (!isRecord(own) || !isRecord(base) || isWhole(key)) return isEmpty(own) ? base : own;
  const keys = new Set([...Object.keys(base), ...Object.keys(own)]);
  return Object.fromEntries([...keys].map((inner) => [inner, completed(own[inner], base[inner], inner)]));
}

// Bytes for Argo CD, whatever is in them.
const isWhole = (key: string): boolean => key === "valuesObject";

const isEmpty = (value: unknown): boolean => !value || (Array.isArray(value) && value.length === 0);

/** The same as nodes: every template that a set makes Applications of, each value where it is written. */
export function templatesIn(set: Node): readonly Node[] {
  const base = at(set, ["spec", "template"]);
  const generators = itemsAt(set, ["spec", "generators"]);
  const all = generators.map((generator) => {
    const kinds = resolved(generator);
    const values = kinds?.kind === "map" ? [...entriesOf(kinds).values()].map(({ value }) => value) : [];
    const own = values.map((value) => at(value, ["template"])).find((template) => template?.kind === "map");
    return own ? completedNode(own, base, "") : base;
  });
  const found = all.filter((one) => one !== undefined);
  return found.length > 0 ? [...new Set(found)] : base ? [base] : [];
}

function completedNode(own: Node, base: Node | undefined, key: string): Node {
  const [above, below] = [resolved(own), resolved(base)];
  if (below === undefined) return own;
  if (above?.kind !== "map" || below.kind !== "map" || isWhole(key)) return isEmptyNode(above) ? below : own;
  const entries = new Map(entriesOf(below));
  for (const [inner, entry] of entriesOf(above)) {
    const old = entries.get(inner);
    if (old === undefined) entries.set(inner, entry);
    else if (!isEmptyNode(resolved(entry.value)))
      entries.set(inner, { key: entry.key, value: completedNode(entry.value, old.value, inner) });
  }
  return mergedMap(below, entries, [...below.layers, ...above.layers]);
}

function isEmptyNode(node: ReturnType<typeof resolved>): boolean {
  if (node?.kind === "scalar")
    return node.text === "" || (node.style === "plain" && /^(?:~|null|false|0)$/i.test(node.text));
  return node === undefined || (node.kind === "list" && node.items.length === 0);
}
