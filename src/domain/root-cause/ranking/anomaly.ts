import { badDirection, type MetricKind } from "./node-metric.ts";

/** One measurement of one node over the whole time that was asked for. NaN = no value. */
export interface NodeSeries {
  /** What people call it: `latency`, `latency as callers see it`, `CPU`. */
  readonly what: string;
  readonly kind: MetricKind;
  readonly values: ArrayLike<number>;
}

/**
 * `step`: the window's worst points against its own first ones. `level`: against what another day may lie above the
 * usual, because the trouble may be older than the window, and whatever drifts slowly is none. `both`: by the more.
 */
export type Showing = "step" | "level" | "both";

/** Where the incident may lie: `[start, end)` of the common points in time; all before it is the normal period. */
export interface Window {
  readonly start: number;
  readonly end: number;
  /** What shows a trouble in it; absent = a step. */
  readonly shownBy?: Showing;
}

/** How far one series is off in the window, measured by the worst that its own normal period shows. */
export interface Anomaly {
  readonly what: string;
  readonly kind: MetricKind;
  /** 1 = as bad as the worst twentieth of the normal windows of the same length; 0 = as usual. */
  readonly strength: number;
  readonly usual: number;
  /** The mean of the worst points of the window. */
  readonly seen: number;
  /** In the unit of the series: what the window adds to its usual value and to its own calm points. */
  readonly excess: number;
  /** The strengths of the normal windows, oldest first. */
  readonly normal: ArrayLike<number>;
}

/** What a series must move by before it hurts anybody: a share of its median, and in its unit. */
const floors: Readonly<Record<MetricKind, readonly [relative: number, absolute: number]>> = {
  latency: [0.05, 0],
  availability: [0, 0.002],
  requests: [0.05, 1],
  errors: [0.05, 0],
  saturation: [0.05, 0.03],
  usage: [0.05, 0],
  calls: [0.05, 0],
  signs: [0.05, 0],
};
/** A value that is merely high costs this much surprise each time: only what is rarer than usual adds up. */
const drift = 1.5;
const gapDecay = 0.9;
/** The share of the normal windows that is not counted as the worst: earlier incidents lie in it. */
const worstQuantile = 0.95;
/** Fewer surprises than this are nothing, however steady the normal period was. */
const leastReference = 3;
/** Smaller sums are not told from none. */
const negligible = 1;
/** In distances from the median to the worst hundredth, and as a share of the median. */
const dayToDay = { ranges: 1.5, relative: 0.3 };
const mostWindows = 400;
const leastNormal = 8;
const hotShare = 0.4;

/** A series with what is usual for it, and how surprising each of its points is. */
export interface Profile {
  readonly series: NodeSeries;
  readonly usual: Usual;
  readonly surprise: Float64Array;
}

/**
 * Learns what is usual from the points before `normalEnd`; undefined when there are too few. `requests` per interval
 * tell how finely a share of failures can be told.
 */
export function profileOf(series: NodeSeries, normalEnd: number, requests = 0): Profile | undefined {
  const usual = usualOf(series, normalEnd, requests);
  if (!usual) return undefined;
  const { values } = series;
  const surprise = new Float64Array(values.length);
  for (let index = 0; index < values.length; index += 1) {
    surprise[index] = surpriseOf((values[index] ?? Number.NaN) * usual.direction, usual);
  }
  return { series, usual, surprise };
}

/** The normal windows that an incident's window is compared with: each of `length` points, by their ends. */
export interface NormalWindows {
  readonly length: number;
  readonly ends: readonly number[];
  readonly shownBy: Showing;
}

/** The normal period in windows of the incident's length, half overlapping; shorter ones where it is short itself. */
export function normalWindowsOf({ start, end, shownBy = "step" }: Window): NormalWindows {
  const length = Math.max(1, Math.min(end - start, Math.floor(start / 2)));
  const stride = Math.max(1, length >> 1, Math.ceil(start / mostWindows));
  const count = Math.max(0, Math.floor((start - length) / stride) + 1);
  // A level has to be worse than whatever the normal period shows, by its levels or by its steps.
  const either = shownBy === "step" ? "step" : "both";
  return {
    length,
    shownBy: either,
    ends: Array.from({ length: count }, (_, index) => start - (count - 1 - index) * stride),
  };
}

/** How far the series is off in the window. */
export function anomalyIn(profile: Profile, window: Window, { length, ends, shownBy }: NormalWindows): Anomaly {
  const { usual, series } = profile;
  const normal = Float64Array.from(ends, (end) => peakIn(profile, { start: end - length, end, shownBy }));
  const sorted = normal.slice().sort();
  const reference = Math.max(leastReference, sorted[Math.floor(worstQuantile * sorted.length)] ?? 0);
  for (let index = 0; index < normal.length; index += 1) normal[index] = (normal[index] ?? 0) / reference;
  const { hot, contrast } = contrastIn(profile, window);
  return {
    ...{ what: series.what, kind: series.kind, strength: peakIn(profile, window) / reference, normal },
    ...{ usual: usual.median * usual.direction, seen: hot * usual.direction },
    excess: Math.max(0, hot - usual.median) * contrast,
  };
}

interface Usual {
  readonly direction: 1 | -1;
  /** The normal values, turned so that high is bad, in ascending order. */
  readonly sorted: Float64Array;
  readonly median: number;
  readonly floor: number;
  readonly wide: number;
  /** From the median to the worst quarter: what the worst points of any window lie above its level. */
  readonly near: number;
}

function usualOf({ values, kind }: NodeSeries, end: number, requests: number): Usual | undefined {
  const direction = badDirection[kind];
  const turned = new Float64Array(end);
  let count = 0;
  for (let index = 0; index < end; index += 1) {
    const value = values[index];
    if (value !== undefined && Number.isFinite(value)) turned[count++] = value * direction;
  }
  const sorted = turned.slice(0, count).sort();
  const median = sorted[count >> 1];
  if (median === undefined || count < leastNormal) return undefined;
  const [relative, absolute] = floors[kind];
  // One failed request is the least that a share of failures can show.
  const finest = kind === "availability" && requests > 0 ? 1 / requests : 0;
  const floor = Math.max(relative * Math.abs(median), absolute, finest);
  const high = sorted[Math.min(count - 2, Math.floor(0.99 * count))] ?? median;
  const near = (sorted[Math.floor(0.75 * count)] ?? median) - median;
  return { direction, sorted, median, floor, near, wide: Math.max(high - median, 2 * floor, Number.MIN_VALUE) };
}

/** How rarely the normal period was as bad, in nats; beyond all that it has seen, by how much beyond. */
function surpriseOf(turned: number, { sorted, median, floor, wide }: Usual): number {
  if (!(turned > median) || turned - median < floor) return 0;
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < turned) low = middle + 1;
    else high = middle;
  }
  const rarity = -Math.log((sorted.length - low + 0.5) / (sorted.length + 1));
  return rarity + Math.log(Math.max(1, (turned - median) / wide));
}

/** The highest sum of surprises in a row (CUSUM; Page, 1954), as far as the window's own begin was better. */
function peakIn(profile: Profile, window: Window): number {
  const { surprise, series } = profile;
  let sum = 0;
  let best = 0;
  for (let index = window.start; index < window.end; index += 1) {
    const known = Number.isFinite(series.values[index]);
    sum = known ? Math.max(0, sum + (surprise[index] ?? 0) - drift) : sum * gapDecay;
    if (sum > best) best = sum;
  }
  return best < negligible ? 0 : best * contrastIn(profile, window).contrast;
}

/** The worst points of a window, and which share of their distance from the median its first points did not show. */
function contrastIn(
  { series: { values }, usual }: Profile,
  { start: from, end: to, shownBy = "step" }: Window,
): { hot: number; contrast: number } {
  const { direction, median, near } = usual;
  const turned = new Float64Array(to - from);
  let count = 0;
  for (let index = from; index < to; index += 1) {
    const value = values[index] ?? Number.NaN;
    if (Number.isFinite(value)) turned[count++] = value * direction;
  }
  if (count === 0) return { hot: median, contrast: 0 };
  const before = calmOf(turned.slice(0, Math.max(2, count >> 3)).subarray(0, count));
  const sorted = turned.subarray(0, count).sort();
  const worst = Math.max(1, Math.ceil(hotShare * count));
  let sum = 0;
  for (let index = count - worst; index < count; index += 1) sum += sorted[index] ?? 0;
  const hot = sum / worst;
  if (hot <= median) return { hot, contrast: 0 };
  const step = (hot - Math.max(median, before) - near) / (hot - median);
  const level = 1 - drifted(usual) / (hot - median);
  const contrast = { step, level, both: Math.max(step, level) }[shownBy];
  return { hot, contrast: Math.max(0, Math.min(1, contrast)) };
}

/** The lower half of the first points: one of them may be a spike, or the trouble already. */
function calmOf(first: Float64Array): number {
  const sorted = first.sort().subarray(0, Math.max(1, first.length >> 1));
  return sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
}

/** How far a level may lie from that of another day without any trouble: it has no calm points of its own to tell. */
function drifted({ median, wide }: Usual): number {
  return Math.max(dayToDay.ranges * wide, dayToDay.relative * Math.abs(median));
}
