import type { Window } from "./value.ts";

/**
 * The growth of a series over a window, extrapolated to its edges as Prometheus does (`extrapolatedRate` in
 * promql/functions.go): by at most half a sample distance where a sample is far from the edge, and a counter never
 * below zero. Undefined with less than two samples.
 */
export function increase(
  { points }: Window,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  kind: "counter" | "gauge",
): number | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (!first || !last || points.length < 2) return undefined;
  let grown = last[1] - first[1];
  if (kind === "counter") {
    points.forEach(([, value], index) => {
      const before = points[index - 1]?.[1] ?? value;
      if (value < before) grown += before;
    });
  }
  const sampled = (last[0] - first[0]) / 1000;
  const between = sampled / (points.length - 1);
  const threshold = between * 1.1;
  let toStart = (first[0] - fromMs) / 1000;
  let toEnd = (toMs - last[0]) / 1000;
  if (toStart >= threshold) toStart = between / 2;
  if (kind === "counter" && grown > 0 && first[1] >= 0) toStart = Math.min(toStart, sampled * (first[1] / grown));
  if (toEnd >= threshold) toEnd = between / 2;
  return grown * ((sampled + toStart + toEnd) / sampled);
}

/** Growth per second between the last two samples. */
export function lastTwo({ points }: Window): number | undefined {
  const last = points.at(-1);
  const before = points.at(-2);
  if (!last || !before) return undefined;
  const grown = last[1] < before[1] ? last[1] : last[1] - before[1];
  return grown / ((last[0] - before[0]) / 1000);
}

export function resets({ points }: Window): number {
  return points.filter(([, value], index) => index > 0 && value < (points[index - 1]?.[1] ?? value)).length;
}

/** Least squares; `at` is the line's value at `atSeconds`, `slope` is per second. Undefined with less than two samples. */
export function fitLine({ points }: Window, atSeconds: number): { at: number; slope: number } | undefined {
  if (points.length < 2) return undefined;
  const xs = points.map(([ms]) => ms / 1000 - atSeconds);
  const ys = points.map(([, value]) => value);
  const n = points.length;
  const meanX = xs.reduce((sum, x) => sum + x, 0) / n;
  const meanY = ys.reduce((sum, y) => sum + y, 0) / n;
  const varX = xs.reduce((sum, x) => sum + (x - meanX) ** 2, 0);
  const covariance = xs.reduce((sum, x, index) => sum + (x - meanX) * ((ys[index] ?? 0) - meanY), 0);
  const slope = varX === 0 ? 0 : covariance / varX;
  return { at: meanY - slope * meanX, slope };
}
