import type { Series } from "../../evidence/evidence.ts";
import type { Showing, Window } from "./anomaly.ts";
import { medianOf } from "./robust-score.ts";

/** The points in time that all series share. */
export interface Timeline {
  /** Seconds between two points. */
  readonly step: number;
  /** Unix seconds of one point: the others lie whole steps away from it. */
  readonly origin: number;
  /** Unix seconds, ascending. */
  readonly times: readonly number[];
  /** Index of the first point after the last hole: a window does not reach across it. */
  readonly unbroken: number;
}

/** So many steps without any point are a hole. */
const longestGap = 5;
/** An incident begins at most this long before its alert's condition holds: points, and seconds where these are more. */
const lead = { points: 5, seconds: 300, shareOfSpan: 1 / 6 };
const shortestWindow = 6;
const mostLonger = 3;
/** A longer window is tried where the whole has room for so many of its length: fewer tell too little of the worst. */
const leastNormal = 12;
/** All since a hole is tried where the time before it is at least this part of it. */
const leastPast = 0.5;

/** Undefined when there are too few points to tell anything. */
export function timelineOf(series: readonly Series[]): Timeline | undefined {
  const longest = series.reduce<Series | undefined>(
    (most, each) => (most && most.points.length >= each.points.length ? most : each),
    undefined,
  );
  const step = medianOf(
    (longest?.points ?? []).slice(1).map(([at], index) => at - (longest?.points[index]?.[0] ?? at)),
  );
  if (step === undefined || step <= 0) return undefined;
  const origin = longest?.points[0]?.[0] ?? 0;
  const slots = new Set(series.flatMap(({ points }) => points.map(([at]) => Math.round((at - origin) / step))));
  const sorted = Float64Array.from(slots).sort();
  let unbroken = 0;
  for (let index = 1; index < sorted.length; index += 1) {
    if ((sorted[index] ?? 0) - (sorted[index - 1] ?? 0) > longestGap) unbroken = index;
  }
  return { step, origin, times: Array.from(sorted, (slot) => origin + slot * step), unbroken };
}

/** The values of a series on the timeline; NaN where it has none. */
export function valuesOn({ step, origin, times }: Timeline, { points }: Series, unit = 1): Float64Array {
  const slotOf = (at: number) => Math.round((at - origin) / step);
  const bySlot = new Map(points.map(([at, value]) => [slotOf(at), value]));
  return Float64Array.from(times, (at) => (bySlot.get(slotOf(at)) ?? Number.NaN) * unit);
}

/**
 * Where the incident may lie: from shortly before the alert's condition began to hold until the last point, twice as
 * long, and only just now. No alert time: it fires now. `since` is in unix seconds.
 */
export function windowsOf({ step, times, unbroken }: Timeline, since: number | undefined): readonly Window[] {
  const end = times.length;
  const last = times.at(-1) ?? 0;
  const span = last - (times[0] ?? last);
  const leadSeconds = Math.max(lead.points * step, Math.min(lead.seconds, span * lead.shareOfSpan));
  const from = Math.min(since ?? last, last) - leadSeconds - step / 2;
  const first = times.findIndex((at) => at >= from);
  const likely = Math.max(shortestWindow, end - Math.max(0, first));
  const stretch = end - unbroken;
  // What lies before a hole is another day: all since then may be sick, and it is known what is usual.
  const isApart = unbroken >= stretch * leastPast;
  const longest = isApart ? stretch : Math.min(Math.floor(end / 2), stretch);
  const lengths = [likely, 2 * likely, shortestWindow].map((length) => Math.min(length, longest));
  const far = longer(2 * likely, Math.min(longest, Math.floor(end / leastNormal)));
  const all = isApart && stretch > 1 ? [stretch] : [];
  const windowOf = (shownBy: Showing) => (length: number) => ({ start: end - length, end, shownBy });
  const near = [...new Set(lengths)].filter((length) => length > 1);
  const whole = near.filter((length) => end - length <= unbroken);
  return [...near.map(windowOf("step")), ...[...new Set([...whole, ...far, ...all])].map(windowOf("level"))];
}

/** Ever twice as long, and all that is unbroken: a trouble may be much older than its alert. */
function longer(than: number, longest: number): number[] {
  const lengths: number[] = [];
  for (let length = 2 * than; length < longest && lengths.length < mostLonger; length *= 2) lengths.push(length);
  return longest > than && longest <= than << (mostLonger + 1) ? [...lengths, longest] : lengths;
}
