import type { Table } from "./data.ts";

/** Two simple rankers that a diagnosis has to beat: nodes, most suspicious first. */
export const baselines: Readonly<Record<string, (normal: Table, abnormal: Table) => readonly string[]>> = {
  "highest robust z": (normal, abnormal) =>
    rankedBy(normal, abnormal, ({ median, mad }, value) => Math.abs(value - median) / mad),
  "median/IQR": (normal, abnormal) =>
    rankedBy(normal, abnormal, ({ median, iqr }, value) => Math.abs(value - median) / iqr),
};

interface Spread {
  readonly median: number;
  readonly mad: number;
  readonly iqr: number;
}

function rankedBy(normal: Table, abnormal: Table, score: (spread: Spread, value: number) => number): readonly string[] {
  const best = new Map<string, number>();
  for (const { node, metric, statistic, values } of abnormal.columns) {
    const usual = normal.columns.find(
      (column) => column.node === node && column.metric === metric && column.statistic === statistic,
    );
    const spread = usual && spreadOf(usual.values);
    if (!spread) continue;
    const most = values.reduce(
      (high, value) => (Number.isFinite(value) ? Math.max(high, score(spread, value)) : high),
      0,
    );
    best.set(node, Math.max(best.get(node) ?? 0, most));
  }
  return [...best].sort(([, a], [, b]) => b - a).map(([node]) => node);
}

function spreadOf(values: Float64Array): Spread | undefined {
  const sorted = values.filter(Number.isFinite).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  if (sorted.length < 8) return undefined;
  const median = at(0.5);
  const distances = sorted.map((value) => Math.abs(value - median)).sort();
  const mad = 1.4826 * (distances[distances.length >> 1] ?? 0);
  // A constant series has no spread of its own: a hundredth of its level stands in, whatever its unit.
  const least = 0.01 * Math.abs(median) + 1e-9;
  return { median, mad: Math.max(mad, least), iqr: Math.max(at(0.75) - at(0.25), least) };
}
