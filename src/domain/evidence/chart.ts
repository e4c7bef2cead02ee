import type { Series } from "./evidence.ts";
import { scaleFor } from "./unit.ts";

interface ChartInput {
  /** May hold text of others: everything but letters, digits and plain punctuation is taken out. */
  readonly title: string;
  readonly unit: string;
  readonly series: Series;
  /** The line that the alert compares with. */
  readonly limit?: number | undefined;
}

// As many as the axis has room for their times, and for those with seconds.
const mostPoints = 16;
const mostWithSeconds = 10;
const longestTitle = 80;

// Colors that stand on light and on dark pages: the paper is white, the metric dark, the limit red.
const ink = "#1f2328";
const theme = {
  xyChart: { width: 900, height: 320 },
  themeVariables: {
    xyChart: {
      ...{ backgroundColor: "#ffffff", plotColorPalette: `${ink}, #cf222e`, titleColor: ink },
      ...{ xAxisLabelColor: ink, xAxisTitleColor: ink, xAxisTickColor: ink, xAxisLineColor: ink },
      ...{ yAxisLabelColor: ink, yAxisTitleColor: ink, yAxisTickColor: ink, yAxisLineColor: ink },
    },
  },
};

/**
 * The series as a Mermaid chart in a fenced block, or undefined when there are fewer than two points. Evenly spaced: of
 * each stretch of time the value farthest from the median is shown, so that a spike stays visible; a stretch without a
 * point takes the value before it. Grammar: mermaid's xychart.jison, whose numbers have no exponent.
 */
export function renderChart({ title, unit, series, limit }: ChartInput): string | undefined {
  const points = series.points.filter(([at, value]) => Number.isFinite(at) && Number.isFinite(value));
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || last[0] <= first[0]) return undefined;

  // Mermaid takes equal times for one: there are no more points than seconds.
  const span = last[0] - first[0];
  const most = span >= 60 * (Math.min(mostPoints, points.length) - 1) ? mostPoints : mostWithSeconds;
  const count = Math.max(2, Math.min(most, points.length, Math.floor(span) + 1));
  const line = limit !== undefined && Number.isFinite(limit) ? limit : undefined;
  const raw = sampled(points, count);
  const scale = scaleFor(Math.max(...[...raw, line ?? 0].map(Math.abs)), unit);
  const values = raw.map((value) => value * scale.factor);
  const drawn = line === undefined ? undefined : line * scale.factor;
  const [low, high] = rangeOf(drawn === undefined ? values : [...values, drawn]);
  const day = new Date(last[0] * 1000).toISOString().slice(0, 10);
  return [
    "```mermaid",
    `%%{init: ${JSON.stringify(theme)}}%%`,
    "xychart-beta",
    `    title "${plain(title)}"`,
    `    x-axis "UTC, ${day}" [${timesOf(first[0], last[0], count).join(", ")}]`,
    `    y-axis "${plain(scale.name) || "value"}" ${decimal(low)} --> ${decimal(high)}`,
    `    line [${values.map(decimal).join(", ")}]`,
    ...(drawn === undefined ? [] : [`    line [${values.map(() => decimal(drawn)).join(", ")}]`]),
    "```",
  ].join("\n");
}

/** Times of the day, with seconds where minutes would repeat. */
function timesOf(first: number, last: number, count: number): string[] {
  const step = (last - first) / (count - 1);
  const length = step >= 60 ? "10:02".length : "10:02:30".length;
  return Array.from({ length: count }, (_, index) => {
    const at = new Date((first + index * step) * 1000);
    return `"${at.toISOString().slice(11, 11 + length)}"`;
  });
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

/** Letters, digits and plain punctuation: quotes, backticks, `%%` and entities mean something to Mermaid, a `%` does not. */
function plain(text: string): string {
  return text
    .replace(/[^\p{L}\p{N} _.,:()/+*=%-]+|%{2,}/gu, " ")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, longestTitle);
}
