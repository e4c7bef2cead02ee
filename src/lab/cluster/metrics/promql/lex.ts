import { BadQuery } from "./errors.ts";

/** One word of a query. The text of a string is its value, without quotes and escapes. */
export interface Token {
  readonly kind: "number" | "duration" | "name" | "string" | "operator";
  readonly text: string;
  readonly at: number;
}

const shapes: readonly (readonly [Token["kind"] | "space", RegExp])[] = [
  ["space", /\s+|#[^\n]*/y],
  ["duration", /(?:\d+(?:ms|[smhdwy]))+(?![a-zA-Z0-9_])/y],
  ["number", /0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ["string", /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`/y],
  ["name", /[a-zA-Z_][a-zA-Z0-9_]*(?::[a-zA-Z0-9_:]*)*|:[a-zA-Z_][a-zA-Z0-9_:]*/y],
  ["operator", /==|!=|=~|!~|>=|<=|\|=|\|~|[-+*/%^<>=(){}[\],:|]/y],
];

/** Splits a query into tokens; throws `BadQuery` on a character that belongs nowhere. */
export function lex(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < query.length) {
    const found = tokenAt(query, at);
    if (!found) throw new BadQuery(`unexpected character ${JSON.stringify(query[at])} at ${at}`);
    const [kind, raw] = found;
    if (kind !== "space") tokens.push({ kind, text: kind === "string" ? unquoted(raw) : raw, at });
    at += raw.length;
  }
  return tokens;
}

function tokenAt(query: string, at: number): readonly [Token["kind"] | "space", string] | undefined {
  for (const [kind, shape] of shapes) {
    shape.lastIndex = at;
    const raw = shape.exec(query)?.[0];
    if (raw !== undefined) return [kind, raw];
  }
  return undefined;
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

function unquoted(raw: string): string {
  const inner = raw.slice(1, -1);
  return raw.startsWith("`") ? inner : inner.replace(/\\(.)/gs, (_, char: string) => escapes[char] ?? char);
}
