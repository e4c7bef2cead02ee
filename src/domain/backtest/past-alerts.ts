import { createHash } from "node:crypto";
import type { Series } from "../evidence/evidence.ts";
import { firingsOf } from "../evidence/self-healing.ts";
import { type Incident, openIncident } from "../incident/incident.ts";
import type { Alert } from "../incident/alert.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";

/** One firing of one alert, as Prometheus recorded it. */
export interface PastAlert {
  readonly alert: Alert;
  /** RFC 3339. Undefined = it still fired at the end of the history. */
  readonly endedAt: string | undefined;
}

/** The firings of `ALERTS{alertstate="firing"}` at a fixed step, oldest first; gaps of two steps are joined. */
export function pastAlerts(
  series: readonly Series[],
  window: { readonly stepSeconds: number; readonly endsAt: string },
): readonly PastAlert[] {
  const found = series.flatMap((one) => {
    const { __name__: _, alertstate: __, ...labels } = one.labels;
    const name = labels.alertname;
    if (name === undefined) return [];
    const fingerprint = createHash("sha256")
      .update(JSON.stringify(Object.entries(labels).sort()))
      .digest("hex");
    return firingsOf(one, { ...window, touches: [] }).map(({ startedAt, endedAt }): PastAlert => {
      const about = { fingerprint: fingerprint.slice(0, 16), name, labels, annotations: {}, generatorUrl: "" };
      return { alert: { ...about, status: "firing", startsAt: startedAt }, endedAt };
    });
  });
  return found.sort((a, b) => Date.parse(a.alert.startsAt) - Date.parse(b.alert.startsAt));
}

/** One series for each label set, of answers for one part of the time after the other. */
export function joinedSeries(parts: readonly (readonly Series[])[]): readonly Series[] {
  const byLabels = new Map<string, { labels: Series["labels"]; points: (readonly [number, number])[] }>();
  for (const { labels, points } of parts.flat()) {
    const key = JSON.stringify(Object.entries(labels).sort());
    const known = byLabels.get(key) ?? { labels, points: [] };
    byLabels.set(key, known);
    const last = known.points.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
    known.points.push(...points.filter(([at]) => at > last));
  }
  return [...byLabels.values()];
}

/** What concerned one workload at one time. */
export interface PastIncident {
  readonly incident: Incident;
  /** RFC 3339; undefined while any of its alerts still fired. */
  readonly endedAt: string | undefined;
  /** How often this very alert began to fire within the hour before. */
  readonly cycles: number;
}

/** One incident for one workload: alerts that overlap, or come back within `lingerMs`, are the same, as in a running Rectify. */
export function pastIncidents(
  cluster: string,
  placed: readonly (PastAlert & { readonly workload: Workload })[],
  lingerMs: number,
): readonly PastIncident[] {
  const open = new Map<string, { -readonly [Key in keyof PastIncident]: PastIncident[Key] }>();
  const all: PastIncident[] = [];
  for (const { alert, endedAt, workload } of placed) {
    const key = workloadKey(workload);
    const running = open.get(key);
    const begins = Date.parse(alert.startsAt);
    const goesOn =
      running !== undefined && (running.endedAt === undefined || begins <= Date.parse(running.endedAt) + lingerMs);
    if (goesOn) {
      running.endedAt = later(running.endedAt, endedAt);
      continue;
    }
    const cycles = placed.filter(({ alert: { fingerprint, startsAt } }) => {
      const at = Date.parse(startsAt);
      return fingerprint === alert.fingerprint && at > begins - hour && at <= begins;
    }).length;
    const made = { incident: openIncident(cluster, workload, alert), endedAt, cycles };
    open.set(key, made);
    all.push(made);
  }
  return all;
}

const hour = 3_600_000;

function later(one: string | undefined, other: string | undefined): string | undefined {
  if (one === undefined || other === undefined) return undefined;
  return Date.parse(one) > Date.parse(other) ? one : other;
}
