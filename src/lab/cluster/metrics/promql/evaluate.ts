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
  const items = store.select(matchers).flatMap(({ labels, times, values }) => {
    const index = indexAt(times, at);
    const value = values[index];
    if (value === undefined || Number.isNaN(value) || (times[index] ?? 0) <= at - lookbackMs) return [];
    return [{ labels, value }];
  });
  return vector(items);
}

function windows({ matchers, offsetMs }: Selector, rangeMs: number, { store, atMs }: Moment): Value {
  const toMs = atMs - offsetMs;
  const fromMs = toMs - rangeMs;
  const found = store.select(matchers).flatMap(({ labels, times, values }): Window[] => {
    const first = indexAt(times, fromMs) + 1;
    const last = indexAt(times, toMs);
    const points: [number, number][] = [];
    for (let index = first; index <= last; index += 1) {
      const value = values[index] ?? Number.NaN;
      if (!Number.isNaN(value)) points.push([times[index] ?? 0, value]);
    }
    return points.length === 0 ? [] : [{ labels, points }];
  });
  return { kind: "matrix", windows: found, fromMs, toMs };
}

/** Evaluates at multiples of the step, as Prometheus does, so that neighbouring moments share their points. */
function subquery({ of, rangeMs, stepMs, offsetMs }: Subquery, moment: Moment): Value {
  const toMs = moment.atMs - offsetMs;
  const fromMs = toMs - rangeMs;
  const byKey = new Map<string, { labels: Item["labels"]; points: [number, number][] }>();
  for (let at = Math.floor(fromMs / stepMs) * stepMs + stepMs; at <= toMs; at += stepMs) {
    const value = evaluate(of, { ...moment, atMs: at });
    const items = value.kind === "scalar" ? [{ labels: {}, value: value.value }] : itemsOf(value);
    for (const item of items) {
      const key = labelKey(item.labels);
      const window = byKey.get(key) ?? { labels: item.labels, points: [] };
      byKey.set(key, window);
      window.points.push([at, item.value]);
    }
  }
  return { kind: "matrix", windows: [...byKey.values()], fromMs, toMs };
}

function call({ name, args }: Extract<Expression, { kind: "call" }>, moment: Moment): Value {
  const values = args.map((argument) => evaluate(argument, moment));
  return checked(callFunction(name, values, { atSeconds: moment.atMs / 1000, args }));
}

function checked(value: Value): Value {
  return value.kind === "vector" ? vector(unique(value.items)) : value;
}

function unique(items: readonly Item[]): readonly Item[] {
  if (new Set(items.map((item) => labelKey(item.labels))).size < items.length)
    throw new FailedQuery("vector cannot contain metrics with the same labelset");
  return items;
}
