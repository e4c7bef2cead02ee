import type { Labels } from "../series-store.ts";
import { quantileOf } from "./aggregate.ts";
import { BadQuery } from "./errors.ts";
import { histogramQuantile } from "./histogram.ts";
import type { Expression } from "./parse.ts";
import { fitLine, increase, lastTwo, resets } from "./range.ts";
import { type Item, type Value, vector, type Window, withoutName } from "./value.ts";

interface CallSite {
  readonly atSeconds: number;
  /** The arguments as they were written: `absent` reads labels from them. */
  readonly args: readonly Expression[];
}

type OverTime = (values: readonly number[]) => number;

const overTime: Readonly<Record<string, OverTime>> = {
  avg_over_time: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  sum_over_time: (values) => values.reduce((sum, value) => sum + value, 0),
  max_over_time: (values) => Math.max(...values),
  min_over_time: (values) => Math.min(...values),
  count_over_time: (values) => values.length,
  last_over_time: (values) => values.at(-1) ?? Number.NaN,
  present_over_time: () => 1,
};

const byNumber: Readonly<Record<string, (value: number) => number>> = {
  ...{ abs: Math.abs, ceil: Math.ceil, floor: Math.floor, sqrt: Math.sqrt, exp: Math.exp },
  ...{ ln: Math.log, log2: Math.log2, log10: Math.log10 },
};

/** Calls a function of the subset; throws `BadQuery` for an unknown one or wrong arguments. */
export function callFunction(name: string, args: readonly Value[], site: CallSite): Value {
  const average = overTime[name];
  if (average) return overWindows(name, args[0], ({ values }) => average(values));
  const simple = byNumber[name];
  if (simple) return each(name, args[0], simple);
  const found = table[name];
  if (!found) throw new BadQuery(`unknown function with name "${name}"`);
  return found(name, args, site);
}

type Callable = (name: string, args: readonly Value[], site: CallSite) => Value;

const rangeFunctions: Readonly<Record<string, Callable>> = {
  rate: (name, [matrix]) =>
    overWindows(name, matrix, (window, span) => perSecond(increase(window, span, "counter"), span)),
  increase: (name, [matrix]) => overWindows(name, matrix, (window, span) => increase(window, span, "counter")),
  delta: (name, [matrix]) => overWindows(name, matrix, (window, span) => increase(window, span, "gauge")),
  irate: (name, [matrix]) => overWindows(name, matrix, (window) => lastTwo(window)),
  resets: (name, [matrix]) => overWindows(name, matrix, (window) => resets(window)),
  changes: (name, [matrix]) =>
    overWindows(name, matrix, ({ values }) => values.filter((value, i) => i > 0 && value !== values[i - 1]).length),
  deriv: (name, [matrix], { atSeconds }) => overWindows(name, matrix, (window) => fitLine(window, atSeconds)?.slope),
  predict_linear: (name, [matrix, ahead], { atSeconds }) => {
    const seconds = numberOf(name, ahead);
    return overWindows(name, matrix, (window) => {
      const line = fitLine(window, atSeconds);
      return line && line.at + line.slope * seconds;
    });
  },
  quantile_over_time: (name, [q, matrix]) =>
    overWindows(name, matrix, ({ values }) => quantileOf(numberOf(name, q), values)),
};

const table: Readonly<Record<string, Callable>> = {
  ...rangeFunctions,
  time: (_name, _args, { atSeconds }) => ({ kind: "scalar", value: atSeconds }),
  vector: (name, [scalar]) => vector([{ labels: {}, value: numberOf(name, scalar) }]),
  scalar: (name, [value]) => {
    const items = itemsFor(name, value);
    return { kind: "scalar", value: items.length === 1 ? (items[0]?.value ?? Number.NaN) : Number.NaN };
  },
  clamp_min: (name, [value, low]) => each(name, value, (number) => Math.max(number, numberOf(name, low))),
  clamp_max: (name, [value, high]) => each(name, value, (number) => Math.min(number, numberOf(name, high))),
  clamp: (name, [value, low, high]) =>
    each(name, value, (number) => Math.min(numberOf(name, high), Math.max(numberOf(name, low), number))),
  round: (name, [value, to]) => {
    const nearest = to === undefined ? 1 : numberOf(name, to);
    return each(name, value, (number) => Math.round(number / nearest) * nearest);
  },
  sort: (name, [value]) => vector([...itemsFor(name, value)].sort((a, b) => a.value - b.value)),
  sort_desc: (name, [value]) => vector([...itemsFor(name, value)].sort((a, b) => b.value - a.value)),
  timestamp: (name, [value], { atSeconds }) => each(name, value, () => atSeconds),
  histogram_quantile: (name, [q, value]) => vector(histogramQuantile(numberOf(name, q), itemsFor(name, value))),
  label_replace: (name, values, { args }) => labelReplace(name, values, args),
  absent: (name, [value], { args }) =>
    vector(itemsFor(name, value).length > 0 ? [] : [{ labels: labelsOf(args[0]), value: 1 }]),
};

function perSecond(value: number | undefined, { fromMs, toMs }: Span): number | undefined {
  return value === undefined ? undefined : value / ((toMs - fromMs) / 1000);
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function overWindows(
  name: string,
  value: Value | undefined,
  read: (window: Window, span: Span) => number | undefined,
): Value {
  if (value?.kind !== "matrix")
    throw new BadQuery(`expected type range vector in call to function "${name}", got ${value?.kind ?? "nothing"}`);
  const items: Item[] = [];
  for (const window of value.windows) {
    const result = read(window, value);
    if (result !== undefined) items.push({ labels: withoutName(window.labels), value: result });
  }
  return vector(items);
}

function itemsFor(name: string, value: Value | undefined): readonly Item[] {
  if (value?.kind === "vector") return value.items;
  throw new BadQuery(`expected type instant vector in call to function "${name}", got ${value?.kind ?? "nothing"}`);
}

function each(name: string, value: Value | undefined, change: (value: number) => number): Value {
  return vector(itemsFor(name, value).map((item) => ({ labels: withoutName(item.labels), value: change(item.value) })));
}

function numberOf(name: string, value: Value | undefined): number {
  if (value?.kind === "scalar") return value.value;
  throw new BadQuery(`expected type scalar in call to function "${name}", got ${value?.kind ?? "nothing"}`);
}

/** The labels that each place of a query made of others: its texts are written there, so they never differ. */
const replaced = new WeakMap<readonly Expression[], WeakMap<Labels, Labels>>();

function labelReplace(name: string, [value, ...texts]: readonly Value[], place: readonly Expression[]): Value {
  const strings = texts.map((text) => (text.kind === "string" ? text.value : undefined));
  const [target, replacement, source, pattern] = strings;
  if (target === undefined || replacement === undefined || source === undefined || pattern === undefined)
    throw new BadQuery(`wrong arguments in call to function "${name}"`);
  const whole = new RegExp(`^(?:${pattern})$`, "s");
  const made = replaced.get(place) ?? new WeakMap<Labels, Labels>();
  replaced.set(place, made);
  const replacedIn = (labels: Labels): Labels => {
    const match = whole.exec(labels[source] ?? "");
    if (!match) return labels;
    const text = replacement.replace(
      /\$(?:(\d+)|\{(\d+)\})/g,
      (_, a?: string, b?: string) => match[Number(a ?? b)] ?? "",
    );
    const { [target]: _old, ...rest } = labels;
    return text === "" ? rest : { ...rest, [target]: text };
  };
  const items = itemsFor(name, value).map((item) => {
    const labels = made.get(item.labels) ?? replacedIn(item.labels);
    made.set(item.labels, labels);
    return { labels, value: item.value };
  });
  return vector(items);
}

function labelsOf(expression: Expression | undefined): Labels {
  if (expression?.kind !== "selector") return {};
  const equal = expression.matchers.filter(({ label, operator }) => operator === "=" && label !== "__name__");
  return Object.fromEntries(equal.map(({ label, value }) => [label, value]));
}
