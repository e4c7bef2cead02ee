import { deviationOf, type MetricKind, type Moments, type NodeMetric } from "./node-metric.ts";

/** Another sign, beside the symptom's own kind of metric, that a node is not well. */
interface Corroboration {
  /** In robust standard deviations. */
  readonly score: number;
  readonly because: string;
}

const corroboratingKinds: readonly MetricKind[] = ["latency", "availability", "errors", "saturation"];
/** A node that went silent counts as much as this deviation. */
const silenceScore = 6;

/** The clearest sign in metrics of other kinds than the symptom's; undefined when there is none of at least `atLeast`. */
export function corroborationOf(
  metrics: readonly NodeMetric[],
  symptom: MetricKind,
  moments: Moments,
  { atLeast, requests }: { readonly atLeast: number; readonly requests: number | undefined },
): Corroboration | undefined {
  const found: Corroboration[] = [];
  for (const metric of metrics) {
    if (metric.kind === symptom || !corroboratingKinds.includes(metric.kind)) continue;
    const deviation = deviationOf(metric, moments, requests);
    if (!deviation || deviation.score < atLeast) continue;
    const { kind, seen, usual, score } = deviation;
    found.push({
      score,
      because: `${kind} ${shown(seen)} instead of ${shown(usual)} (${shown(score)} robust standard deviations)`,
    });
  }
  const failing = symptom === "availability" || symptom === "errors";
  if (failing && metrics.some((metric) => metric.kind === "requests" && isSilent(metric, moments))) {
    found.push({ score: silenceScore, because: "answered steadily before, and not at all since" });
  }
  return found.sort((a, b) => b.score - a.score)[0];
}

/** Steady traffic in the normal period and at the calm moments, none at the hot ones. */
function isSilent({ normal, abnormal }: NodeMetric, { hot, calm }: Moments): boolean {
  const busy = (value: number | undefined): boolean => value !== undefined && value > 0;
  const steady = Array.from(normal).filter(busy).length >= 0.95 * normal.length && normal.length > 0;
  return steady && calm.some((at) => busy(abnormal[at])) && !hot.some((at) => busy(abnormal[at]));
}

function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}
