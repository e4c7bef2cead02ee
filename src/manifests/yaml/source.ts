import { documentsOf } from "./documents.ts";
import type { AliasNode, Document, ListNode, MapEntry, MapNode, Node, ScalarNode } from "./nodes.ts";
import { parseYamlEvents, type YamlEvent } from "./yaml.ts";
import { keepNewest } from "../../domain/text/keep-newest.ts";

export type { ListNode, MapEntry, MapNode, Node, ScalarNode };

/** A text file of the repository with its documents as nodes that know their source offsets. */
interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly documents: readonly Document[];
}

export interface Problem {
  readonly path: string;
  readonly line: number;
  readonly because: string;
}

export type Sourced =
  | { readonly ok: true; readonly file: SourceFile }
  | { readonly ok: false; readonly problem: Problem };

/** Files above this size are refused unread: no manifest is that big, and parsing one costs seconds. */
export const maxFileBytes = 2 * 1024 * 1024;

// Many questions about one place read the same few files.
const keptSources = 128;
const keptBytes = 64 * 1024;
const kept = new Map<Uint8Array, { readonly path: string; readonly source: Sourced }>();

/** Bytes → documents. A problem names the file and the line. */
export function parseSource(path: string, bytes: Uint8Array): Sourced {
  const before = kept.get(bytes);
  if (before?.path === path) return before.source;
  const source = parsedSource(path, bytes);
  if (bytes.length <= keptBytes) keepNewest(kept, bytes, { path, source }, keptSources);
  return source;
}

function parsedSource(path: string, bytes: Uint8Array): Sourced {
  const fail = (line: number, because: string): Sourced => ({ ok: false, problem: { path, line, because } });
  if (bytes.length > maxFileBytes) return fail(1, `the file has ${bytes.length} bytes, more than ${maxFileBytes}`);
  const text = decoded(bytes);
  if (text === undefined) return fail(firstBadLine(bytes), "the file is not UTF-8");
  return parseText(path, text, text);
}

/**
 * The documents of `visible`, placed in `text`. Both have the same length: `visible` is `text` with whatever does not
 * belong to the documents blanked, so that offsets mean the same in both.
 */
export function parseText(path: string, text: string, visible: string): Sourced {
  const parsed = lenientEvents(visible);
  if (!parsed.ok) {
    const [, line] = /\((\d+):\d+\)/.exec(parsed.problem) ?? [];
    return { ok: false, problem: { path, line: Number(line ?? 1), because: parsed.problem } };
  }
  const lost: Node[] = [];
  const documents = documentsOf(parsed.events, parsed.visible, { path, text }, lost);
  const [unknown] = lost;
  if (unknown) {
    const because = `${text.slice(unknown.start, unknown.end)} is an alias of nothing`;
    return { ok: false, problem: { path, line: lineOf(text, unknown.start), because } };
  }
  return { ok: true, file: { path, text, documents } };
}

const embedded = new WeakMap<ScalarNode, { readonly source: Sourced | undefined }>();

/** The YAML inside a string of a manifest, at the same offsets; undefined when the text is not written there as it is. */
export function parseEmbedded(node: ScalarNode): Sourced | undefined {
  const known = embedded.get(node) ?? { source: parsedEmbedded(node) };
  embedded.set(node, known);
  return known.source;
}

function parsedEmbedded(node: ScalarNode): Sourced | undefined {
  const { file, start, end } = node;
  if (start < 0) return undefined;
  const quoted = node.style === "single" || node.style === "double";
  const [from, to] = quoted ? [start + 1, end - 1] : [start, end];
  const raw = file.text.slice(from, to);
  if (node.style !== "literal" && raw !== node.text) return undefined;
  return parseText(file.path, file.text, blank(file.text.slice(0, from)) + raw + blank(file.text.slice(to)));
}

/** 1-based line of an offset. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

/** The node itself, or what its alias stands for. */
export function resolved(node: Node | undefined): Exclude<Node, AliasNode> | undefined {
  let at = node;
  for (let hops = 0; at?.kind === "alias"; hops += 1) {
    if (hops > 20) return undefined;
    at = at.target;
  }
  return at;
}

/** The node below a path of keys and list indexes, aliases followed. */
export function at(node: Node | undefined, path: readonly (string | number)[]): Exclude<Node, AliasNode> | undefined {
  let here = resolved(node);
  for (const step of path) {
    if (here?.kind === "map") here = resolved(entriesOf(here).get(String(step))?.value);
    else if (here?.kind === "list") here = resolved(here.items[Number(step)]);
    else return undefined;
  }
  return here;
}

/** The entries of a mapping with its merge keys (`<<`) followed one level deep after the other. */
export function entriesOf(map: MapNode, depth = 0): ReadonlyMap<string, MapEntry> {
  const merge = map.entries.get("<<");
  if (!merge || depth > 20) return map.entries;
  const value = resolved(merge.value);
  const sources = value?.kind === "list" ? [...value.items].reverse() : [merge.value];
  const entries = new Map<string, MapEntry>();
  for (const source of sources) {
    const from = resolved(source);
    if (from?.kind === "map") for (const [key, entry] of entriesOf(from, depth + 1)) entries.set(key, entry);
  }
  for (const [key, entry] of map.entries) if (key !== "<<") entries.set(key, entry);
  return entries;
}

/** The text of a scalar below a path; undefined for anything else. */
export function textAt(node: Node | undefined, path: readonly (string | number)[]): string | undefined {
  const found = at(node, path);
  return found?.kind === "scalar" ? found.text : undefined;
}

/** The items of a list below a path; none for anything else. */
export function itemsAt(node: Node | undefined, path: readonly (string | number)[]): readonly Node[] {
  const found = at(node, path);
  return found?.kind === "list" ? found.items : [];
}

/** A mapping that nobody wrote as a whole: merged from written ones. */
export function mergedMap(base: MapNode, entries: ReadonlyMap<string, MapEntry>, layers: readonly MapNode[]): MapNode {
  return { ...base, entries, layers };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function firstBadLine(bytes: Uint8Array): number {
  let line = 1;
  for (let from = 0; from < bytes.length; line += 1) {
    const newline = bytes.indexOf(0x0a, from);
    const to = newline < 0 ? bytes.length : newline;
    if (decoded(bytes.subarray(from, to)) === undefined) return line;
    from = to + 1;
  }
  return line;
}

const blank = (text: string): string => text.replace(/[^\r\n]/g, " ");

type Events = { readonly ok: true; readonly events: YamlEvent[]; readonly visible: string };

/**
 * kubectl accepts a flow collection that is closed at its parent's indentation, js-yaml does not. Such a line is joined
 * to the one before (a blank for the line end), which moves no offset and changes no value inside a flow collection.
 */
function lenientEvents(text: string): Events | { readonly ok: false; readonly problem: string } {
  let visible = text;
  for (let attempt = 0; ; attempt += 1) {
    const parsed = parseYamlEvents(visible);
    if (parsed.ok) return { ok: true, events: parsed.value, visible };
    const [, line] = /deficient indentation \((\d+):\d+\)/.exec(parsed.problem) ?? [];
    const joined = line === undefined || attempt > 50 ? undefined : joinedLines(visible, Number(line));
    if (joined === undefined) return { ok: false, problem: parsed.problem };
    visible = joined;
  }
}

function joinedLines(text: string, line: number): string | undefined {
  let start = 0;
  for (let n = 1; n < line; n += 1) start = text.indexOf("\n", start) + 1;
  if (start === 0 || !/^[ \t]*[\]}]/.test(text.slice(start, start + 200))) return undefined;
  const before = text.slice(0, start);
  const lastLine = before.slice(before.lastIndexOf("\n", before.length - 2) + 1);
  if (lastLine.includes("#")) return undefined;
  return before.replace(/\r?\n$/, (end) => " ".repeat(end.length)) + text.slice(start);
}
