import { indexAt, labelKey, type SeriesStore } from "../series-store.ts";
import { aggregate } from "./aggregate.ts";
import { combine } from "./binary.ts";
import { BadQuery, FailedQuery } from "./errors.ts";
import { callFunction } from "./functions.ts";
import type { Expression, Selector, Subquery } from "./parse.ts";
import { type Item, type Value, vector, type Window } from "./value.ts";

interface Moment {
  readonly store: SeriesStore;
  readonly atMs: number;
  /** How long an instant selector looks back for the newest sample. */
  readonly lookbackMs: number;
}

/** The value of the expression at one moment; throws `BadQuery` or `FailedQuery`. */
export function evaluate(expression: Expression, moment: Moment): Value {
  switch (expression.kind) {
    case "number":
      return { kind: "scalar", value: expression.value };
    case "string":
      return { kind: "string", value: expression.value };
    case "selector":
      return expression.rangeMs === undefined
        ? instant(expression, moment)
        : windows(expression, expression.rangeMs, moment);
    case "subquery":
      return subquery(expression, moment);
    case "call":
      return call(expression, moment);
    case "aggregation": {
      const parameter = expression.parameter && evaluate(expression.parameter, moment);
      return vector(aggregate(expression, itemsOf(evaluate(expression.of, moment)), parameter));
    }
    case "binary":
      return checked(combine(expression, evaluate(expression.left, moment), evaluate(expression.right, moment)));
    case "negate": {
      const zero = { kind: "scalar", value: 0 } as const;
      const binary = { kind: "binary", operator: "-", left: expression, right: expression, bool: false } as const;
      return checked(combine(binary, zero, evaluate(expression.of, moment)));
    }
  }
}

/** The items of an instant vector; throws `BadQuery` for any other value. */
export function itemsOf(value: Value): readonly Item[] {
  if (value.kind === "vector") return value.items;
  throw new BadQuery(`expected type instant vector, got ${value.kind === "matrix" ? "range vector" : value.kind}`);
}

function instant({ matchers, offsetMs }: Selector, { store, atMs, lookbackMs }: Moment): Value {
  const at = atMs - offsetMs;
  const items: Item[] = [];
  for (const { labels, times, values } of at < store.since() ? [] : store.select(matchers)) {
    const index = indexAt(times, at);
    const value = values[index];
    if (value === undefined || Number.isNaN(value) || (times[index] ?? 0) <= at - lookbackMs) continue;
    items.push({ labels, value });
  }
  return vector(items);
}

function windows({ matchers, offsetMs }: Selector, rangeMs: number, { store, atMs }: Moment): Value {
  const toMs = atMs - offsetMs;
  const fromMs = toMs - rangeMs;
  const found: Window[] = [];
  for (const { labels, times, values } of toMs < store.since() ? [] : store.select(matchers)) {
    const end = indexAt(times, toMs) + 1;
    const first = indexAt(times, fromMs, end) + 1;
    const window = { labels, times: times.slice(first, end), values: values.slice(first, end) };
    const kept = window.values.includes(Number.NaN) ? withoutStale(window) : window;
    if (kept.times.length > 0) found.push(kept);
  }
  return { kind: "matrix", windows: found, fromMs, toMs };
}

function withoutStale({ labels, times, values }: Window): Window {
  const isThere = (_: number, index: number) => !Number.isNaN(values[index]);
  return { labels, times: times.filter(isThere), values: values.filter(isThere) };
}

/** Evaluates at multiples of the step, as Prometheus does, so that neighbouring moments share their points. */
function subquery({ of, rangeMs, stepMs, offsetMs }: Subquery, moment: Moment): Value {
  const toMs = moment.atMs - offsetMs;
  const fromMs = toMs - rangeMs;
  const byKey = new Map<string, { labels: Item["labels"]; times: number[]; values: number[] }>();
  for (let at = Math.floor(fromMs / stepMs) * stepMs + stepMs; at <= toMs; at += stepMs) {
    const value = evaluate(of, { ...moment, atMs: at });
    const items = value.kind === "scalar" ? [{ labels: {}, value: value.value }] : itemsOf(value);
    for (const item of items) {
      const key = labelKey(item.labels);
      const window = byKey.get(key) ?? { labels: item.labels, times: [], values: [] };
      byKey.set(key, window);
      window.times.push(at);
      window.values.push(item.value);
    }
  }
  return { kind: "matrix", windows: [...byKey.values()], fromMs, toMs };
}

function call({ name, args }: Extract<Expression, { kind: "call" }>, moment: Moment): Value {
  const values = args.map((argument) => evaluate(argument, moment));
  const value = callFunction(name, values, { atSeconds: moment.atMs / 1000, args });
  // What differs beside one name differs without it.
  return args.every((argument) => argument.kind === "selector" && hasOneName(argument)) ? value : checked(value);
}

function hasOneName({ matchers }: Selector): boolean {
  return matchers.some(({ label, operator }) => label === "__name__" && operator === "=");
}

function checked(value: Value): Value {
  return value.kind === "vector" ? vector(unique(value.items)) : value;
}

function unique(items: readonly Item[]): readonly Item[] {
  if (new Set(items.map((item) => labelKey(item.labels))).size < items.length)
    throw new FailedQuery("vector cannot contain metrics with the same labelset");
  return items;
}
