/** Go's templates, as far as they are understood here: values, functions, `if`, `with`, `range`, variables. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipe: Pipe }
  | { readonly kind: Block; readonly pipe: Pipe; readonly then: readonly Part[]; readonly otherwise: readonly Part[] };

type Block = "if" | "with" | "range";

/** `$a, $b := one two | three`. */
export interface Pipe {
  readonly variables: readonly string[];
  readonly isNew: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

export type Operand =
  | { readonly kind: "value"; readonly value: string | bigint | number | boolean | null }
  | { readonly kind: "function"; readonly name: string }
  /** Fields of the dot (no name), of a variable, or of what a pipe in parentheses gives. */
  | { readonly kind: "field"; readonly of: string | Pipe; readonly fields: readonly string[] };

/** What is not understood, or what Go itself refuses: nobody here knows what comes of the template then. */
export class NotUnderstood extends Error {}

/** @throws {NotUnderstood} */
export function parseTemplate(text: string): readonly Part[] {
  const open: Open = { pieces: piecesOf(text), next: 0 };
  const parts = partsUntilEnd(open);
  if (open.next < open.pieces.length) throw new NotUnderstood("an end too many");
  return parts;
}

type Piece = { readonly text: string } | { readonly tokens: readonly string[] };

interface Open {
  readonly pieces: readonly Piece[];
  next: number;
}

const token =
  /"(?:[^"\\\n]|\\.)*"|`[^`]*`|:=|[=|(),]|\$\w*(?:\.\w+)*|(?:\.[A-Za-z_]\w*)+|\.(?![\w.])|-?\d+(?:\.\d+)?(?![\w.])|[A-Za-z_]\w*(?![\w.])|\s+/y;

/** The texts and the words of the actions, comments left out and spaces trimmed as the marks say. */
function piecesOf(template: string): Piece[] {
  const pieces: Piece[] = [];
  let place = 0;
  let trims = false;
  for (;;) {
    const start = template.indexOf("{{", place);
    const text = template.slice(place, start < 0 ? undefined : start);
    const isTrimmed = start >= 0 && /^-\s/.test(template.slice(start + 2, start + 4));
    const left = trims ? text.replace(/^[ \t\r\n]+/, "") : text;
    pieces.push({ text: isTrimmed ? left.replace(/[ \t\r\n]+$/, "") : left });
    if (start < 0) return pieces;
    const action = actionAt(template, start + (isTrimmed ? 3 : 2));
    if (action.tokens.length > 0) pieces.push({ tokens: action.tokens });
    ({ end: place, trims } = action);
  }
}

interface Action {
  readonly tokens: readonly string[];
  readonly end: number;
  /** Whether the spaces after it are trimmed. */
  readonly trims: boolean;
}

function actionAt(template: string, start: number): Action {
  const comment = /\s*\/\*[^]*?\*\/(\s-)?\}\}/y;
  comment.lastIndex = start;
  const found = comment.exec(template);
  if (found) return { tokens: [], end: comment.lastIndex, trims: found[1] !== undefined };
  const tokens: string[] = [];
  for (let place = start; ; ) {
    const [closing] = /^(?:\s-)?\}\}/.exec(template.slice(place, place + 4)) ?? [];
    if (closing !== undefined) return { tokens, end: place + closing.length, trims: closing.length > 2 };
    token.lastIndex = place;
    const [word] = token.exec(template) ?? [];
    if (word === undefined) throw new NotUnderstood(template.slice(place, place + 20));
    // Spaces tell `(a).b` and `a .b` apart.
    tokens.push(word.trim() === "" ? " " : word);
    place += word.length;
  }
}

const closing = new Set(["end", "else"]);

function partsUntilEnd(open: Open): Part[] {
  const parts: Part[] = [];
  for (; open.next < open.pieces.length; open.next += 1) {
    const piece = open.pieces[open.next];
    if (piece === undefined) break;
    if ("text" in piece) {
      if (piece.text !== "") parts.push({ kind: "text", text: piece.text });
      continue;
    }
    const words = new Words(piece.tokens);
    const word = words.peek();
    if (word !== undefined && closing.has(word)) break;
    if (word === "if" || word === "with" || word === "range") {
      words.take();
      open.next += 1;
      parts.push(blockOf(word, pipeOf(words, undefined), open));
    } else parts.push({ kind: "print", pipe: pipeOf(words, undefined) });
  }
  return parts;
}

/** What follows the head of a block; its end is left to be passed over. */
function blockOf(kind: Block, pipe: Pipe, open: Open): Part {
  const then = partsUntilEnd(open);
  const words = wordsAt(open);
  if (words.take() === "end") return done({ kind, pipe, then, otherwise: [] }, words);
  const word = words.take();
  open.next += 1;
  if (word === undefined) {
    const otherwise = partsUntilEnd(open);
    const last = wordsAt(open);
    if (last.take() !== "end") throw new NotUnderstood("an else too many");
    return done({ kind, pipe, then, otherwise }, last);
  }
  if (word !== "if" || kind !== "if") throw new NotUnderstood(`else ${word}`);
  return { kind, pipe, then, otherwise: [blockOf("if", pipeOf(words, undefined), open)] };
}

function wordsAt({ pieces, next }: Open): Words {
  const piece = pieces[next];
  if (piece === undefined || "text" in piece) throw new NotUnderstood("an end is missing");
  return new Words(piece.tokens);
}

function done(part: Part, words: Words): Part {
  if (words.peek() !== undefined) throw new NotUnderstood("words after an end");
  return part;
}

class Words {
  private next = 0;
  constructor(private readonly words: readonly string[]) {}

  peek(): string | undefined {
    while (this.words[this.next] === " ") this.next += 1;
    return this.words[this.next];
  }

  take(): string | undefined {
    const word = this.peek();
    this.next += 1;
    return word;
  }

  /** The next word where no space is before it. */
  adjacent(): string | undefined {
    return this.words[this.next];
  }

  /** The variables that a pipe begins with, passed over; none where it gives its value to none. */
  assigned(): Pick<Pipe, "variables" | "isNew"> {
    // `$a`, a comma, `$b` and the sign: no more is looked at, as each parenthesis begins a pipe.
    const ahead: { readonly word: string; readonly at: number }[] = [];
    for (let at = this.next; at < this.words.length && ahead.length < 4; at += 1) {
      const word = this.words[at];
      if (word !== undefined && word !== " ") ahead.push({ word, at });
    }
    const length = ahead[1]?.word === "," ? 4 : 2;
    const variables = ahead.slice(0, length - 1).flatMap(({ word }) => (word === "," ? [] : [word]));
    const sign = ahead[length - 1];
    const isGiven = sign?.word === ":=" || sign?.word === "=";
    if (!isGiven || !variables.every((word) => /^\$\w+$/.test(word))) return { variables: [], isNew: false };
    this.next = sign.at + 1;
    return { variables, isNew: sign.word === ":=" };
  }
}

function pipeOf(words: Words, end: ")" | undefined): Pipe {
  const { variables, isNew } = words.assigned();
  const commands: Operand[][] = [[]];
  for (let word = words.peek(); word !== end; word = words.peek()) {
    if (word === undefined) throw new NotUnderstood("a parenthesis is missing");
    if (word === "|") commands.push([]);
    else commands.at(-1)?.push(operandOf(words));
    if (word === "|") words.take();
  }
  words.take();
  if (commands.some((command) => command.length === 0)) throw new NotUnderstood("an empty command");
  return { variables, isNew, commands };
}

function operandOf(words: Words): Operand {
  const word = words.take() ?? "";
  if (word === "(") {
    const of = pipeOf(words, ")");
    const fields = words.adjacent();
    if (fields === undefined || !/^\.\w/.test(fields)) return { kind: "field", of, fields: [] };
    words.take();
    return { kind: "field", of, fields: fields.slice(1).split(".") };
  }
  if (word.startsWith("$")) {
    const [of = "$", ...fields] = word.split(".");
    return { kind: "field", of, fields };
  }
  if (word === ".") return { kind: "field", of: "", fields: [] };
  if (word.startsWith(".")) return { kind: "field", of: "", fields: word.slice(1).split(".") };
  // Go tells whole numbers apart from those of JSON, which are floats.
  // A leading zero makes it octal there.
  if (/^-?0\d/.test(word)) throw new NotUnderstood(word);
  if (/^[-\d]/.test(word)) return { kind: "value", value: word.includes(".") ? Number(word) : BigInt(word) };
  if (word.startsWith("`")) return { kind: "value", value: word.slice(1, -1) };
  if (word.startsWith('"')) return { kind: "value", value: unquoted(word) };
  if (word === "true" || word === "false") return { kind: "value", value: word === "true" };
  if (word === "nil") return { kind: "value", value: null };
  if (!/^[A-Za-z_]\w*$/.test(word)) throw new NotUnderstood(word);
  return { kind: "function", name: word };
}

/** The escapes that Go and JSON have alike. */
function unquoted(word: string): string {
  const isOdd = /\\(?!["\\nrt])/.test(word.replaceAll("\\\\", "")) || /[^\P{Cc}\t]/u.test(word);
  if (isOdd) throw new NotUnderstood(word);
  return JSON.parse(word.replaceAll("\t", "\\t")) as string;
}
