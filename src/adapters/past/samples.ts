import type { Metrics } from "../../ports/monitoring.ts";

/** One value of one series at the moment that was asked for. */
export interface PastSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Where and when the past is asked. */
export interface Moment {
  readonly metrics: Pick<Metrics, "range">;
  readonly at: Date;
}

/** What an instant query at that moment gives: the series that had ended before are left out. */
export async function samplesAt(query: string, { metrics, at }: Moment): Promise<readonly PastSample[]> {
  // Whole seconds: Prometheus answers at whole steps from the start on, and the last of them is the moment itself.
  const to = new Date(Math.floor(at.getTime() / 1000) * 1000);
  const { series } = await metrics.range(query, new Date(to.getTime() - 2_000), to, { points: 2 });
  return series.flatMap(({ labels, points }) => {
    const last = points.at(-1);
    if (last === undefined || last[0] * 1000 < to.getTime() - 500) return [];
    return [{ name: labels.__name__ ?? "", labels, value: last[1] }];
  });
}

/** A selector of several series of kube-state-metrics by the ends of their names: `kube_pod_(info|owner){…}`. */
export function selectorOf(prefix: string, names: readonly string[], labels: Readonly<Record<string, string>>): string {
  const exact = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `{${[`__name__=~"${prefix}(${names.join("|")})"`, ...exact].join(",")}}`;
}
