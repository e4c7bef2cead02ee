import type { ResourceField } from "../../domain/kubernetes/manifest-edit.ts";
import { parseQuantity } from "../../domain/kubernetes/quantity.ts";
import { type ChartFiles, type ChartTools, type RenderedObject, isRecord } from "../../domain/kubernetes/rendered.ts";
import { podSpecOf } from "./rendered-field.ts";
import { dependenciesOf, keysOf, vendoredIn } from "./chart-files.ts";
import type { Values } from "./release-values.ts";

export type ValuePath = readonly (string | number)[];

/** One place of the values whose meaning an experiment may show, with the value that it gets there. */
export interface Candidate {
  readonly path: ValuePath;
  readonly mark: string | number;
  /** What arrives in the field when the chart hands the mark on. */
  readonly token: string;
  readonly as: "value" | "tag" | "image";
}

/** What the wanted fields of all objects hold now: only a value that equals one of them can be its source. */
interface FieldValues {
  readonly counts: ReadonlySet<number>;
  readonly quantities: ReadonlySet<number>;
  readonly images: readonly string[];
}

/** Reads replicas, bounds, resources and images of all objects. */
export function fieldValuesOf(objects: readonly RenderedObject[]): FieldValues {
  const counts = new Set<number>();
  const quantities = new Set<number>();
  const images = new Set<string>();
  for (const object of objects) {
    const spec = isRecord(object.spec) ? object.spec : {};
    for (const field of countFields) {
      const count = spec[field];
      if (typeof count === "number") counts.add(count);
    }
    for (const container of containersOf(object)) {
      if (typeof container.image === "string") images.add(container.image);
      for (const quantity of amountsOf(container)) quantities.add(quantity);
    }
  }
  return { counts, quantities, images: [...images] };
}

const countFields = ["replicas", "minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount"];

function amountsOf({ resources }: Record<string, unknown>): number[] {
  const sides = isRecord(resources) ? [resources.limits, resources.requests].filter(isRecord) : [];
  return sides.flatMap((side) => Object.values(side).map(parseQuantity)).filter((one) => one !== undefined);
}

function containersOf(object: RenderedObject): Record<string, unknown>[] {
  const pod = podSpecOf(object);
  return [pod?.containers, pod?.initContainers].flatMap((list) => (Array.isArray(list) ? list : [])).filter(isRecord);
}

/** Numbers that stand nowhere in the objects, so that one that arrives was meant. */
export interface Numbers {
  next: number;
  readonly taken: string;
  /** The tag that a key would replace: marks of keys that hold nothing stay close to it. */
  readonly tag?: string;
}

export const numbersBeside = (objects: readonly RenderedObject[]): Numbers => ({
  next: 1009,
  taken: JSON.stringify(objects),
});

function free(numbers: Numbers): number {
  do numbers.next += 1;
  while (numbers.taken.includes(String(numbers.next)));
  return numbers.next;
}

/** The scalars of the values that may be the source of a wanted field. */
export function writtenCandidates(values: Values, fields: FieldValues, numbers: Numbers): Candidate[] {
  const found: Candidate[] = [];
  const walk = (value: unknown, path: ValuePath): void => {
    if (path.length > 12 || found.length > 400) return;
    if (Array.isArray(value)) value.forEach((item, n) => walk(item, [...path, n]));
    else if (isRecord(value)) for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
    else {
      const marked = markFor(value, fields, numbers);
      if (marked) found.push({ path, ...marked });
    }
  };
  walk(values, []);
  return found;
}

function markFor(value: unknown, fields: FieldValues, numbers: Numbers): Omit<Candidate, "path"> | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const text = String(value);
  const image = typeof value === "string" ? imageMark(text, fields, numbers) : undefined;
  if (image) return image;
  const quantity = parseQuantity(value);
  if (quantity === undefined)
    return fields.images.some((one) => one.endsWith(`:${text}`)) ? tagMark(text, numbers) : undefined;
  const isCount = fields.counts.has(quantity);
  if (!isCount && !fields.quantities.has(quantity)) {
    return fields.images.some((one) => one.endsWith(text)) ? tagMark(text, numbers) : undefined;
  }
  const number = free(numbers);
  const unit = /[a-zA-Z]+$/.exec(text)?.[0] ?? "";
  const token = `${number}${unit === "n" || unit === "u" ? "m" : unit}`;
  return { mark: typeof value === "number" ? number : token, token, as: "value" };
}

function imageMark(text: string, fields: FieldValues, numbers: Numbers): Omit<Candidate, "path"> | undefined {
  if (text === "" || /^\d+$/.test(text)) return undefined;
  if (parseQuantity(text) !== undefined && !fields.images.some((one) => one.endsWith(`:${text}`))) return undefined;
  const whole = /^(.*):([\w][\w.-]*)$/.exec(text);
  if (
    whole?.[1] !== undefined &&
    /[/\w]/.test(whole[1]) &&
    fields.images.some((one) => one === text || one.endsWith(`/${text}`))
  ) {
    const tag = tagMark(whole[2] ?? "", numbers);
    return { ...tag, mark: `${whole[1]}:${tag.token}`, as: "image" };
  }
  if (fields.images.some((one) => namesNoTag(one) && (one === text || one.endsWith(`/${text}`)))) {
    const tag = tagMark("", numbers);
    return { ...tag, mark: `${text}:${tag.token}`, as: "image" };
  }
  const isTag =
    /^[\w][\w.+-]*$/.test(text) &&
    fields.images.some((one) => (one.split(":").at(-1) ?? "").includes(text) && one.endsWith(text));
  return isTag ? tagMark(text, numbers) : undefined;
}

/** Kubernetes takes such an image as the tag `latest`. */
const namesNoTag = (image: string): boolean => !/[:@][^/]*$/.test(image);

/** Templates compare versions: a mark stays close to what it stands for, only its last number is like no other. */
function tagMark(text: string, numbers: Numbers): Omit<Candidate, "path"> {
  const number = free(numbers);
  const version = /^(v?\d+\.\d+\.)\d+/.exec(text)?.[1];
  const token = version === undefined ? `x${number}` : `${version}${number}`;
  return { mark: token, token, as: "tag" };
}

/** Which field is asked for: marks of another kind would only stand in the way, and charts hold many empty resources. */
type Wanted = "count" | "tag" | ResourceField;

const isAmount = (wanted: Wanted): wanted is ResourceField => wanted !== "count" && wanted !== "tag";

/**
 * Keys that hold nothing but that the templates may read: amounts of a container, counts and tags. Those that stand in
 * the values and those that a template spells out come first, before those that could stand in some mapping.
 */
export function unwrittenCandidates(values: Values, read: ReadKeys, wanted: Wanted, numbers: Numbers): Candidate[] {
  const found = new Map<string, Found>();
  const add: Add = (path, make, likely = true) => {
    const known = found.get(path.join("."));
    if (known === undefined && found.size < maxUnwritten) found.set(path.join("."), { path, make, likely });
    else if (known !== undefined) known.likely ||= likely;
  };
  const search = { names: read.names, wanted, numbers, add };
  for (const chain of read.chains) addChain(values, chain, search);
  unwrittenIn(values, [], search);
  const all = [...found.values()];
  const ordered = [...all.filter(({ likely }) => likely), ...all.filter(({ likely }) => !likely)];
  return ordered.map(({ path, make }) => ({ path, ...make() }));
}

const maxUnwritten = 1_000;

interface Found {
  readonly path: ValuePath;
  readonly make: Mark;
  likely: boolean;
}

type Mark = () => Omit<Candidate, "path">;

type Add = (path: ValuePath, make: Mark, likely?: boolean) => void;

interface Unwritten {
  readonly names: ReadonlySet<string>;
  readonly wanted: Wanted;
  readonly numbers: Numbers;
  readonly add: Add;
}

/** A key that a template spells out from `.Values` on, and that holds nothing. */
function addChain(values: Values, chain: readonly string[], search: Unwritten): void {
  const now = chain.reduce<unknown>((here, step) => (isRecord(here) ? here[step] : undefined), values);
  const last = chain.at(-1) ?? "";
  const { wanted, numbers, add } = search;
  if (isAmount(wanted) && /resources$/i.test(last) && (isEmpty(now) || isRecord(now)))
    addAmounts(isRecord(now) ? now : {}, chain, search);
  if (!isEmpty(now)) return;
  if (wanted === "count" && counted.test(last)) add(chain, () => countMark(numbers));
  if (wanted === "tag" && tagged.test(last)) add(chain, () => tagMark(numbers.tag ?? "", numbers));
}

const isEmpty = (value: unknown): boolean => value === undefined || value === null || value === "";

function addMissing(map: Record<string, unknown>, path: readonly string[], search: Unwritten): void {
  const { names, wanted, numbers, add } = search;
  for (const key of [...names].filter((name) => isEmpty(map[name]))) {
    if (wanted === "count" && counted.test(key)) add([...path, key], () => countMark(numbers), key in map);
    if (wanted === "tag" && tagged.test(key))
      add([...path, key], () => tagMark(numbers.tag ?? "", numbers), key in map);
  }
}

/** Keys below a mapping that a loop or a helper may enter under another name. */
function unwrittenIn(map: Record<string, unknown>, path: readonly string[], search: Unwritten): void {
  const { names, wanted } = search;
  if (path.length > 6) return;
  const isPart = ["image", "replicas", "replicaCount", "containers", "enabled", "repository"].some((key) => key in map);
  if (isPart) addMissing(map, path, search);
  const isBlock = isRecord(map.limits) || isRecord(map.requests);
  for (const [key, value] of Object.entries(map)) {
    const isAmounts = /resources$/i.test(key) && (isRecord(value) || value === null);
    if (isAmounts && isAmount(wanted)) addAmounts(value ?? {}, [...path, key], search);
    else if (isRecord(value) && !isBlock && !isAmounts) unwrittenIn(value, [...path, key], search);
  }
  if (!isAmount(wanted)) return;
  if (isBlock && !/resources$/i.test(path.at(-1) ?? "")) addAmounts(map, path, search);
  if (isPart && isEmpty(map.resources) && names.has("resources")) addAmounts({}, [...path, "resources"], search);
}

function countMark(numbers: Numbers): Omit<Candidate, "path"> {
  const number = free(numbers);
  return { mark: number, token: String(number), as: "value" };
}

function addAmounts(
  value: Record<string, unknown>,
  path: readonly string[],
  { numbers, add, wanted }: Pick<Unwritten, "numbers" | "add" | "wanted">,
): void {
  const [side = "", what = ""] = wanted.split(".");
  const old = value[side];
  if (old !== undefined && old !== null && !isRecord(old)) return;
  if (isRecord(old) && old[what] !== undefined && old[what] !== null) return;
  add([...path, side, what], () => {
    const token = `${free(numbers)}${what === "cpu" ? "m" : "Mi"}`;
    return { mark: token, token, as: "value" };
  });
}

const counted =
  /^(?:replicas|replicaCount|replica|count|instances|size|scale|minReplicas|maxReplicas|min|max|minReplicaCount|maxReplicaCount)$/i;

const tagged = /^(?:imageTag|tag|version)$/i;

/** What the templates of a chart and its subcharts read. */
interface ReadKeys {
  /** Every name that follows a dot. */
  readonly names: ReadonlySet<string>;
  /** Keys spelled out from `.Values` on, below the names of the subcharts. */
  readonly chains: readonly (readonly string[])[];
}

export function keysRead(
  files: ChartFiles,
  tools: Pick<ChartTools, "unpack">,
  prefix: readonly string[] = [],
): ReadKeys {
  const names = new Set<string>();
  const chains = new Map<string, readonly string[]>();
  const decoder = new TextDecoder("latin1");
  for (const [path, bytes] of files) {
    if (!path.startsWith("templates/")) continue;
    const text = decoder.decode(bytes);
    for (const [, name] of text.matchAll(/\.([A-Za-z_]\w*)/g)) if (name !== undefined) names.add(name);
    for (const [, chain = ""] of text.matchAll(/\.Values((?:\.[A-Za-z_]\w*)+)/g))
      chains.set(chain, [...prefix, ...chain.slice(1).split(".")]);
  }
  const inner = prefix.length > 3 ? [] : vendoredIn(files, tools);
  const dependencies = dependenciesOf(files);
  const below = inner.flatMap((one) =>
    keysOf(one, dependencies).map((key) => keysRead(one.files, tools, [...prefix, key])),
  );
  for (const one of below) for (const name of one.names) names.add(name);
  return { names, chains: [...chains.values(), ...below.flatMap((one) => one.chains)] };
}
