import type { ChartFiles, ChartTools } from "../../domain/kubernetes/rendered.ts";

/** What a chart asks of the cluster while it is rendered; offline every answer is empty. */
type Asking =
  | { readonly kind: "nothing" }
  /** Only these of its templates ask; `rest` is the chart without them. */
  | { readonly kind: "some"; readonly where: string; readonly rest: ChartFiles }
  | { readonly kind: "anything"; readonly where: string };

/**
 * Which templates of a chart and its subcharts reach `lookup`, by themselves or through what they include. What cannot
 * be followed counts as asking; what an asking template changes in the values reaches all others.
 */
export function asksCluster(packed: ChartFiles, values: readonly string[], unpack: ChartTools["unpack"]): Asking {
  const files = unpacked(packed, unpack, 0);
  if (files === undefined) return { kind: "anything", where: "a packed subchart that cannot be read" };
  const texts = new Map([...files].map(([path, bytes]) => [path, textOf(bytes)]));
  const written = [...values, ...[...texts].flatMap(([path, text]) => (isTemplate(path) ? [] : [text]))];
  const isHidden = written.some((text) => text.includes("{{") && asking.test(text));
  if (!isHidden && ![...texts.values()].some((text) => asking.test(text))) return { kind: "nothing" };
  const pieces = [...texts].flatMap(([path, text]) => (isTemplate(path) ? piecesOf(path, text) : []));
  const reached = new Set(pieces.filter((one) => one.asks || (isHidden && one.usesTexts)));
  const leadsTo = edgesOf(pieces);
  for (let size = -1; size !== reached.size; ) {
    size = reached.size;
    for (const piece of pieces) if (leadsTo(piece).some((next) => reached.has(next))) reached.add(piece);
  }
  const run = [...reached].filter((one) => one.isFile && !/(?:^|\/)_[^/]*$/.test(one.name));
  const [first] = run;
  if (first === undefined) return { kind: "nothing" };
  const executed = new Set<Piece>(run);
  for (const piece of executed) for (const next of leadsTo(piece)) executed.add(next);
  const changing = [...executed].find((one) => one.changesValues);
  if (changing) return { kind: "anything", where: first.name };
  const gone = new Set(run.map(({ name }) => name));
  return { kind: "some", where: first.name, rest: new Map([...files].filter(([path]) => !gone.has(path))) };
}

const textOf = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

const isTemplate = (path: string): boolean => /^(?:charts\/[^/]+\/)*templates\//.test(path);

/** The chart with every packed subchart laid out below its name, as Helm takes it as well. */
function unpacked(files: ChartFiles, unpack: ChartTools["unpack"], depth: number): ChartFiles | undefined {
  const all = new Map<string, Uint8Array>();
  for (const [path, bytes] of files) {
    const [, name] = /^((?:charts\/[^/]+\/)*charts\/[^/]+)\.t(?:ar\.)?gz$/.exec(path) ?? [];
    if (name === undefined) {
      all.set(path, bytes);
      continue;
    }
    const inner = depth < mostDepth ? unpack(bytes) : undefined;
    const whole = inner && unpacked(inner, unpack, depth + 1);
    if (whole === undefined) return undefined;
    for (const [below, content] of whole) all.set(`${name}/${below}`, content);
  }
  return all;
}

const mostDepth = 5;

/** A template file, or a part of one that has a name. */
interface Piece {
  readonly name: string;
  readonly isFile: boolean;
  asks: boolean;
  /** Runs texts from elsewhere as templates. */
  usesTexts: boolean;
  changesValues: boolean;
  /** Names of other pieces; null for one that nobody can tell. */
  readonly includes: (string | null)[];
}

const asking = /(?<![\w.$])(?:lookup|getHostByName)(?!\w)/;
const changing = /(?<![\w.$])(?:set|unset|merge|mergeOverwrite|mustMerge|mustMergeOverwrite)(?!\w)/;
const running = /(?<![\w.$])tpl(?!\w)/;
const hashed = /^-?\s*include\b.*\|\s*sha(?:1|256|512)sum\s*(?:\|\s*(?:quote|trunc\s+\d+)\s*)*-?$/s;

function edgesOf(pieces: readonly Piece[]): (piece: Piece) => readonly Piece[] {
  const byName = new Map<string, Piece[]>();
  for (const piece of pieces) byName.set(piece.name, [...(byName.get(piece.name) ?? []), piece]);
  return ({ includes }) =>
    includes.flatMap((name) => {
      if (name === null) return pieces;
      if (!name.startsWith("/")) return byName.get(name) ?? [];
      return pieces.filter((one) => one.isFile && one.name.endsWith(`templates${name}`));
    });
}

function piecesOf(path: string, text: string): Piece[] {
  const file = newPiece(path, true);
  const pieces = [file];
  const open: (Piece | undefined)[] = [];
  for (const { words, strings } of actionsIn(text)) {
    const [, keyword] = /^-?\s*(if|with|range|define|block|end)\b/.exec(words) ?? [];
    const around = open.findLast((one) => one !== undefined) ?? file;
    if (keyword === "end") open.pop();
    else if (keyword === "define" || keyword === "block") {
      const part = newPiece(strings[0] ?? "", false);
      if (keyword === "block") around.includes.push(part.name);
      pieces.push(part);
      open.push(part);
    } else if (keyword !== undefined) open.push(undefined);
    note(around, words, strings);
  }
  return pieces;
}

function newPiece(name: string, isFile: boolean): Piece {
  return { name, isFile, asks: false, usesTexts: false, changesValues: false, includes: [] };
}

function note(piece: Piece, words: string, strings: readonly string[]): void {
  piece.asks ||= asking.test(words) || (running.test(words) && strings.some((one) => asking.test(one)));
  piece.usesTexts ||= running.test(words);
  piece.changesValues ||= changing.test(words);
  // Whatever is inside, a hash of it is a word.
  if (!hashed.test(words)) piece.includes.push(...includedIn(words, strings));
}

/** What `include` and `template` name: a text, or a file below the templates' own directory. */
function includedIn(words: string, strings: readonly string[]): (string | null)[] {
  const found: (string | null)[] = [];
  for (const match of words.matchAll(
    /(?<![\w.$])(?:include|template)\s*(?:"(\d+)"|\(\s*print\s+\$?\.Template\.BasePath\s+"(\d+)"\s*\))?/g,
  )) {
    const [, name, file] = match;
    const at = name ?? file;
    const text = at === undefined ? undefined : strings[Number(at)];
    found.push(text === undefined || (file !== undefined) !== text.startsWith("/") ? null : text);
  }
  return found;
}

interface Action {
  /** The words between the braces, with the place in `strings` in each string's quotes. */
  readonly words: string;
  readonly strings: readonly string[];
}

/** Every action of a template but comments. */
function* actionsIn(text: string): Generator<Action> {
  const opening = /\{\{-?\s*(\/\*)?/g;
  for (let found = opening.exec(text); found; found = opening.exec(text)) {
    if (found[1] !== undefined) {
      const end = text.indexOf("*/", opening.lastIndex);
      if (end < 0) return;
      opening.lastIndex = end + 2;
      continue;
    }
    const strings: string[] = [];
    let words = "";
    const token = /"((?:[^"\\]|\\.)*)"|`([^`]*)`|'(?:[^'\\]|\\.)*'|\}\}|[^"`'}]+|\}/gy;
    token.lastIndex = opening.lastIndex;
    for (let next = token.exec(text); next && next[0] !== "}}"; next = token.exec(text)) {
      const string = next[1] ?? next[2];
      words += string === undefined ? next[0] : `"${strings.push(string) - 1}"`;
    }
    opening.lastIndex = Math.max(opening.lastIndex, token.lastIndex);
    yield { words, strings };
  }
}
