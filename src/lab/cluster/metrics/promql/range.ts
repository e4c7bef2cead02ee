import type { Window } from "./value.ts";

/**
 * The growth of a series over a window, extrapolated to its edges as Prometheus does (`extrapolatedRate` in
 * promql/functions.go): by at most half a sample distance where a sample is far from the edge, and a counter never
 * below zero. Undefined with less than two samples.
 */
export function increase(
  { times, values }: Window,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  kind: "counter" | "gauge",
): number | undefined {
  const [firstMs, first] = [times[0], values[0]];
  const [lastMs, last] = [times.at(-1), values.at(-1)];
  if (firstMs === undefined || lastMs === undefined || first === undefined || last === undefined) return undefined;
  if (times.length < 2) return undefined;
  let grown = last - first;
  if (kind === "counter") grown += lostByResets(values);
  const sampled = (lastMs - firstMs) / 1000;
  const between = sampled / (times.length - 1);
  const threshold = between * 1.1;
  let toStart = (firstMs - fromMs) / 1000;
  let toEnd = (toMs - lastMs) / 1000;
  if (toStart >= threshold) toStart = between / 2;
  if (kind === "counter" && grown > 0 && first >= 0) toStart = Math.min(toStart, sampled * (first / grown));
  if (toEnd >= threshold) toEnd = between / 2;
  return grown * ((sampled + toStart + toEnd) / sampled);
}

function lostByResets(values: readonly number[]): number {
  let lost = 0;
  for (let index = 1; index < values.length; index += 1) {
    const before = values[index - 1] ?? 0;
    if ((values[index] ?? 0) < before) lost += before;
  }
  return lost;
}

/** Growth per second between the last two samples. */
export function lastTwo({ times, values }: Window): number | undefined {
  const [before, last] = values.slice(-2);
  const [beforeMs, lastMs] = times.slice(-2);
  if (before === undefined || last === undefined || beforeMs === undefined || lastMs === undefined) return undefined;
  const grown = last < before ? last : last - before;
  return grown / ((lastMs - beforeMs) / 1000);
}

export function resets({ values }: Window): number {
  return values.filter((value, index) => index > 0 && value < (values[index - 1] ?? value)).length;
}

/** Least squares; `at` is the line's value at `atSeconds`, `slope` is per second. Undefined with less than two samples. */
export function fitLine({ times, values: ys }: Window, atSeconds: number): { at: number; slope: number } | undefined {
  const n = times.length;
  if (n < 2) return undefined;
  const xs = times.map((ms) => ms / 1000 - atSeconds);
  const meanX = xs.reduce((sum, x) => sum + x, 0) / n;
  const meanY = ys.reduce((sum, y) => sum + y, 0) / n;
  const varX = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const covariance = xs.reduce((sum, x, index) => sum + (x - meanX) * ((ys[index] ?? 0) - meanY), 0);
  const slope = varX === 0 ? 0 : covariance / varX;
  return { at: meanY - slope * meanX, slope };
}
