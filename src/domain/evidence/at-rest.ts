import type { Evidence, Series } from "./evidence.ts";
import { mostNamed } from "./finding-text.ts";

/** Stands for a series that people are told only the number of. */
const counted: Series = { labels: {}, points: [[0, 0]] };
const empty: Series = { labels: {}, points: [] };

/**
 * The evidence once its diagnosis is made: every text reads as before, and of the measurements of all other workloads
 * only what those texts say is left. A workflow may wait for days beside hundreds of others; the whole of what it saw is in
 * its capsule. Ids and hashes are those of the whole.
 */
export function evidenceAtRest(evidence: readonly Evidence[]): readonly Evidence[] {
  return evidence.map((item) => {
    if (item.finding.kind !== "series") return item;
    const whole = item.key === "alert-metric" ? 1 : 0;
    return { ...item, finding: { ...item.finding, series: seriesAtRest(item.finding.series, whole) } };
  });
}

/** The first `whole` series as they are: the chart is drawn of them. */
function seriesAtRest(series: readonly Series[], whole: number): readonly Series[] {
  let named = 0;
  return series.map((one, index) => {
    if (one.points.length > 0) named += 1;
    if (index < whole) return one;
    if (one.points.length === 0) return empty;
    return named <= mostNamed ? { labels: one.labels, points: one.points.slice(-1) } : counted;
  });
}
