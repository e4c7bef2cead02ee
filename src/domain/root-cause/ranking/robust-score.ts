/** What is usual for a series: its median and a scale in the same unit, resistant to outliers. */
export interface Baseline {
  readonly median: number;
  /** 1.4826 × median absolute deviation: the standard deviation, were the values normally distributed. */
  readonly scale: number;
  /** How many values it was made of. */
  readonly count: number;
}

/** The median of the finite values; undefined when there is none. */
export function medianOf(values: ArrayLike<number>): number | undefined {
  return middleOf(sortedFinite(values));
}

/** The mean of the finite values; undefined when there is none. */
export function meanOf(values: ArrayLike<number>): number | undefined {
  let sum = 0;
  let count = 0;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (value === undefined || !Number.isFinite(value)) continue;
    sum += value;
    count += 1;
  }
  return count === 0 ? undefined : sum / count;
}

/**
 * Median and MAD (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993; where the MAD is 0 the mean absolute
 * deviation takes its place). NaN = missing. Undefined below `atLeast` values: too few to know what is usual.
 */
export function baselineOf(values: ArrayLike<number>, atLeast = 8): Baseline | undefined {
  const sorted = sortedFinite(values);
  const median = middleOf(sorted);
  if (median === undefined || sorted.length < atLeast) return undefined;
  const distances = sorted.map((value) => Math.abs(value - median)).sort();
  const mad = middleOf(distances) ?? 0;
  const scale = mad > 0 ? 1.4826 * mad : 1.2533 * (meanOf(distances) ?? 0);
  return { median, scale, count: sorted.length };
}

function sortedFinite(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).filter(Number.isFinite).sort();
}

function middleOf(sorted: Float64Array): number | undefined {
  const half = sorted.length >> 1;
  const upper = sorted[half];
  if (upper === undefined) return undefined;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? upper) + upper) / 2;
}
