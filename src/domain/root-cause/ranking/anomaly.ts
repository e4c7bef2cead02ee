import { badDirection, materialityOf, type MetricKind } from "./node-metric.ts";
import { meanOfPart, select, sortPart } from "./selection.ts";

/** One measurement of one node over the whole time that was asked for. NaN = no value. */
export interface NodeSeries {
  /** What people call it: `latency`, `latency as callers see it`, `CPU`. */
  readonly what: string;
  readonly kind: MetricKind;
  readonly values: ArrayLike<number>;
  /** What its values are counted in, for people; absent = nobody could tell. */
  readonly unit?: string | undefined;
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
  readonly unit?: string | undefined;
  /** 1 = as bad as the worst twentieth of the normal windows of the same length; 0 = as usual. */
  readonly strength: number;
  readonly usual: number;
  /** The mean of the worst points of the window. */
  readonly seen: number;
  /** In the unit of the series: what the window adds to its usual value and to its own calm points. */
  readonly excess: number;
  /** The strengths of the normal windows, oldest first; none when all of them are 0. */
  readonly normal: ArrayLike<number>;
}

/** What a series must move by before it hurts anybody: a share of its median, and in its unit. */
const floors: Readonly<Record<MetricKind, readonly [relative: number, absolute: number]>> = {
  latency: [0.05, 0],
  availability: [0, 0.002],
  requests: [0.05, 1],
  errors: [0.05, 1],
  saturation: [0.05, 0.03],
  // A tenth more of a resource is what another day brings.
  usage: [0.1, 0],
  calls: [0.05, 0],
  signs: [0.05, 1],
};
/** A value that is merely high costs this much surprise each time: only what is rarer than usual adds up. */
const drift = 1.5;
const gapDecay = 0.9;
/** The share of the normal windows that is not counted as the worst: earlier incidents lie in it. */
const worstQuantile = 0.95;
/**
 * Fewer surprises than this are nothing, however steady the normal period was. Neighbouring points tell much the same:
 * of a longer window it takes more.
 */
const leastReference = { surprise: 3, points: 6 };
/** Smaller sums are not told from none. */
const negligible = 1;
/** In distances from the median to the worst hundredth, and as a share of the median. */
const dayToDay = { ranges: 1.5, relative: 0.3 };
const mostWindows = 400;
/** The worst of fewer windows than this is soon surpassed by the next one. */
const enoughWindows = 12;
const leastNormal = 8;
const hotShare = 0.4;

/** A series with what is usual for it, and how surprising each of its points is: NaN = no value. */
export interface Profile {
  readonly series: NodeSeries;
  readonly usual: Usual;
  /** Empty when no row of points adds up to anything: most series are as usual all the time. */
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
  const surprise = borrowed(values.length);
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? Number.NaN;
    surprise[index] = Number.isFinite(value) ? surpriseOf(value * usual.direction, usual) : Number.NaN;
  }
  // No window adds up to more than the whole does.
  const quiet = highestSum(surprise, 0, values.length) < negligible;
  return { series, usual, surprise: quiet ? none : surprise.slice() };
}

/** The normal windows that an incident's window is compared with: each of `length` points, by their ends. */
export interface NormalWindows {
  readonly length: number;
  readonly ends: readonly number[];
  readonly shownBy: Showing;
  /** 1 or more: by what the worst of them is taken to be worse, were there enough of them. */
  readonly doubt: number;
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
    doubt: Math.sqrt(Math.max(1, (enoughWindows * (end - start)) / Math.max(1, start))),
    ends: Array.from({ length: count }, (_, index) => start - (count - 1 - index) * stride),
  };
}

/** How far the series is off in the window. */
export function anomalyIn(profile: Profile, window: Window, windows: NormalWindows): Anomaly {
  const { length, ends, shownBy, doubt } = windows;
  const { usual, series, surprise } = profile;
  const normal = surprise.length === 0 ? none : new Float64Array(ends.length);
  for (let index = 0; index < normal.length; index += 1) {
    const end = ends[index] ?? 0;
    normal[index] = peakIn(profile, end - length, end, shownBy);
  }
  const sorted = borrowed(normal.length);
  sorted.set(normal);
  const least = leastReference.surprise * Math.sqrt(Math.max(1, length / leastReference.points));
  const reference = doubt * Math.max(least, select(sorted, Math.floor(worstQuantile * normal.length)) || 0);
  for (let index = 0; index < normal.length; index += 1) normal[index] = (normal[index] ?? 0) / reference;
  const { start, end, shownBy: asked = "step" } = window;
  const { hot, excess } = contrastIn(profile, start, end);
  const { what, kind, unit } = series;
  return {
    what,
    kind,
    ...(unit === undefined ? {} : { unit }),
    strength: peakIn(profile, start, end, asked) / reference,
    normal,
    usual: usual.median * usual.direction,
    seen: hot * usual.direction,
    excess: asked === "level" ? excess.level : excess.step,
  };
}

interface Usual {
  readonly direction: 1 | -1;
  /** How many normal values there are, and those that are off by `floor` or more: high is bad, in ascending order. */
  readonly count: number;
  readonly high: Float64Array;
  readonly median: number;
  readonly floor: number;
  /** From the median to the worst hundredth; `wide`: not less than what hurts anybody, 0 where nobody can tell. */
  readonly range: number;
  readonly wide: number;
  /** From the median to the worst quarter: what the worst points of any window lie above its level. */
  readonly near: number;
}

function usualOf({ values, kind }: NodeSeries, end: number, requests: number): Usual | undefined {
  const direction = badDirection[kind];
  const turned = turnedOf(values, 0, end, direction);
  const count = turned.length;
  if (count < leastNormal) return undefined;
  // Three places of the sorted values, and no more of them sorted than is asked for below.
  const [middle, quarter] = [count >> 1, Math.floor(0.75 * count)];
  const hundredth = Math.min(count - 2, Math.floor(0.99 * count));
  const median = select(turned, middle);
  const near = select(turned, quarter, middle) - median;
  const range = select(turned, hundredth, Math.min(quarter, hundredth)) - median;
  const [relative, absolute] = floors[kind];
  // One failed request is the least that a share of failures can show.
  const finest = kind === "availability" && requests > 0 ? 1 / requests : 0;
  const floor = Math.max(relative * Math.abs(median), absolute, finest);
  const high = highOf(turned, median, floor);
  return { direction, count, high, median, floor, near, range, wide: Math.max(range, 2 * floor) };
}

/** The finite values from `start` to `end`, turned so that high is bad: borrowed. */
function turnedOf(values: ArrayLike<number>, start: number, end: number, direction: 1 | -1): Float64Array {
  const turned = borrowed(end - start);
  let count = 0;
  for (let index = start; index < end; index += 1) {
    const value = values[index] ?? Number.NaN;
    if (Number.isFinite(value)) turned[count++] = value * direction;
  }
  return turned.subarray(0, count);
}

/** Room for numbers that nobody keeps: it lasts until the next call. An array for each was a third of the time. */
function borrowed(length: number): Float64Array {
  if (scratch.length < length) scratch = new Float64Array(2 * length);
  return scratch.subarray(0, length);
}

let scratch = new Float64Array(1024);
const none = new Float64Array(0);

function highOf(turned: Float64Array, median: number, floor: number): Float64Array {
  let count = 0;
  for (const value of turned) if (isHigh(value, median, floor)) count += 1;
  return count === 0 ? none : turned.filter((value) => isHigh(value, median, floor)).sort();
}

function isHigh(turned: number, median: number, floor: number): boolean {
  return turned > median && turned - median >= floor;
}

/** How rarely the normal period was as bad, in nats; beyond all that it has seen, by how much beyond. */
function surpriseOf(turned: number, { count, high: worse, median, floor, wide }: Usual): number {
  if (!isHigh(turned, median, floor)) return 0;
  let low = 0;
  let high = worse.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((worse[middle] ?? 0) < turned) low = middle + 1;
    else high = middle;
  }
  const rarity = -Math.log((worse.length - low + 0.5) / (count + 1));
  // What was always the same, and hurts by no known amount, is rare: by how much it is off says nothing.
  return wide === 0 ? rarity : rarity + Math.log(Math.max(1, (turned - median) / wide));
}

/** The highest sum of surprises in a row, as far as neither the window's own begin nor another day explains it. */
function peakIn(profile: Profile, start: number, end: number, shownBy: Showing): number {
  const sum = highestSum(profile.surprise, start, end);
  if (sum < negligible) return 0;
  const { hot, shift, excess } = contrastIn(profile, start, end);
  const above = hot - profile.usual.median;
  if (above <= 0) return 0;
  const weightOf = (amount: number) => materialityOf(profile.series.kind, amount, profile.usual.median);
  const level = shownBy === "step" ? 0 : sum * (excess.level / above) * weightOf(excess.level);
  if (shownBy === "level" || excess.step === 0) return level;
  const moved = shift === 0 ? sum : highestSum(surprisesWithout(shift, profile, start, end), 0, end - start);
  if (moved < negligible) return level;
  return Math.max(level, moved * Math.min(1, excess.step / (above - shift)) * weightOf(excess.step));
}

/** How surprising the points of a window are, were the whole of it lower by a shift: borrowed. */
function surprisesWithout(shift: number, { series, usual }: Profile, start: number, end: number): Float64Array {
  const moved = borrowed(end - start);
  for (let index = start; index < end; index += 1) {
    const value = series.values[index] ?? Number.NaN;
    moved[index - start] = Number.isFinite(value) ? surpriseOf(value * usual.direction - shift, usual) : Number.NaN;
  }
  return moved;
}

/** CUSUM (Page, 1954). */
function highestSum(surprise: Float64Array, start: number, end: number): number {
  let sum = 0;
  let best = 0;
  const last = Math.min(end, surprise.length);
  for (let index = start; index < last; index += 1) {
    const each = surprise[index] ?? Number.NaN;
    sum = Number.isNaN(each) ? sum * gapDecay : Math.max(0, sum + each - drift);
    if (sum > best) best = sum;
  }
  return best;
}

interface Contrast {
  /** The mean of the worst points of the window. */
  readonly hot: number;
  /** What the whole window, its begin too, lies above all that the normal period shows: another day is no step. */
  readonly shift: number;
  /** What the worst points are above the first ones, and above what another day may bring. */
  readonly excess: { readonly step: number; readonly level: number };
}

function contrastIn({ series: { values }, usual }: Profile, from: number, to: number): Contrast {
  const { direction, median, near, range } = usual;
  const turned = turnedOf(values, from, to, direction);
  const count = turned.length;
  if (count === 0) return { hot: median, shift: 0, excess: { step: 0, level: 0 } };
  // Sorted by themselves first: one of them may be a spike, or the trouble already, so only their lower half counts.
  const first = Math.min(count, Math.max(2, count >> 3));
  sortPart(turned, first);
  const before = meanOfPart(turned, 0, Math.max(1, first >> 1));
  sortPart(turned, count);
  const hot = meanOfPart(turned, count - Math.max(1, Math.ceil(hotShare * count)), count);
  const step = Math.max(0, hot - Math.max(median, before) - near);
  const level = Math.max(0, hot - median - drifted(usual));
  return { hot, shift: Math.max(0, before - median - range), excess: { step, level } };
}

/** How far a level may lie from that of another day without any trouble: it has no calm points of its own to tell. */
function drifted({ median, wide }: Usual): number {
  return Math.max(dayToDay.ranges * wide, dayToDay.relative * Math.abs(median));
}
