import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type Hunk, hunksBetween, linesOf, sharedLines } from "./lines.ts";

/** The three states of a repository that a reversal looks at: around the commit, and now. */
export interface Sides {
  /** Before the commit, and with it. */
  readonly parent: Tree;
  readonly commit: Tree;
  /** Where its hunks are to be taken out. */
  readonly head: Tree;
}

/** One piece of a commit that can be reverted by itself; a file that it added or deleted is one piece. */
export interface Piece {
  readonly path: string;
  readonly hunk: Hunk;
}

type Pieces =
  | { readonly kind: "pieces"; readonly pieces: readonly Piece[] }
  | { readonly kind: "refused"; readonly because: string };

/** What one file becomes without the chosen pieces. Null = there is no such file. */
export interface ReversedFile {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** `line` counts from 1 in the file as it is now, where the commit's lines were changed again; 0 = the whole file. */
type Reversed =
  | { readonly kind: "reversed"; readonly files: readonly ReversedFile[] }
  | { readonly kind: "conflict"; readonly path: string; readonly line: number };

/** The files among these that the commit changed. */
export function changedFiles({ parent, commit }: Pick<Sides, "parent" | "commit">, paths: Iterable<string>): string[] {
  return [...new Set(paths)].filter((path) => !sameBytes(parent.read(path), commit.read(path))).sort();
}

function sameBytes(left: Uint8Array | undefined, right: Uint8Array | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return Buffer.compare(left, right) === 0;
}

/** Everything that the commit changed in these files, piece by piece. What is no text cannot be taken apart. */
export function piecesOf(sides: Pick<Sides, "parent" | "commit">, paths: readonly string[]): Pieces {
  const pieces: Piece[] = [];
  for (const path of paths) {
    const [before, after] = [textIn(sides.parent, path), textIn(sides.commit, path)];
    if (before === "binary" || after === "binary") return { kind: "refused", because: `${path} is not UTF-8 text` };
    const whole = before === null || after === null;
    const [left, right] = [linesOf(before?.text ?? ""), linesOf(after?.text ?? "")];
    const all: Hunk = { from: [0, left.length], to: [0, right.length] };
    pieces.push(...(whole ? [all] : hunksBetween(left, right)).map((hunk) => ({ path, hunk })));
  }
  return { kind: "pieces", pieces };
}

/**
 * Takes the pieces out of the head, byte for byte: every line that came later and stands elsewhere stays. A piece whose
 * lines were changed again is a conflict, and one that is gone already changes nothing.
 */
export function reversePieces(sides: Sides, pieces: readonly Piece[]): Reversed {
  const files: ReversedFile[] = [];
  for (const path of [...new Set(pieces.map((piece) => piece.path))]) {
    const mine = pieces.filter((piece) => piece.path === path).map(({ hunk }) => hunk);
    const after = reversedText(sides, path, mine);
    if (after.kind === "conflict") return { ...after, path };
    const before = textIn(sides.head, path);
    const now = before === null || before === "binary" ? null : before.text;
    if (now !== after.text) files.push({ path, before: now, after: after.text });
  }
  return { kind: "reversed", files };
}

type ReversedText =
  | { readonly kind: "text"; readonly text: string | null }
  | { readonly kind: "conflict"; readonly line: number };

const wholeFile: ReversedText = { kind: "conflict", line: 0 };

function reversedText({ parent, commit, head }: Sides, path: string, hunks: readonly Hunk[]): ReversedText {
  const [before, after, now] = [textIn(parent, path), textIn(commit, path), textIn(head, path)];
  if (before === "binary" || after === "binary" || now === "binary") return wholeFile;
  if (sameBytes(parent.read(path), head.read(path))) return { kind: "text", text: before?.text ?? null };
  if (before === null || after === null) {
    // A file that the commit added, or took away, comes back to what it was only from what the commit left.
    return sameBytes(commit.read(path), head.read(path)) ? { kind: "text", text: before?.text ?? null } : wholeFile;
  }
  if (now === null) return wholeFile;
  const lines = { parent: linesOf(before.text), commit: linesOf(after.text), head: linesOf(now.text) };
  return withoutHunks(lines, hunks);
}

interface Lines {
  readonly parent: readonly string[];
  readonly commit: readonly string[];
  readonly head: readonly string[];
}

function withoutHunks({ parent, commit, head }: Lines, hunks: readonly Hunk[]): ReversedText {
  const shared = sharedLines(commit, head);
  const placeOf = new Map(shared);
  const result: string[] = [];
  let done = 0;
  for (const { from, to } of hunks) {
    const place = placeIn(head, { placeOf, hunk: to, length: commit.length });
    const back = parent.slice(from[0], from[1]);
    if (sameLines(head.slice(place.start, place.end), back)) continue;
    if (!place.untouched) return { kind: "conflict", line: place.start + 1 };
    result.push(...head.slice(done, place.start), ...back);
    done = place.end;
  }
  return { kind: "text", text: [...result, ...head.slice(done)].join("") };
}

interface Place {
  readonly start: number;
  readonly end: number;
  /** The hunk's lines stand there one after the other, as the commit left them. */
  readonly untouched: boolean;
}

interface Placing {
  /** Lines of the head by those of the commit. */
  readonly placeOf: ReadonlyMap<number, number>;
  readonly hunk: readonly [number, number];
  readonly length: number;
}

/** Where the hunk's lines stand now; for lines that the commit only took away: the gap between their neighbours. */
function placeIn(head: readonly string[], { placeOf, hunk: [from, to], length }: Placing): Place {
  const own = Array.from({ length: to - from }, (_, index) => placeOf.get(from + index));
  const [first] = own;
  const whole = first !== undefined && own.every((place, index) => place === first + index);
  if (whole) return { start: first, end: first + own.length, untouched: true };
  const start = from === 0 ? 0 : after(placeOf, from - 1);
  const end = to === length ? head.length : before(placeOf, to, { length, head: head.length });
  return { start, end: Math.max(start, end), untouched: to === from && start === end };
}

/** The line after the nearest kept one at or above. */
function after(placeOf: ReadonlyMap<number, number>, line: number): number {
  for (let above = line; above >= 0; above -= 1) {
    const place = placeOf.get(above);
    if (place !== undefined) return place + 1;
  }
  return 0;
}

/** The nearest kept line at or below. */
function before(
  placeOf: ReadonlyMap<number, number>,
  line: number,
  ends: { readonly length: number; readonly head: number },
): number {
  for (let below = line; below < ends.length; below += 1) {
    const place = placeOf.get(below);
    if (place !== undefined) return place;
  }
  return ends.head;
}

function sameLines(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((line, index) => line === right[index]);
}

type Text = { readonly text: string } | "binary" | null;

function textIn(tree: Tree, path: string): Text {
  const bytes = tree.read(path);
  if (bytes === undefined) return null;
  try {
    // A byte order mark is kept as part of the first line.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? "binary" : { text };
  } catch {
    return "binary";
  }
}
