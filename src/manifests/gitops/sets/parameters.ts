import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { filledIn } from "./go-template/fill.ts";
import { normalized } from "./go-template/functions.ts";
import { isTextMap, isTrue, type Value } from "./go-template/values.ts";

type Data = Readonly<Record<string, Value>>;

/** What fills in a template; `open` when the cluster adds more than the repository shows. */
export interface Params {
  /** By the names that templates give them: `path.basename`. */
  readonly values: ReadonlyMap<string, string>;
  /** All of it as Go's templates see it; undefined for other templates, and where nobody can tell here. */
  readonly data?: Data;
  readonly open: boolean;
}

/** How the templates of a set are read: by Go, perhaps with an error for what is not there, or as plain places. */
export type Dialect = { readonly isGo: true; readonly isStrict: boolean } | { readonly isGo: false };

export function dialectOf({ goTemplate, goTemplateOptions }: Data): Dialect {
  if (goTemplate !== true) return { isGo: false };
  return { isGo: true, isStrict: Array.isArray(goTemplateOptions) && goTemplateOptions.includes("missingkey=error") };
}

/** What an element of a list says. */
export function ofElement(dialect: Dialect, element: unknown): Params {
  return dialect.isGo && isRecord(element) ? ofData(asJson(element)) : { values: flat(element), open: false };
}

/** What is said of a place of the repository: its path, what its file says, and values made of these. */
export function ofPlace(
  dialect: Dialect,
  git: Readonly<Record<string, unknown>>,
  place: { readonly path: string; readonly filename?: string; readonly content?: unknown },
): Params {
  const { pathParamPrefix: prefix, values } = git;
  const written = isRecord(values) ? Object.entries(values).map(([key, value]) => [key, String(value)] as const) : [];
  if (!dialect.isGo) {
    const known = new Map([...flat(place.content), ...placeValues(place, typeof prefix === "string" ? prefix : "")]);
    const own = written.map(([key, value]) => [`values.${key}`, filled(value, known)] as const);
    return { values: new Map([...known, ...own]), open: false };
  }
  const path = goPath(place);
  const said = isRecord(place.content) ? (asJson(place.content) as Data) : {};
  const data = typeof prefix === "string" && prefix !== "" ? { ...said, [prefix]: { path } } : { ...said, path };
  const made = written.map(
    ([key, value]) => [key, filledIn(value, { data, isStrict: dialect.isStrict }).text] as const,
  );
  if (made.some(([, value]) => value === undefined))
    return { values: new Map([...flat(data), ...flat({ values })]), open: false };
  const own = new Map(made.map(([key, value]) => [key, value ?? ""]));
  return ofData(own.size === 0 ? data : { ...data, values: own });
}

function ofData(data: Value): Params {
  const values = flat(data);
  for (const [name, value] of [...values]) {
    const [, list, at] = /^(.*)\[(\d+)\]$/.exec(name) ?? [];
    if (list !== undefined) values.set(`index ${list} ${at}`, value);
  }
  return { values, data: data as Data, open: false };
}

/** Of two that both hold: of Go's the second wins, as Argo CD has it. */
export function merged(dialect: Dialect, below: Params, above: Params): Params {
  const open = below.open || above.open;
  const data = dialect.isGo && below.data && above.data ? overlaid(below.data, above.data) : undefined;
  if (data !== undefined) return { ...ofData(data), open };
  return { values: new Map([...below.values, ...above.values]), open };
}

/** Undefined where an empty value, or one of another kind, may win or not. */
function overlaid(below: Data, above: Data): Data | undefined {
  const all: Record<string, Value> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const old = all[key];
    if (!Object.hasOwn(all, key)) all[key] = value;
    else if (isTextMap(value) && isTextMap(old)) all[key] = new Map([...old, ...value]);
    else if (isRecord(value) && isRecord(old) && !isTextMap(value) && !isTextMap(old)) {
      const inner = overlaid(old, value);
      if (inner === undefined) return undefined;
      all[key] = inner;
    } else if (isRecord(value) || isRecord(old) || !isTrue(value)) return undefined;
    else all[key] = value;
  }
  return all;
}

/** A null that nobody wrote is one as well. */
function asJson(value: unknown): Value {
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(asJson);
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, asJson(item)])) : value;
}

interface Place {
  readonly path: string;
  readonly filename?: string;
}

function goPath({ path, filename }: Place): Data {
  const name = path.split("/").at(-1) ?? "";
  const file = filename === undefined ? {} : { filename, filenameNormalized: normalized(filename) };
  return { path, basename: name, basenameNormalized: normalized(name), segments: path.split("/"), ...file };
}

function placeValues(place: Place, prefix: string): (readonly [string, string])[] {
  const { segments, ...texts } = goPath(place);
  const head = prefix === "" ? "path" : `${prefix}.path`;
  return [
    [head, place.path],
    ...Object.entries(texts).map(([key, value]) => [`${head}.${key}`, String(value)] as const),
    ...(segments as string[]).flatMap((segment, index) => [
      [`${head}[${index}]`, segment] as const,
      [`index ${head}.segments ${index}`, segment] as const,
    ]),
  ];
}

/** `{a: {b: 1}}` → `a.b` = `1`, as templates name it. */
export function flat(value: unknown, prefix = "", into = new Map<string, string>()): Map<string, string> {
  const inside = isTextMap(value) ? Object.fromEntries(value) : value;
  if (Array.isArray(inside)) inside.forEach((item, index) => flat(item, `${prefix}[${index}]`, into));
  else if (isRecord(inside))
    for (const [key, item] of Object.entries(inside)) flat(item, prefix === "" ? key : `${prefix}.${key}`, into);
  else if (prefix !== "" && inside !== null && inside !== undefined)
    into.set(prefix, String(inside as string | number));
  return into;
}

/** Fills in what is known; `{{ .path.basename }}` and `{{path.basename}}` mean the same. */
function filled(text: string, values: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\{\{-?\s*([^{}]*?)\s*-?\}\}/g, (whole, expression: string) => {
    const name = expression.replaceAll(/(^|\s)\./g, "$1");
    return values.get(name) ?? whole;
  });
}

/** A text with what is known filled in; what is not keeps its braces. */
function filledText(dialect: Dialect, text: string, params: Params): string {
  if (!text.includes("{{")) return text;
  const { data, values } = params;
  const known = filled(text, values);
  if (!dialect.isGo || data === undefined) return known;
  // Only Go says how it prints a value.
  return filledIn(text, { data, isStrict: dialect.isStrict }).text ?? (known.includes("{{") ? known : text);
}

/** The same for every text of a value. */
export function filledAll(dialect: Dialect, value: unknown, params: Params): unknown {
  if (params.values.size === 0) return value;
  if (typeof value === "string") return filledText(dialect, value, params);
  if (Array.isArray(value)) return value.map((item) => filledAll(dialect, item, params));
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, filledAll(dialect, item, params)]));
}
