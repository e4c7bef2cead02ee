import {
  at,
  entriesOf,
  type MapNode,
  mergedMap,
  type Node,
  resolved,
  type ScalarNode,
  textAt,
} from "../yaml/source.ts";

/** What a patch did: the patched mapping, the whole object taken away, or more work than any real patch needs. */
type Patched =
  | { readonly kind: "patched"; readonly node: MapNode }
  | { readonly kind: "deleted" }
  | { readonly kind: "unsupported"; readonly because: string };

/** Lists that Kubernetes merges by name in its own kinds; custom resources have none. */
const mergedByName = new Set(["containers", "initContainers", "ephemeralContainers", "volumes", "env"]);
const maxSteps = 50_000;

/** Strategic merge as kustomize does it; every value keeps the place it was written at. */
export function mergeStrategic(base: MapNode, patch: MapNode, builtin: boolean): Patched {
  const budget = { left: maxSteps };
  const node = merged(base, patch, builtin, budget);
  if (budget.left <= 0) return { kind: "unsupported", because: "the patch is too deep to follow" };
  if (node.kind === "removed") return { kind: "deleted" };
  return node.kind === "map"
    ? { kind: "patched", node }
    : { kind: "unsupported", because: "the patch is not a mapping" };
}

/** Helm's merge of values: mappings merge, everything else is replaced, null takes a key away. */
export function mergeValues(base: MapNode, above: MapNode): MapNode {
  const node = merged(base, above, false, { left: maxSteps });
  return node.kind === "map" ? node : base;
}

function merged(base: Node, patch: Node, builtin: boolean, budget: { left: number }): Node {
  budget.left -= 1;
  const [below, above] = [resolved(base), resolved(patch)];
  if (budget.left <= 0 || !above) return base;
  if (isNull(above)) return removedBy(above);
  if (above.kind !== "map") return patch;
  const directive = textAt(above, ["$patch"]);
  if (directive === "delete") return removedBy(above);
  if (directive === "replace" || below?.kind !== "map") return patch;
  const entries = new Map(entriesOf(below));
  for (const [key, entry] of entriesOf(above)) {
    const old = entries.get(key);
    if (!old) entries.set(key, entry);
    else
      entries.set(key, {
        key: entry.key,
        value: mergedValue(old.value, entry.value, builtin && mergedByName.has(key), { builtin, budget }),
      });
  }
  return mergedMap(below, entries, [...below.layers, ...above.layers]);
}

function mergedValue(
  old: Node,
  value: Node,
  byName: boolean,
  { builtin, budget }: { builtin: boolean; budget: { left: number } },
): Node {
  const [below, above] = [resolved(old), resolved(value)];
  if (above?.kind !== "list" || below?.kind !== "list" || !byName) return merged(old, value, builtin, budget);
  // kustomize puts the items of the patch first, in the patch's order.
  const rest = [...below.items];
  const items: Node[] = [];
  for (const item of above.items) {
    const name = textAt(item, ["name"]);
    if (textAt(item, ["$patch"]) === "replace" && name === undefined) return value;
    const index = rest.findIndex((other) => name !== undefined && textAt(other, ["name"]) === name);
    const mergedItem = index < 0 ? item : merged(rest[index] ?? item, item, builtin, budget);
    if (index >= 0) rest.splice(index, 1);
    if (mergedItem.kind !== "removed") items.push(mergedItem);
  }
  return { ...below, items: [...items, ...rest] };
}

/** JSON patch (RFC 6902) operations, done in order; every value keeps the place it was written at. */
export function applyJsonPatch(base: MapNode, operations: readonly Node[]): Patched {
  let node: Node = base;
  for (const operation of operations) {
    const [op, path, from] = [textAt(operation, ["op"]), textAt(operation, ["path"]), textAt(operation, ["from"])];
    if (op === "test") continue;
    if (op === undefined || path === undefined)
      return { kind: "unsupported", because: "a JSON patch lacks op or path" };
    const steps = pointerSteps(path);
    let value =
      resolved(operation)?.kind === "map" ? (resolved(operation) as MapNode).entries.get("value")?.value : undefined;
    if (op === "move" || op === "copy") value = at(node, pointerSteps(from ?? ""));
    if (op === "move") node = changed(node, pointerSteps(from ?? ""), removedBy(operation));
    if (op === "remove") value = removedBy(operation);
    if (!value) return { kind: "unsupported", because: `a JSON patch has ${op} without a value` };
    node = changed(node, steps, value, op);
  }
  return node.kind === "map"
    ? { kind: "patched", node }
    : { kind: "unsupported", because: "a JSON patch replaces the object" };
}

/** The steps of a JSON pointer. */
function pointerSteps(pointer: string): string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The same tree with one value set (lists by index, `-` appends); missing mappings on the way are made up. */
export function changed(node: Node, steps: readonly string[], value: Node, op = "replace"): Node {
  const [step, ...rest] = steps;
  if (step === undefined) return value;
  const here = resolved(node);
  if (here?.kind === "list") {
    const items = [...here.items];
    const index = step === "-" ? items.length : Number(step);
    if (rest.length > 0) items[index] = changed(items[index] ?? madeUp(value), rest, value, op);
    else if (value.kind === "removed") items.splice(index, 1);
    else items.splice(index, op === "add" || step === "-" ? 0 : 1, value);
    return { ...here, items };
  }
  const map = here?.kind === "map" ? here : madeUp(value);
  const entries = new Map(entriesOf(map));
  const old = entries.get(step);
  const key = old?.key ?? keyOf(step, value);
  entries.set(step, { key, value: changed(old?.value ?? madeUp(value), rest, value, op) });
  return mergedMap(map, entries, map.layers);
}

/** An empty mapping that stands nowhere. */
export function madeUp(near: Node): MapNode {
  return { kind: "map", file: near.file, start: -1, end: -1, flow: false, entries: new Map(), layers: [] };
}

function keyOf(text: string, near: Node): ScalarNode {
  return { kind: "scalar", file: near.file, start: -1, end: -1, text, style: "plain", tagged: false, indent: -1 };
}

function removedBy(node: Node): Node {
  return { kind: "removed", file: node.file, start: node.start, end: node.end };
}

function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.style === "plain" && /^(?:~|null|Null|NULL|)$/.test(node.text);
}
