import { parseYamlEvents, type Parsed, scalarText, type YamlEvent } from "./yaml.ts";

/** A stream may unfold to this many values: anchors that multiply (billion laughs) end here. */
const maxValues = 400_000;
const maxDepth = 200;

/**
 * All documents of a stream as Kustomize reads objects, empty ones left out: octal `010` is 8, merge keys are applied,
 * anchors unfolded, a null that nobody wrote (`key:`) is undefined. What tools read differently (dates, huge numbers)
 * is a problem, not a guess. The dialect `kubernetes`, which other files of Kustomize are read in, also has `yes` and
 * `on` for true; there they are a problem. In the output of a tool, which is only held against its other output, such
 * places stay the texts that they are.
 */
export function readKubeYaml(text: string, dialect: Dialect = "kustomize"): Parsed<unknown[]> {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const separator = /^---(?:\S|[ \t]+[^#\s]).*$|^%.*$/m.exec(source);
  if (separator !== null) return { ok: false, problem: `the line ${separator[0].slice(0, 40)}` };
  const events = parseYamlEvents(source);
  if (!events.ok) return events;
  const reader: Reader = {
    source,
    events: events.value,
    next: 0,
    values: 0,
    anchors: new Map(),
    dialect,
    problem: undefined,
  };
  const documents: unknown[] = [];
  while (reader.next < reader.events.length && reader.problem === undefined) {
    const start = peek(reader);
    reader.next += 1;
    reader.anchors.clear();
    const value = peek(reader)?.type === kind.pop ? undefined : readValue(reader, 0);
    reader.next += 1;
    // Kustomize reads nothing behind the mark.
    const isCut = start?.type === kind.document && start.explicitEnd && reader.next < reader.events.length;
    if (isCut) fail(reader, "the document end mark (...) in the middle");
    if (value !== null && value !== undefined) documents.push(value);
  }
  return reader.problem === undefined ? { ok: true, value: documents } : { ok: false, problem: reader.problem };
}

type Dialect = "kustomize" | "kubernetes" | "output";

/** The event types of js-yaml 5. */
const kind = { document: 1, sequence: 2, mapping: 3, scalar: 4, alias: 5, pop: 6 } as const;
const plain = 1;
const flow = 2;

interface Reader {
  readonly source: string;
  readonly events: readonly YamlEvent[];
  next: number;
  values: number;
  readonly anchors: Map<string, unknown>;
  readonly dialect: Dialect;
  problem: string | undefined;
}

function peek(reader: Reader): YamlEvent | undefined {
  return reader.events[reader.next];
}

function readValue(reader: Reader, depth: number): unknown {
  const event = peek(reader);
  if (event === undefined || reader.problem !== undefined) return null;
  if (depth > maxDepth) return fail(reader, `nested deeper than ${maxDepth} levels`);
  if ((reader.values += 1) > maxValues) return fail(reader, `more than ${maxValues} values`);
  reader.next += 1;
  switch (event.type) {
    case kind.scalar:
      return anchored(reader, event, readScalar(reader, event));
    case kind.alias:
      return readAlias(reader, reader.source.slice(event.anchorStart, event.anchorEnd));
    case kind.sequence:
      return anchored(reader, event, readSequence(reader, depth));
    case kind.mapping:
      return anchored(reader, event, readMapping(reader, depth, event.style === flow));
    case kind.document:
    case kind.pop:
      return fail(reader, "a document ends in the middle of a value");
  }
}

function fail(reader: Reader, problem: string): null {
  reader.problem ??= problem;
  return null;
}

/** What tools read differently: the same on both sides of a comparison, and else unknown. */
function doubted(reader: Reader, text: string, problem: string): string | null {
  return reader.dialect === "output" ? text : fail(reader, problem);
}

function anchored<T>(reader: Reader, event: { anchorStart: number; anchorEnd: number }, value: T): T {
  if (event.anchorStart >= 0) reader.anchors.set(reader.source.slice(event.anchorStart, event.anchorEnd), value);
  return value;
}

/** Every use is a copy: a later change of one place must not change the other. */
function readAlias(reader: Reader, name: string): unknown {
  if (!reader.anchors.has(name)) return fail(reader, `the alias *${name} has no anchor`);
  const value = reader.anchors.get(name);
  reader.values += countValues(value, maxValues - reader.values);
  if (reader.values > maxValues) return fail(reader, `more than ${maxValues} values`);
  return structuredClone(value);
}

function countValues(value: unknown, budget: number): number {
  let count = 0;
  const open = [value];
  while (open.length > 0 && count <= budget) {
    const item = open.pop();
    count += 1;
    if (typeof item === "object" && item !== null) for (const child of Object.values(item)) open.push(child);
  }
  return count;
}

function readSequence(reader: Reader, depth: number): unknown[] {
  const items: unknown[] = [];
  while (peek(reader)?.type !== kind.pop && reader.problem === undefined) items.push(readValue(reader, depth + 1));
  reader.next += 1;
  return items;
}

function readMapping(reader: Reader, depth: number, isFlow: boolean): Record<string, unknown> {
  const own = new Map<string, unknown>();
  const merged: Record<string, unknown>[] = [];
  while (peek(reader)?.type !== kind.pop && reader.problem === undefined) {
    const event = peek(reader);
    const isMerge = event?.type === kind.scalar && event.style === plain && scalarText(reader.source, event) === "<<";
    const key = isMerge ? skipKey(reader) : readValue(reader, depth + 1);
    const value = readValue(reader, depth + 1);
    // Kustomize writes `{key}` back as an empty text.
    if (isFlow && value === undefined) fail(reader, "an empty value in braces");
    if (isMerge) merged.push(...mergeSources(reader, value));
    else if (typeof key !== "string") fail(reader, "a key that is no text");
    else if (key === "__proto__") fail(reader, "the key __proto__");
    else if (own.has(key)) fail(reader, `the key ${key} stands twice`);
    else own.set(key, value);
  }
  reader.next += 1;
  for (const [key, value] of merged.flatMap(Object.entries)) if (!own.has(key)) own.set(key, value);
  return Object.fromEntries(own);
}

function skipKey(reader: Reader): string {
  reader.next += 1;
  return "<<";
}

function mergeSources(reader: Reader, value: unknown): Record<string, unknown>[] {
  const sources = Array.isArray(value) ? value : [value];
  const isMap = (source: unknown): source is Record<string, unknown> =>
    typeof source === "object" && source !== null && !Array.isArray(source);
  if (!sources.every(isMap)) fail(reader, "a merge key (<<) that does not hold a map");
  return sources.filter(isMap);
}

type Scalar = Extract<YamlEvent, { type: 4 }>;

const strangeCharacter = /[\u0000-\u0008\u000b-\u001f\u007f-\u00a0\u2028\u2029\ufeff]/;
const doubleQuoted = 3;
const literal = 4;
const folded = 5;

function readScalar(reader: Reader, event: Scalar): unknown {
  const text = blockText(reader, event, scalarText(reader.source, event));
  const tag = event.tagStart >= 0 ? reader.source.slice(event.tagStart, event.tagEnd) : "";
  if (tag === "!!str" || tag === "!" || (tag === "" && event.style !== plain)) return text;
  if (tag !== "") return fail(reader, `the tag ${tag}`);
  if (text === "" && event.valueStart < 0) return undefined;
  if (reader.dialect === "kubernetes" && /^(y|n|yes|no|on|off)$/i.test(text)) {
    return fail(reader, `${text}, which some tools read as a truth value`);
  }
  const value = plainScalar(text);
  return value === undefined ? doubted(reader, text, `${text.slice(0, 40)}, which tools read differently`) : value;
}

/** A text as go-yaml has it after Kustomize has written and read it once more; a problem where that changes it. */
function blockText(reader: Reader, event: Scalar, text: string): string {
  // Controls and the line breaks of Unicode do not survive.
  if (strangeCharacter.test(text)) doubted(reader, text, "a text with control characters or unusual spaces");
  const raw = reader.source.slice(event.valueStart, event.valueEnd);
  if (event.style === doubleQuoted && /\\(?:\/|u[dD][89a-fA-F])/.test(raw))
    doubted(reader, text, "an escape that go-yaml lacks");
  if (event.style !== literal && event.style !== folded) return text;
  // A folded text with lines that are indented more, or several line ends, gets other ones when Kustomize writes it.
  if (event.style === folded && /(^|\n)[ \t]|\n\n$/.test(text))
    doubted(reader, text, "a folded text with indented lines");
  if (/^\s*\t/.test(text)) doubted(reader, text, "a block text that begins with a tab");
  // A text that ends with the file, without a line end, has no line end.
  const isCut = event.valueEnd >= reader.source.length && !reader.source.endsWith("\n");
  return isCut && text.endsWith("\n") ? text.slice(0, -1) : text;
}

/**
 * A plain scalar by the rules of go-yaml 3, which Kustomize builds on; undefined where other readers differ.
 * https://github.com/go-yaml/yaml/blob/v3/resolve.go
 */
export function plainScalar(text: string): unknown {
  if (/^(~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  if (!/^[-+.0-9]/.test(text)) return text;
  if (/^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/.test(text)) return undefined;
  // A date becomes a time in one reader and stays a text in the next.
  if (/^\d{4}-\d{1,2}-\d{1,2}([Tt ]|$)/.test(text)) return undefined;
  const digits = text.replaceAll("_", "");
  const integer = integerOf(digits);
  if (integer !== undefined) return Number.isSafeInteger(integer) ? integer : undefined;
  if (!/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(digits)) return text;
  const number = Number(digits) + 0;
  return Number.isFinite(number) ? number : undefined;
}

function integerOf(text: string): number | undefined {
  const match = /^([-+]?)(0[bB][01]+|0[oO][0-7]+|0[xX][0-9a-fA-F]+|0[0-7]+|0|[1-9][0-9]*)$/.exec(text);
  if (!match?.[2]) return undefined;
  const digits = match[2];
  const octal = /^0[0-7]+$/.test(digits);
  const value = octal ? Number.parseInt(digits, 8) : Number(digits.toLowerCase());
  return match[1] === "-" ? 0 - value : value;
}
