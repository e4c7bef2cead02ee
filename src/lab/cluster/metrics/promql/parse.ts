import type { Matcher } from "../series-store.ts";
import { BadQuery } from "./errors.ts";
import { lex, type Token } from "./lex.ts";

export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | Selector
  | Subquery
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] }
  | Aggregation
  | Binary
  | { readonly kind: "negate"; readonly of: Expression };

export interface Selector {
  readonly kind: "selector";
  readonly matchers: readonly Matcher[];
  /** Set for a range vector. */
  readonly rangeMs?: number;
  readonly offsetMs: number;
}

export interface Subquery {
  readonly kind: "subquery";
  readonly of: Expression;
  readonly rangeMs: number;
  readonly stepMs: number;
  readonly offsetMs: number;
}

export interface Aggregation {
  readonly kind: "aggregation";
  readonly operator: string;
  readonly grouping: { readonly mode: "by" | "without"; readonly labels: readonly string[] };
  readonly of: Expression;
  readonly parameter?: Expression;
}

export interface Binary {
  readonly kind: "binary";
  readonly operator: string;
  readonly left: Expression;
  readonly right: Expression;
  readonly bool: boolean;
  readonly matching?: { readonly mode: "on" | "ignoring"; readonly labels: readonly string[] };
  readonly group?: { readonly side: "left" | "right"; readonly include: readonly string[] };
}

const parsed = new Map<string, Expression>();
const mostParsed = 300;

/**
 * Reads a query of the subset of PromQL that the lab serves; throws `BadQuery`. A query that was asked before is the
 * same object, and with it what was selected and grouped for it.
 */
export function parsePromql(query: string): Expression {
  const expression = parsed.get(query) ?? read(query);
  parsed.delete(query);
  parsed.set(query, expression);
  const oldest = parsed.keys().next().value;
  if (parsed.size > mostParsed && oldest !== undefined) parsed.delete(oldest);
  return expression;
}

function read(query: string): Expression {
  const reader = readerOf(query);
  const expression = readBinary(reader, 0);
  const rest = reader.peek();
  if (rest !== undefined) throw new BadQuery(`unexpected "${rest.text}" at ${rest.at}`);
  return expression;
}

interface Reader {
  peek(ahead?: number): Token | undefined;
  next(): Token;
  /** Takes the token when it has this text. */
  take(text: string): boolean;
  expect(text: string): void;
}

function readerOf(query: string): Reader {
  const tokens = lex(query);
  let position = 0;
  const peek = (ahead = 0) => tokens[position + ahead];
  const next = () => {
    const token = tokens[position++];
    if (!token) throw new BadQuery("unexpected end of input");
    return token;
  };
  const take = (text: string) => {
    const token = peek();
    if (token?.kind === "string" || token?.text.toLowerCase() !== text) return false;
    position += 1;
    return true;
  };
  return {
    ...{ peek, next, take },
    expect: (text) => {
      if (!take(text)) throw new BadQuery(`expected "${text}", found "${peek()?.text ?? "end of input"}"`);
    },
  };
}

const precedence: Readonly<Record<string, number>> = {
  ...{ or: 1, and: 2, unless: 2 },
  ...{ "==": 3, "!=": 3, ">": 3, ">=": 3, "<": 3, "<=": 3 },
  ...{ "+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 7 },
};

function readBinary(reader: Reader, above: number): Expression {
  let left = readUnary(reader);
  for (;;) {
    const operator = reader.peek()?.text.toLowerCase() ?? "";
    const strength = reader.peek()?.kind === "string" ? undefined : precedence[operator];
    if (strength === undefined || strength <= above) return left;
    reader.next();
    const bool = reader.take("bool");
    const modifiers = readMatching(reader);
    const right = readBinary(reader, operator === "^" ? strength - 1 : strength);
    left = { kind: "binary", operator, left, right, bool, ...modifiers };
  }
}

function readMatching(reader: Reader): Pick<Binary, "matching" | "group"> {
  const mode = reader.take("on") ? "on" : reader.take("ignoring") ? "ignoring" : undefined;
  if (mode === undefined) return {};
  const matching = { mode, labels: readLabelList(reader) } as const;
  const side = reader.take("group_left") ? "left" : reader.take("group_right") ? "right" : undefined;
  if (side === undefined) return { matching };
  return { matching, group: { side, include: reader.peek()?.text === "(" ? readLabelList(reader) : [] } };
}

function readUnary(reader: Reader): Expression {
  // Unary minus binds weaker than ^ and stronger than *.
  if (reader.take("-")) return { kind: "negate", of: readBinary(reader, 6) };
  if (reader.take("+")) return readBinary(reader, 6);
  return readSuffixes(reader, readPrimary(reader));
}

/** `[5m]`, `[5m:10s]` and `offset 1m` after an expression. */
function readSuffixes(reader: Reader, start: Expression): Expression {
  let expression = start;
  for (;;) {
    if (reader.take("[")) expression = readRange(reader, expression);
    else if (reader.take("offset")) {
      if (expression.kind !== "selector" && expression.kind !== "subquery")
        throw new BadQuery("offset must follow a selector or a subquery");
      const minus = reader.take("-");
      const offsetMs = readDuration(reader) * (minus ? -1 : 1);
      expression = { ...expression, offsetMs };
    } else return expression;
  }
}

function readRange(reader: Reader, of: Expression): Expression {
  const rangeMs = readDuration(reader);
  if (reader.take("]")) {
    if (of.kind !== "selector" || of.rangeMs !== undefined)
      throw new BadQuery("ranges only allowed for vector selectors");
    return { ...of, rangeMs };
  }
  reader.expect(":");
  const stepMs = reader.peek()?.text === "]" ? defaultStepMs : readDuration(reader);
  reader.expect("]");
  return { kind: "subquery", of, rangeMs, stepMs, offsetMs: 0 };
}

/** Prometheus takes the global evaluation interval here; the lab's is short. */
const defaultStepMs = 500;

function readDuration(reader: Reader): number {
  const token = reader.next();
  if (token.kind !== "duration") throw new BadQuery(`"${token.text}" is not a duration`);
  return durationMs(token.text);
}

const units: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 },
};

/** Milliseconds of a duration as Prometheus writes it: `1m30s`. */
export function durationMs(text: string): number {
  return [...text.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce(
    (sum, match) => sum + Number(match[1]) * (units[match[2] ?? ""] ?? 0),
    0,
  );
}

const aggregations = new Set(["sum", "avg", "max", "min", "count", "stddev", "group", "topk", "bottomk", "quantile"]);

function readPrimary(reader: Reader): Expression {
  const token = reader.next();
  if (token.kind === "number") return { kind: "number", value: numberOf(token.text) };
  if (token.kind === "string") return { kind: "string", value: token.text };
  if (token.text === "(") {
    const inner = readBinary(reader, 0);
    reader.expect(")");
    return inner;
  }
  if (token.text === "{") return { kind: "selector", matchers: readMatchers(reader), offsetMs: 0 };
  if (token.kind !== "name") throw new BadQuery(`unexpected "${token.text}" at ${token.at}`);
  const following = reader.peek()?.text.toLowerCase();
  if (aggregations.has(token.text.toLowerCase()) && ["(", "by", "without"].includes(following ?? ""))
    return readAggregation(reader, token.text.toLowerCase());
  if (following === "(") return { kind: "call", name: token.text, args: readArguments(reader) };
  if (/^(inf|nan)$/i.test(token.text)) return { kind: "number", value: numberOf(token.text) };
  const named: Matcher = { label: "__name__", operator: "=", value: token.text };
  const matchers = reader.take("{") ? readMatchers(reader) : [];
  return { kind: "selector", matchers: [named, ...matchers], offsetMs: 0 };
}

function numberOf(text: string): number {
  if (/^inf$/i.test(text)) return Number.POSITIVE_INFINITY;
  return Number(text);
}

function readAggregation(reader: Reader, operator: string): Aggregation {
  const before = readGrouping(reader);
  const args = readArguments(reader);
  const grouping = before ?? readGrouping(reader) ?? { mode: "by" as const, labels: [] };
  const [first, second] = args;
  if (!first || args.length > 2) throw new BadQuery(`wrong number of arguments for ${operator}`);
  if (second) return { kind: "aggregation", operator, grouping, of: second, parameter: first };
  return { kind: "aggregation", operator, grouping, of: first };
}

function readGrouping(reader: Reader): Aggregation["grouping"] | undefined {
  const mode = reader.take("by") ? "by" : reader.take("without") ? "without" : undefined;
  return mode && { mode, labels: readLabelList(reader) };
}

function readArguments(reader: Reader): Expression[] {
  reader.expect("(");
  const args: Expression[] = [];
  while (!reader.take(")")) {
    if (args.length > 0) reader.expect(",");
    args.push(readBinary(reader, 0));
  }
  return args;
}

function readLabelList(reader: Reader): string[] {
  reader.expect("(");
  const labels: string[] = [];
  while (!reader.take(")")) {
    if (labels.length > 0) reader.expect(",");
    labels.push(reader.next().text);
  }
  return labels;
}

function readMatchers(reader: Reader): Matcher[] {
  const matchers: Matcher[] = [];
  while (!reader.take("}")) {
    if (matchers.length > 0) {
      reader.expect(",");
      if (reader.take("}")) break;
    }
    matchers.push(readMatcher(reader));
  }
  return matchers;
}

function readMatcher(reader: Reader): Matcher {
  const label = reader.next();
  const operator = reader.next().text;
  const value = reader.next();
  if (label.kind !== "name" || value.kind !== "string") throw new BadQuery(`unexpected label matcher at ${label.at}`);
  if (operator !== "=" && operator !== "!=" && operator !== "=~" && operator !== "!~")
    throw new BadQuery(`unexpected "${operator}" in label matching`);
  if (operator.endsWith("~")) assertPattern(value.text);
  return { label: label.text, operator, value: value.text };
}

function assertPattern(pattern: string): void {
  try {
    new RegExp(pattern);
  } catch {
    throw new BadQuery(`error parsing regexp: ${pattern}`);
  }
}
