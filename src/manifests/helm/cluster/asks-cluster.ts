import { type ChartFiles, type ChartTools, isRecord } from "../../../domain/kubernetes/rendered.ts";
import { readKubeYaml } from "../../yaml/kube-yaml.ts";
import { actionsIn, isTemplate, textOf, unpacked } from "./template-actions.ts";

/** What a chart asks of the cluster while it is rendered; offline every answer is empty, or that of a first install. */
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
  const files = unpacked(packed, unpack);
  if (files === undefined) return { kind: "anything", where: "a packed subchart that cannot be read" };
  const found = reachedIn(files, values);
  if (found === undefined) return { kind: "nothing" };
  const { pieces, reached, leadsTo, hashedBy } = found;
  const run = [...reached].filter(isRun);
  // A hash of what asks is a word, and what was written to the values on the way stays there.
  const live = closure(pieces.filter(isRun), (piece) => [...leadsTo(piece), ...hashedBy(piece)]);
  const executed = closure(
    [...reached].filter((piece) => live.has(piece)),
    (piece) => [...leadsTo(piece), ...hashedBy(piece)],
  );
  const [first = [...executed][0]] = run;
  if (first === undefined) return { kind: "nothing" };
  if ([...executed].some((one) => one.changesValues)) return { kind: "anything", where: first.name };
  if (run.length === 0) return { kind: "nothing" };
  const gone = new Set(run.map(({ name }) => name));
  return { kind: "some", where: first.name, rest: new Map([...files].filter(([path]) => !gone.has(path))) };
}

/** The named pieces of a chart that ask: a text that is run may include them. */
export function askingNames(files: ChartFiles): readonly string[] {
  const reached = reachedIn(files, [])?.reached ?? new Set<Piece>();
  return [...reached].flatMap(({ isFile, name }) => (isFile ? [] : [name]));
}

/** What asks, by itself or through what it includes; undefined where no text holds a word for it. */
function reachedIn(files: ChartFiles, values: readonly string[]) {
  const texts = new Map([...files].map(([path, bytes]) => [path, textOf(bytes)]));
  const written = [...texts].filter(([path]) => !isTemplate(path) && !path.endsWith(".md"));
  const hides = (text: string) => text.includes("{{") && mayAsk.test(text);
  const isHidden =
    values.some(hides) || written.some(([path, text]) => hides(text) && hides(withoutComments(path, text)));
  if (!isHidden && ![...texts.values()].some((text) => mayAsk.test(text))) return undefined;
  const pieces = [...texts].flatMap(([path, text]) => (isTemplate(path) ? piecesOf(path, text) : []));
  const reached = new Set(pieces.filter((one) => one.asks || (isHidden && one.usesTexts)));
  const leadsTo = edgesOf(pieces, ({ includes }) => includes);
  const hashedBy = edgesOf(pieces, ({ hashes }) => hashes);
  for (let size = -1; size !== reached.size; ) {
    size = reached.size;
    for (const piece of pieces) if (leadsTo(piece).some((next) => reached.has(next))) reached.add(piece);
  }
  return { pieces, reached, leadsTo, hashedBy };
}

/** The texts of a chart's own values, whose comments nobody runs; any other file, or what is no YAML, as it is. */
function withoutComments(path: string, text: string): string {
  const read = /^(?:charts\/[^/]+\/)*values\.yaml$/.test(path) ? readKubeYaml(text) : undefined;
  return read?.ok === true ? textsIn(read.value).join("\n") : text;
}

function textsIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (isRecord(value)) return Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]);
  return typeof value === "string" ? [value] : [];
}

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
  /** The same for pieces of which only a hash is taken. */
  readonly hashes: (string | null)[];
}

/** Files that Helm runs by themselves. */
const isRun = ({ isFile, name }: Piece): boolean => isFile && !/(?:^|\/)_[^/]*$/.test(name);

function closure(from: readonly Piece[], next: (piece: Piece) => readonly Piece[]): ReadonlySet<Piece> {
  const all = new Set(from);
  for (const piece of all) for (const one of next(piece)) all.add(one);
  return all;
}

const asking = /(?<![\w.$])(?:lookup|getHostByName)(?!\w)|\.(?:Revision|HelmVersion)(?!\w)/;
/** The same where strings are not told from words. */
const mayAsk = /(?<![\w$])(?:lookup|getHostByName|Revision|HelmVersion)(?!\w)|\.Release(?![\w.])/;
/** The whole of what also holds the revision, written out. */
const writtenOut =
  /(?<![\w.$])(?:range|quote|squote|values|print\w*|to\w*|index|get|dig|pluck)(?!\w)[^|)]*\.Release(?![\w.])|^-?\s*[\w.$]*\.Release\s*(?:\||-?$)/;
const changing = /(?<![\w.$])(?:set|unset|merge|mergeOverwrite|mustMerge|mustMergeOverwrite)(?!\w)/;
const running = /(?<![\w.$])tpl(?!\w)/;
const hashed = /^-?\s*include\b.*\|\s*sha(?:1|256|512)sum\s*(?:\|\s*(?:quote|trunc\s+\d+)\s*)*-?$/s;

function edgesOf(
  pieces: readonly Piece[],
  named: (piece: Piece) => readonly (string | null)[],
): (piece: Piece) => readonly Piece[] {
  const byName = new Map<string, Piece[]>();
  for (const piece of pieces) byName.set(piece.name, [...(byName.get(piece.name) ?? []), piece]);
  return (piece) =>
    named(piece).flatMap((name) => {
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
  return { name, isFile, asks: false, usesTexts: false, changesValues: false, includes: [], hashes: [] };
}

function note(piece: Piece, words: string, strings: readonly string[]): void {
  const isWhole = writtenOut.test(words) || (/\.Release(?!\w)/.test(words) && strings.includes("Revision"));
  piece.asks ||= asking.test(words) || isWhole || (running.test(words) && strings.some((one) => asking.test(one)));
  piece.usesTexts ||= running.test(words);
  piece.changesValues ||= changing.test(words);
  // Whatever is inside, a hash of it is a word.
  (hashed.test(words) ? piece.hashes : piece.includes).push(...includedIn(words, strings));
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
