import type { Labels } from "../series-store.ts";
import { BadQuery } from "./errors.ts";
import type { Aggregation } from "./parse.ts";
import { grouped, type Item, type Value } from "./value.ts";

/** One item per group; `topk` and `bottomk` keep items as they are. */
export function aggregate(aggregation: Aggregation, items: readonly Item[], parameter?: Value): readonly Item[] {
  const { operator, grouping } = aggregation;
  const groups = new Map<Labels, Item[]>();
  for (const item of items) {
    const labels = grouped(item.labels, grouping.mode, grouping.labels);
    const group = groups.get(labels);
    if (group) group.push(item);
    else groups.set(labels, [item]);
  }
  const number = parameter?.kind === "scalar" ? parameter.value : undefined;
  return [...groups].flatMap(([labels, group]) => {
    if (operator === "topk" || operator === "bottomk") return ranked(operator, group, number);
    const values = group.map((item) => item.value);
    return [{ labels, value: operator === "quantile" ? quantileOf(number, values) : reduced(operator, values) }];
  });
}

function ranked(operator: string, group: readonly Item[], count: number | undefined): readonly Item[] {
  if (count === undefined) throw new BadQuery(`wrong number of arguments for ${operator}`);
  const sign = operator === "topk" ? -1 : 1;
  return [...group].sort((a, b) => sign * (a.value - b.value)).slice(0, Math.max(0, count));
}

function reduced(operator: string, values: readonly number[]): number {
  const sum = values.reduce((total, value) => total + value, 0);
  const mean = sum / values.length;
  switch (operator) {
    case "sum":
      return sum;
    case "avg":
      return mean;
    case "max":
      return Math.max(...values);
    case "min":
      return Math.min(...values);
    case "count":
      return values.length;
    case "group":
      return 1;
    case "stddev":
      return Math.sqrt(values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length);
    default:
      throw new BadQuery(`unknown aggregation ${operator}`);
  }
}

/** Prometheus' quantile: linear between the two nearest ranks. */
export function quantileOf(q: number | undefined, values: readonly number[]): number {
  if (q === undefined || values.length === 0) return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const sorted = [...values].sort((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const low = sorted[Math.floor(rank)] ?? Number.NaN;
  const high = sorted[Math.ceil(rank)] ?? low;
  return low + (high - low) * (rank - Math.floor(rank));
}
