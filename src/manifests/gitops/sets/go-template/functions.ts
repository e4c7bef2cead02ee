import { canonicalText } from "../../../../domain/kubernetes/object-changes.ts";
import { isRecord } from "../../../../domain/kubernetes/rendered.ts";
import { readKubeYaml } from "../../../yaml/kube-yaml.ts";
import { blockYaml } from "../../../yaml/yaml.ts";
import { NotUnderstood } from "./parse.ts";
import { dictionary, isTextMap, isTrue, list, shown, text, type Value, wholeNumber } from "./values.ts";

type GoFunction = (...values: readonly Value[]) => Value;

/** A function of Go's templates, of sprig or of Argo CD; what is not here, or is given something else, is not understood. */
export function goFunction(name: string): GoFunction {
  const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (found === undefined) throw new NotUnderstood(`the function ${name}`);
  return found;
}

const functions: Readonly<Record<string, GoFunction>> = {
  not: (value) => !isTrue(value),
  eq: (one, other, ...more) => [other, ...more].some((each) => isSame(one, each)),
  ne: (one, other) => !isSame(one, other),
  empty: (value) => !isTrue(value),
  default: (otherwise, value) => (isTrue(value) ? value : otherwise),
  coalesce: (...values) => values.find(isTrue) ?? null,
  ternary: (yes, no, condition) => {
    if (typeof condition !== "boolean") throw new NotUnderstood("ternary asks for true or false");
    return condition ? yes : no;
  },
  hasKey: (map, key) => Object.hasOwn(dictionary(map), text(key)),
  get: (map, key) => (Object.hasOwn(dictionary(map), text(key)) ? dictionary(map)[text(key)] : ""),
  index: (value, ...keys) => keys.reduce(itemOf, value),
  len: (value) => (typeof value === "string" ? BigInt(Buffer.byteLength(value)) : BigInt(list(value).length)),
  list: (...values) => values,
  first: (values) => list(values)[0] ?? null,
  last: (values) => list(values).at(-1) ?? null,
  has: (wanted, values) => list(values).some((value) => value === text(wanted)),
  join: (between, values) => list(values).map(shown).join(text(between)),
  splitList: (between, value) => text(value).split(text(between)),
  print: (...values) => values.map(text).join(""),
  printf: (format, ...values) => formatted(text(format), values),
  quote: (...values) => values.filter(isThere).map(quoted).join(" "),
  squote: (...values) =>
    values
      .filter(isThere)
      .map((value) => `'${shown(value)}'`)
      .join(" "),
  toString: shown,
  upper: (value) => ascii(value).toUpperCase(),
  lower: (value) => ascii(value).toLowerCase(),
  trim: (value) => ascii(value).trim(),
  trimPrefix: (prefix, value) =>
    text(value).startsWith(text(prefix)) ? text(value).slice(text(prefix).length) : value,
  trimSuffix: (suffix, value) =>
    text(value).endsWith(text(suffix)) ? text(value).slice(0, text(value).length - text(suffix).length) : value,
  replace: (old, by, value) => text(value).split(text(old)).join(text(by)),
  contains: (part, value) => text(value).includes(text(part)),
  hasPrefix: (part, value) => text(value).startsWith(text(part)),
  hasSuffix: (part, value) => text(value).endsWith(text(part)),
  indent: (width, value) => indented(width, value),
  nindent: (width, value) => `\n${indented(width, value)}`,
  toJson: (value) => canonicalText(plain(value)),
  toYaml: (value) => yamlOf(plain(value)),
  normalize: (value) => normalized(text(value)),
};

/** The form that Argo CD gives a name. */
export const normalized = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^-a-z0-9.]/g, "-")
    .slice(0, 253)
    .replaceAll(/^[-.]+|[-.]+$/g, "");

const isThere = (value: Value): boolean => value !== null && value !== undefined;

/** Texts with texts, truths with truths, whole numbers with such: of everything else Go may say that the kinds differ. */
function isSame(one: Value, other: Value): boolean {
  const kinds = [typeof one, typeof other];
  if (["string", "boolean", "bigint"].some((kind) => kinds.every((each) => each === kind))) return one === other;
  throw new NotUnderstood("values of which nobody here can tell whether Go compares them");
}

function itemOf(value: Value, key: Value): Value {
  if (typeof key === "string") return isTextMap(value) ? value.get(key) : dictionary(value)[key];
  const items = list(value);
  const at = wholeNumber(key);
  if (at < 0 || at >= items.length) throw new NotUnderstood("an index out of range");
  return items[at];
}

function formatted(format: string, values: readonly Value[]): string {
  const verbs = format.match(/%./g) ?? [];
  if (verbs.some((verb) => !/%[sv]/.test(verb)) || /%$/.test(format) || verbs.length !== values.length)
    throw new NotUnderstood(`the format ${format}`);
  let next = 0;
  return format.replaceAll(/%./g, () => text(values[next++]));
}

function quoted(value: Value): string {
  return JSON.stringify(ascii(shown(value)));
}

/** Of other letters, and of control characters, Go has its own mind. */
function ascii(value: Value): string {
  if (!/^[\t\n\r -~]*$/.test(text(value))) throw new NotUnderstood("letters beyond ASCII");
  return text(value);
}

function indented(width: Value, value: Value): string {
  const many = wholeNumber(width);
  if (many < 0 || many > 200) throw new NotUnderstood("a width that nobody means");
  const space = " ".repeat(many);
  return space + text(value).replaceAll("\n", `\n${space}`);
}

/** As JSON holds it. A list that a template puts into itself again and again would have no end. */
function plain(value: Value, room = { left: 100_000 }): Value {
  room.left -= 1;
  if (room.left < 0) throw new NotUnderstood("too large a value");
  if (isTextMap(value)) return Object.fromEntries(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, room));
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, room)]));
  return typeof value === "bigint" ? Number(value) : (value ?? null);
}

/** Only what is read again as the same value. */
function yamlOf(value: Value): string {
  const written = blockYaml(value);
  const read = readKubeYaml(written);
  const same = isThere(value) ? [value] : [];
  if (!read.ok || canonicalText(read.value) !== canonicalText(same))
    throw new NotUnderstood("a value that no YAML says");
  return written;
}
