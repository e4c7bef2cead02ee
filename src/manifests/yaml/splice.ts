import { needsQuotes } from "./scalar.ts";
import type { MapEntry, MapNode, ListNode, Node, ScalarNode } from "./source.ts";

/** One byte range of one file and what stands there afterwards. Offsets are UTF-16 code units. */
export interface Splice {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * What a splice may write: text (quoted when a plain scalar would not be text), a number, or these nested. The key `|`
 * alone stands for a literal block that holds its value as YAML.
 */
export type Written = string | number | readonly Written[] | { readonly [key: string]: Written };

/** The text with the splices done; every other character stays. */
export function spliced(text: string, splices: readonly Splice[]): string {
  const ordered = [...splices].sort((a, b) => b.start - a.start);
  return ordered.reduce((done, { start, end, text: put }) => done.slice(0, start) + put + done.slice(end), text);
}

/**
 * Puts a value in the place of a scalar in the scalar's own quotes. Undefined when it is written in a style that cannot
 * hold it (block scalar, tag, escapes).
 */
export function replaceScalar(node: ScalarNode, value: string | number): Splice | undefined {
  if (node.start < 0 || node.style === "literal" || node.style === "folded" || node.tagged) return undefined;
  const { path } = node.file;
  const text = String(value);
  if (/[\n"'\\]/.test(text)) return undefined;
  const quote = node.style === "single" ? "'" : node.style === "double" ? '"' : "";
  const bare = quote === "" && typeof value === "string" && needsQuotes(text) && needsQuotes(node.text) === false;
  return { path, start: node.start, end: node.end, text: bare ? `"${text}"` : `${quote}${text}${quote}` };
}

/** Replaces one stretch of a scalar's text (a tag inside an image); undefined when it is not written as it reads. */
export function replaceWithin(node: ScalarNode, from: number, to: number, text: string): Splice | undefined {
  if (node.start < 0 || node.style === "literal" || node.style === "folded" || node.tagged) return undefined;
  const start = node.start + (node.style === "plain" ? 0 : 1);
  if (node.file.text.slice(start, start + node.text.length) !== node.text || /[\s"'\\]/.test(text)) return undefined;
  return { path: node.file.path, start: start + from, end: start + to, text };
}

/** Adds a key to a written mapping: first in a block mapping below its key, last in a document's root. */
export function insertEntry(map: MapNode, key: string, value: Written): Splice | undefined {
  const entries = [...map.entries.values()];
  if (map.flow) return insertIntoFlow(map, entries[0], key, value);
  const [first, last] = [entries[0], entries.at(-1)];
  if (!first || !last) return undefined;
  const { text, path } = map.file;
  const column = first.key.start - lineStart(text, first.key.start);
  const bom = first.key.start - column === 0 && text.startsWith("\ufeff") ? 1 : 0;
  const lines = renderBlock({ [key]: value }, column - bom);
  const above = lineAfterParentKey(map, first);
  if (above !== undefined) return { path, start: above, end: above, text: joined(lines, eolAt(text, above), "after") };
  return insertAfter(map.parent ? first : last, lines);
}

/** Puts a mapping where a key has no value yet (`resources:`). */
export function fillEmpty(key: ScalarNode, value: Written): Splice | undefined {
  const { text, path } = key.file;
  const newline = text.indexOf("\n", key.end);
  const lineEnd = newline < 0 ? text.length : newline;
  if (!/^["']?\s*:\s*(?:#.*)?\r?$/.test(text.slice(key.end, lineEnd))) return undefined;
  const column = key.start - lineStart(text, key.start);
  return insertLines(path, text, lineEnd, renderBlock(value, column + 2));
}

/** Puts a plain value behind a key that has none yet (`replicas:`). */
export function fillValue(key: ScalarNode, value: string | number): Splice | undefined {
  const { text, path } = key.file;
  const [line = ""] = /^.*/.exec(text.slice(key.end)) ?? [];
  const colon = /^["']?[ \t]*:(?=[ \t]*(?:#.*)?\r?$)/.exec(line)?.[0];
  if (colon === undefined) return undefined;
  const at = key.end + colon.length;
  return { path, start: at, end: at, text: ` ${renderScalar(value)}` };
}

/** Puts a list of one item in the place of an empty one (`patches: []`) that ends its line. */
export function fillList(key: ScalarNode, list: ListNode, item: Written): Splice | undefined {
  const { text, path } = key.file;
  const start = text.indexOf(":", key.end) + 1;
  const isAlone = list.start > start && /^[ \t]*\r?(?:\n|$)/.test(text.slice(list.end));
  const column = key.start - lineStart(text, key.start);
  if (!isAlone || text.slice(start, list.start).trim() !== "" || /\S/.test(text.slice(key.start - column, key.start)))
    return undefined;
  const lines = renderBlock([item], column + 2);
  return { path, start, end: list.end, text: joined(lines, eolAt(text, start), "before") };
}

/** Adds an item at the end of a written list. */
export function appendItem(list: ListNode, value: Written): Splice | undefined {
  const last = list.items.at(-1);
  if (!last || list.start < 0) return undefined;
  const { text, path } = list.file;
  if (list.flow) {
    const isJson = /^\s*[{[]/.test(text);
    return { path, start: deepEnd(last), end: deepEnd(last), text: `, ${renderFlow(value, isJson)}` };
  }
  const dash = text.lastIndexOf("-", last.start - 1);
  const column = dash - lineStart(text, dash);
  if (dash < 0 || text.slice(lineStart(text, dash), dash).trim() !== "") return undefined;
  return insertLines(path, text, deepEnd(last), renderBlock([value], column));
}

/** A value as block YAML lines at an indentation. */
function renderBlock(value: Written, indent: number): string[] {
  const pad = " ".repeat(indent);
  if (isList(value)) {
    return value.flatMap((item) => {
      const lines = isScalar(item) ? [`${pad}  ${renderScalar(item)}`] : renderBlock(item, indent + 2);
      return lines.map((line, n) => (n === 0 ? `${pad}- ${line.slice(indent + 2)}` : line));
    });
  }
  if (isScalar(value)) return [`${pad}${renderScalar(value)}`];
  return Object.entries(value).flatMap(([key, item]) => {
    if (isScalar(item)) return [`${pad}${renderKey(key)}: ${renderScalar(item)}`];
    const literal = isList(item) ? undefined : item["|"];
    const head = `${pad}${renderKey(key)}:${literal === undefined ? "" : " |-"}`;
    return [head, ...renderBlock(literal ?? item, indent + 2)];
  });
}

const isScalar = (value: Written): value is string | number => typeof value !== "object";
const isList = (value: Written): value is readonly Written[] => Array.isArray(value);
const renderScalar = (value: string | number): string =>
  typeof value === "string" && needsQuotes(value) ? JSON.stringify(value) : String(value);
const renderKey = (key: string): string => (/^[A-Za-z][A-Za-z0-9_-]*$/.test(key) ? key : JSON.stringify(key));

function renderFlow(value: Written, json: boolean): string {
  if (isScalar(value)) return json && typeof value === "string" ? JSON.stringify(value) : renderScalar(value);
  if (isList(value)) return `[${value.map((item) => renderFlow(item, json)).join(", ")}]`;
  const literal = value["|"];
  if (literal !== undefined) return quotedJson(literal, json);
  const pairs = Object.entries(value).map(
    ([key, item]) => `${json ? JSON.stringify(key) : renderKey(key)}: ${renderFlow(item, json)}`,
  );
  return `{${pairs.join(", ")}}`;
}

/** A text that holds the value as JSON, which is YAML too. */
function quotedJson(value: Written, json: boolean): string {
  const text = JSON.stringify(value);
  return json ? JSON.stringify(text) : `'${text.replaceAll("'", "''")}'`;
}

function insertIntoFlow(map: MapNode, first: MapEntry | undefined, key: string, value: Written): Splice | undefined {
  const { text, path } = map.file;
  if (map.start < 0 || text[map.start] !== "{") return undefined;
  const json = first ? first.key.style === "double" : path.endsWith(".json");
  const pair = renderFlow({ [key]: value }, json).slice(1, -1);
  if (!first) return { path, start: map.start + 1, end: map.start + 1, text: pair };
  const gap = text.slice(map.start + 1, first.key.start);
  if (gap.trim() !== "") return undefined;
  const space = gap === "" ? " " : gap;
  return { path, start: first.key.start, end: first.key.start, text: `${pair},${space}` };
}

/** The start of the line below `key:` when the mapping's own lines begin there. */
function lineAfterParentKey(map: MapNode, first: MapEntry): number | undefined {
  const { text } = map.file;
  if (map.parent?.kind !== "map") return undefined;
  const parentKey = [...map.parent.entries.values()].find((entry) => entry.value === map)?.key;
  if (!parentKey) return undefined;
  const newline = text.indexOf("\n", parentKey.end);
  if (newline < 0 || newline > first.key.start) return undefined;
  const between = text.slice(newline + 1, first.key.start);
  return /^(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*$/.test(between) ? newline + 1 : undefined;
}

function insertAfter(entry: MapEntry, lines: readonly string[]): Splice {
  const { text, path } = entry.key.file;
  return insertLines(path, text, Math.max(deepEnd(entry.value), entry.key.end), lines);
}

/** Puts whole lines after the line that `offset` ends in. */
function insertLines(path: string, text: string, offset: number, lines: readonly string[]): Splice {
  const done = offset > 0 && text[offset - 1] === "\n";
  const newline = done ? offset - 1 : text.indexOf("\n", offset);
  if (newline < 0)
    return { path, start: text.length, end: text.length, text: joined(lines, eolAt(text, offset), "before") };
  return { path, start: newline + 1, end: newline + 1, text: joined(lines, eolAt(text, newline), "after") };
}

const joined = (lines: readonly string[], eol: string, side: "before" | "after"): string =>
  lines.map((line) => (side === "before" ? eol + line : line + eol)).join("");

const lineStart = (text: string, offset: number): number => text.lastIndexOf("\n", offset - 1) + 1;

/** The line end in use around an offset. */
function eolAt(text: string, offset: number): string {
  const newline = text.lastIndexOf("\n", offset) >= 0 ? text.lastIndexOf("\n", offset) : text.indexOf("\n", offset);
  return newline > 0 && text[newline - 1] === "\r" ? "\r\n" : "\n";
}

function deepEnd(node: Node): number {
  return node.end;
}
