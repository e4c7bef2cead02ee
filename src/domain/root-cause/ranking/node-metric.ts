import { type Baseline, baselineOf, meanOf, medianOf } from "./robust-score.ts";

/**
 * What a series measures: latency in any unit of time, availability and saturation 0 to 1, requests and errors per
 * interval, usage of a resource in any unit, calls: requests for each request of the callers, and signs: counts of what
 * should not happen (restarts, error lines).
 */
export type MetricKind =
  | "latency"
  | "availability"
  | "requests"
  | "errors"
  | "saturation"
  | "usage"
  | "calls"
  | "signs";

/** One metric of one node. NaN = no value. The abnormal series of all nodes share their points in time. */
export interface NodeMetric {
  readonly kind: MetricKind;
  readonly normal: ArrayLike<number>;
  readonly abnormal: ArrayLike<number>;
}

/** The points of the abnormal window at which the symptom was at its worst, and those at which it was calm. */
export interface Moments {
  readonly hot: readonly number[];
  readonly calm: readonly number[];
}

/** How far a metric is off at the hot moments, in the bad direction. */
export interface Deviation {
  readonly kind: MetricKind;
  readonly usual: number;
  readonly seen: number;
  /** In the metric's unit, 0 or more: what is left after the usual value and the value at the calm moments. */
  readonly excess: number;
  /** The excess in robust standard deviations. */
  readonly score: number;
}

/** 1 = high is bad, -1 = low is bad. More requests are load. */
export const badDirection: Readonly<Record<MetricKind, 1 | -1>> = {
  latency: 1,
  availability: -1,
  requests: 1,
  errors: 1,
  saturation: 1,
  usage: 1,
  calls: -1,
  signs: 1,
};

// Below these a change hurts nobody, however steady the series was: relative to the median, and in the unit.
const relativeFloor = 0.03;
const absoluteFloor: Readonly<Record<MetricKind, number>> = {
  latency: 0,
  availability: 0.002,
  requests: 1,
  errors: 1,
  saturation: 0.03,
  usage: 0,
  calls: 0,
  signs: 0,
};

/**
 * So much more is a trouble in full, as a share of the median and in its unit. Less is what caches, collectors and
 * visitors bring, however rare it is. Of a resource, more says more.
 */
const material: Partial<Readonly<Record<MetricKind, readonly [relative: number, absolute: number]>>> = {
  latency: [0.2, 0],
  usage: [0.5, 0],
  saturation: [0, 0.2],
};

/** At least this share of the window, and at least two points, must be bad: one spike is no incident. */
const hotShare = 0.4;

const highestScore = 1000;

/**
 * Splits the window by the symptom itself: the worst points are hot, those nearer to the usual value than to the hot
 * ones are calm, what lies between is neither. Undefined when it has fewer than two points.
 */
export function momentsOf(symptom: NodeMetric): Moments | undefined {
  const direction = badDirection[symptom.kind];
  const points = Array.from(symptom.abnormal, (value, index) => ({ bad: value * direction, index }))
    .filter(({ bad }) => Number.isFinite(bad))
    .sort((a, b) => b.bad - a.bad);
  const count = Math.max(2, Math.ceil(hotShare * points.length));
  if (points.length < count) return undefined;
  const hot = points.slice(0, count);
  const worst = meanOf(hot.map(({ bad }) => bad)) ?? 0;
  const usual = (medianOf(symptom.normal) ?? worst) * direction;
  const calm = points.slice(count).filter(({ bad }) => bad < (usual + worst) / 2);
  return { hot: hot.map(({ index }) => index), calm: calm.map(({ index }) => index) };
}

/**
 * How far the metric is off at the hot moments; undefined when the series cannot tell. `requests` per interval, where
 * known, say how finely a share of failures can be told: one failure is the least.
 */
export function deviationOf(metric: NodeMetric, moments: Moments, requests?: number): Deviation | undefined {
  const baseline = baselineOf(metric.normal);
  const seen = meanOf(moments.hot.map((index) => metric.abnormal[index] ?? Number.NaN));
  if (!baseline || seen === undefined) return undefined;
  const direction = badDirection[metric.kind];
  const calm = medianOf(moments.calm.map((index) => metric.abnormal[index] ?? Number.NaN)) ?? baseline.median;
  const excess = Math.max(0, (seen - referenceOf(baseline.median, calm, direction)) * direction);
  // A series that was 0 all the time has no scale: any excess is then clear.
  const score =
    excess === 0 ? 0 : Math.min(highestScore, excess / scaleOf(baseline, metric.kind, leastShareOf(moments, requests)));
  return { kind: metric.kind, usual: baseline.median, seen, excess, score };
}

/**
 * What the metric would be without the incident. Calm moments that are worse than usual are a drift that was there
 * before; calm moments that are better are half believed, for they are few.
 */
function referenceOf(usual: number, calm: number, direction: 1 | -1): number {
  return calm * direction > usual * direction ? calm : (usual + calm) / 2;
}

/** One failure, as a share of an interval's requests, told more finely by several intervals. */
function leastShareOf({ hot }: Moments, requests: number | undefined): number {
  return requests ? 1 / (requests * Math.sqrt(hot.length)) : 0;
}

function scaleOf({ median, scale }: Baseline, kind: MetricKind, leastShare: number): number {
  if (kind === "availability") return Math.max(scale, absoluteFloor[kind], leastShare);
  return Math.max(scale, relativeFloor * Math.abs(median), absoluteFloor[kind]);
}

/** How much an excess matters to anybody, as far as its kind tells: 1 = in full. */
export function materialityOf(kind: MetricKind, excess: number, median: number): number {
  const [relative, absolute] = material[kind] ?? [0, 0];
  const full = relative * Math.abs(median) + absolute;
  if (full === 0) return 1;
  if (excess < full) return (excess / full) ** 2;
  return kind === "latency" ? 1 : 1 + Math.log(excess / full);
}
