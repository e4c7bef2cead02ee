import type { Series } from "./evidence.ts";

export interface ChartInput {
  /** May hold text of others: everything but letters, digits and plain punctuation is taken out. */
  readonly title: string;
  readonly unit: string;
  readonly series: Series;
  /** The line that the alert compares with. */
  readonly limit?: number | undefined;
}

const mostPoints = 40;
const longestTitle = 80;

/**
 * The series as a Mermaid chart in a fenced block, or undefined when there are fewer than two points. Evenly spaced: of
 * each stretch of time the value farthest from the median is shown, so that a spike stays visible; a stretch without a
 * point takes the value before it. Grammar: mermaid's xychart.jison, whose numbers have no exponent.
 */
export function renderChart({ title, unit, series, limit }: ChartInput): string | undefined {
  const points = series.points.filter(([at, value]) => Number.isFinite(at) && Number.isFinite(value));
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || last[0] <= first[0]) return undefined;

  const values = sampled(points, Math.min(mostPoints, points.length));
  const line = limit !== undefined && Number.isFinite(limit) ? limit : undefined;
  const [low, high] = rangeOf(line === undefined ? values : [...values, line]);
  const minutes = (last[0] - first[0]) / 60;
  const end = new Date(last[0] * 1000).toISOString().slice(0, 16).replace("T", " ");
  return [
    "```mermaid",
    "xychart-beta",
    `    title "${plain(title)}"`,
    `    x-axis "minutes before ${end} UTC" ${decimal(-minutes)} --> 0`,
    `    y-axis "${plain(unit) || "value"}" ${decimal(low)} --> ${decimal(high)}`,
    `    line [${values.map(decimal).join(", ")}]`,
    ...(line === undefined ? [] : [`    line [${values.map(() => decimal(line)).join(", ")}]`]),
    "```",
  ].join("\n");
}

function sampled(points: Series["points"], count: number): number[] {
  const [start, end] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const middle = points.map(([, value]) => value).sort((a, b) => a - b)[points.length >> 1] ?? 0;
  const farthest: (number | undefined)[] = Array.from({ length: count });
  for (const [at, value] of points) {
    const bucket = Math.min(count - 1, Math.floor(((at - start) / (end - start)) * count));
    const kept = farthest[bucket];
    if (kept === undefined || Math.abs(value - middle) > Math.abs(kept - middle)) farthest[bucket] = value;
  }
  let before = points[0]?.[1] ?? 0;
  return farthest.map((value) => {
    before = value ?? before;
    return before;
  });
}

/** A range that is never empty, and starts at 0 unless values lie below it. */
function rangeOf(values: readonly number[]): [number, number] {
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  return high > low ? [low, high * (high > 0 ? 1.05 : 1)] : [low, low + 1];
}

/** At most six significant digits, never an exponent. */
function decimal(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, Math.min(12, 5 - Math.floor(Math.log10(Math.abs(value)))));
  const text = Math.abs(value) >= 1e21 ? BigInt(Math.round(value)).toString() : value.toFixed(digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "").replace(/^-?0$/, "0") : text;
}

/** Letters, digits and plain punctuation: quotes, backticks, `%%` and entities mean something to Mermaid. */
function plain(text: string): string {
  return text
    .replace(/[^\p{L}\p{N} _.,:()/+*=-]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, longestTitle);
}
