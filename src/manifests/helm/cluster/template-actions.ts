import type { ChartFiles, ChartTools } from "../../../domain/kubernetes/rendered.ts";

/** Each byte a letter, so that any file comes back as it was. */
export const textOf = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

export const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

export const isTemplate = (path: string): boolean => /^(?:charts\/[^/]+\/)*templates\//.test(path);

const open = new WeakMap<ChartFiles, { readonly files: ChartFiles | undefined }>();

/**
 * The chart with every packed subchart laid out below its name, as Helm takes it as well; undefined where one cannot be
 * read. One question asks several times for the same chart.
 */
export function unpacked(files: ChartFiles, unpack: ChartTools["unpack"]): ChartFiles | undefined {
  const known = open.get(files) ?? { files: laidOut(files, unpack, 0) };
  open.set(files, known);
  return known.files;
}

function laidOut(files: ChartFiles, unpack: ChartTools["unpack"], depth: number): ChartFiles | undefined {
  const all = new Map<string, Uint8Array>();
  for (const [path, bytes] of files) {
    const [, name] = /^((?:charts\/[^/]+\/)*charts\/[^/]+)\.t(?:ar\.)?gz$/.exec(path) ?? [];
    if (name === undefined) {
      all.set(path, bytes);
      continue;
    }
    const inner = depth < mostDepth ? unpack(bytes) : undefined;
    const whole = inner && laidOut(inner, unpack, depth + 1);
    if (whole === undefined) return undefined;
    for (const [below, content] of whole) all.set(`${name}/${below}`, content);
  }
  return all;
}

const mostDepth = 5;

interface Action {
  /** Where it stands in the template, braces included. */
  readonly start: number;
  readonly end: number;
  /** The words between the braces, with the place in `strings` in each string's quotes. */
  readonly words: string;
  readonly strings: readonly string[];
}

/** Every action of a template but comments. */
export function* actionsIn(text: string): Generator<Action> {
  const opening = /\{\{-?\s*(\/\*)?/g;
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    if (found[1] !== undefined) {
      const end = text.indexOf("*/", opening.lastIndex);
      if (end < 0) return;
      opening.lastIndex = end + 2;
      continue;
    }
    const start = found.index;
    const strings: string[] = [];
    let words = "";
    const token = /"((?:[^"\\]|\\.)*)"|`([^`]*)`|'(?:[^'\\]|\\.)*'|\}\}|[^"`'}]+|\}/gy;
    token.lastIndex = opening.lastIndex;
    for (let next = token.exec(text); next && next[0] !== "}}"; next = token.exec(text)) {
      const string = next[1] ?? next[2];
      words += string === undefined ? next[0] : `"${strings.push(string) - 1}"`;
    }
    opening.lastIndex = Math.max(opening.lastIndex, token.lastIndex);
    yield { start, end: opening.lastIndex, words, strings };
  }
}

/** Where an operand ends that begins here: a text, a group with its fields, or a word. */
export function operandEnd(action: string, start: number): number {
  const token = /"(?:[^"\\]|\\.)*"|`[^`]*`|[()\s|}]|[^"`()\s|}]+/g;
  token.lastIndex = start;
  let depth = 0;
  for (let found = token.exec(action); found; found = token.exec(action)) {
    const [part] = found;
    if (depth === 0 && /^[)\s|}]$/.test(part)) return found.index;
    if (part === "(") depth += 1;
    if (part === ")") depth -= 1;
  }
  return action.length;
}
