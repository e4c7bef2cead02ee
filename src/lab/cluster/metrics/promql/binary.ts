import { labelKey, type Labels } from "../series-store.ts";
import { BadQuery, FailedQuery } from "./errors.ts";
import type { Binary } from "./parse.ts";
import { grouped, type Item, type Value, vector, withoutName } from "./value.ts";

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
};
const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "%": (a, b) => a % b,
  "^": (a, b) => a ** b,
};

/** Applies a binary operator to two evaluated sides. */
export function combine(binary: Binary, left: Value, right: Value): Value {
  for (const side of [left, right])
    if (side.kind === "matrix" || side.kind === "string")
      throw new BadQuery("binary expression must contain only scalar and instant vector types");
  if (left.kind === "scalar" && right.kind === "scalar") return scalars(binary, left.value, right.value);
  if (left.kind === "vector" && right.kind === "scalar")
    return vector(left.items.flatMap((item) => paired(binary, item, right.value, item.value)));
  if (left.kind === "scalar" && right.kind === "vector") {
    const flipped = (item: Item) => paired(binary, { ...item, value: left.value }, item.value, item.value);
    return vector(right.items.flatMap(flipped));
  }
  if (left.kind !== "vector" || right.kind !== "vector") return vector([]);
  if (["and", "or", "unless"].includes(binary.operator)) return vector(sets(binary, left.items, right.items));
  return vector(matched(binary, left.items, right.items));
}

function scalars({ operator, bool }: Binary, a: number, b: number): Value {
  const compare = comparisons[operator];
  if (compare && !bool) throw new BadQuery("comparisons between scalars must use BOOL modifier");
  return { kind: "scalar", value: compare ? Number(compare(a, b)) : (arithmetic[operator]?.(a, b) ?? Number.NaN) };
}

/** One result, or none where a comparison filters. `kept` is what a filter lets through: the vector's own value. */
function paired({ operator, bool }: Binary, left: Item, right: number, kept: number): Item[] {
  const compare = comparisons[operator];
  const labels = withoutName(left.labels);
  if (!compare) return [{ labels, value: arithmetic[operator]?.(left.value, right) ?? Number.NaN }];
  const holds = compare(left.value, right);
  if (bool) return [{ labels, value: Number(holds) }];
  return holds ? [{ labels: left.labels, value: kept }] : [];
}

function signature({ matching }: Binary, labels: Labels): Labels {
  if (!matching) return withoutName(labels);
  return grouped(labels, matching.mode === "on" ? "by" : "without", matching.labels);
}

function sets(binary: Binary, left: readonly Item[], right: readonly Item[]): Item[] {
  const keys = (items: readonly Item[]) => new Set(items.map((item) => labelKey(signature(binary, item.labels))));
  const [inLeft, inRight] = [keys(left), keys(right)];
  const has = (set: ReadonlySet<string>, item: Item) => set.has(labelKey(signature(binary, item.labels)));
  if (binary.operator === "and") return left.filter((item) => has(inRight, item));
  if (binary.operator === "unless") return left.filter((item) => !has(inRight, item));
  return [...left, ...right.filter((item) => !has(inLeft, item))];
}

/** One-to-one, or many-to-one with `group_left` and `group_right`. */
function matched(binary: Binary, left: readonly Item[], right: readonly Item[]): Item[] {
  const swapped = binary.group?.side === "right";
  const [many, one] = swapped ? [right, left] : [left, right];
  const byKey = new Map<string, Item>();
  for (const item of one) {
    const key = labelKey(signature(binary, item.labels));
    if (byKey.has(key))
      throw new FailedQuery("found duplicate series for the match group: many-to-many matching not allowed");
    byKey.set(key, item);
  }
  const used = new Set<string>();
  return many.flatMap((item) => {
    const key = labelKey(signature(binary, item.labels));
    const other = byKey.get(key);
    if (!other) return [];
    if (!binary.group && used.has(key))
      throw new FailedQuery(
        "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
      );
    used.add(key);
    const [a, b] = swapped ? [other, item] : [item, other];
    return paired(binary, { labels: item.labels, value: a.value }, b.value, a.value).map((result) => ({
      ...result,
      labels: resultLabels(binary, result.labels, other.labels),
    }));
  });
}

function resultLabels(binary: Binary, labels: Labels, one: Labels): Labels {
  if (binary.group) {
    const included = binary.group.include.map((name) => [name, one[name] ?? ""] as const);
    return { ...labels, ...Object.fromEntries(included) };
  }
  if (!binary.matching) return labels;
  // A filter keeps its name; the labels that were not compared are gone either way.
  return { ...(labels.__name__ ? { __name__: labels.__name__ } : {}), ...signature(binary, labels) };
}
