import {
  joinedSeries,
  type PastAlert,
  pastAlerts,
  type PastIncident,
  pastIncidents,
} from "../../../domain/backtest/past-alerts.ts";
import type { PastRecord } from "../../../domain/backtest/record.ts";
import type { Series } from "../../../domain/evidence/evidence.ts";
import type { Alert } from "../../../domain/incident/alert.ts";
import type { Concern } from "../../../domain/incident/incident.ts";
import type { UnplacedAlerts } from "../../../domain/incident/unplaced.ts";
import { Unavailable } from "../../../ports/errors.ts";
import type { Metrics, WholeHistory } from "../../../ports/monitoring.ts";
import { examinePast, type PastWorld } from "./examine.ts";

interface Backtest {
  readonly cluster: string;
  readonly from: Date;
  readonly to: Date;
  readonly metrics: Pick<Metrics, "range"> & WholeHistory;
  readonly concernAt: (alert: Alert, moment: Date) => Promise<Concern>;
  readonly lingerMs: number;
  /** How finely `ALERTS` is read: what fired more briefly is not found. */
  readonly stepSeconds: number;
}

/** What is under way, for whoever waits. */
interface BacktestProgress {
  readonly done: number;
  readonly all: number;
}

/** What the alerts of the past came to: incidents, and alerts that lead to no workload. */
export interface PastFound {
  readonly incidents: readonly PastIncident[];
  readonly unplaced: readonly UnplacedAlerts[];
  /** What Prometheus said about answers that are not whole. */
  readonly notes: readonly string[];
}

// As many points of a series as one question asks for.
const mostSteps = 720;

/** The incidents of the past, by Prometheus' own record of its alerts. */
export async function findPast(backtest: Backtest): Promise<PastFound> {
  const { from, to, metrics, stepSeconds } = backtest;
  const chunkMs = mostSteps * stepSeconds * 1_000;
  const parts: (readonly Series[])[] = [];
  const notes = new Set<string>();
  for (let start = from.getTime(); start < to.getTime(); start += chunkMs) {
    const end = Math.min(start + chunkMs, to.getTime());
    const points = Math.max(1, Math.ceil((end - start) / 1000 / stepSeconds));
    const answer = await metrics.everyStep(
      alertsQuery,
      new Date(start),
      new Date(start + points * stepSeconds * 1000),
      points,
    );
    parts.push(answer.series);
    for (const note of answer.notes) notes.add(note);
  }
  const alerts = pastAlerts(joinedSeries(parts), { stepSeconds, endsAt: to.toISOString() });
  const { placed, unplaced } = await placeAll(alerts, backtest);
  for (const note of await reachOf(alerts.length, backtest)) notes.add(note);
  return { incidents: pastIncidents(backtest.cluster, placed, backtest.lingerMs), unplaced, notes: [...notes] };
}

const reachPoints = 60;

/** How far back there is anything, and why there may be no alert at all. */
async function reachOf(alerts: number, { from, to, metrics }: Backtest): Promise<readonly string[]> {
  const { series } = await metrics.range("count(up)", from, to, { points: reachPoints });
  const first = series.flatMap(({ points }) => points.slice(0, 1))[0]?.[0];
  const begins = first === undefined ? undefined : first * 1_000;
  const late = begins !== undefined && begins - from.getTime() > ((to.getTime() - from.getTime()) / reachPoints) * 2;
  return [
    ...(late
      ? [
          `its history begins at ${new Date(begins).toISOString()}: longer is --storage.tsdb.retention.time of Prometheus`,
        ]
      : []),
    ...(alerts > 0
      ? []
      : [
          "ALERTS has no series in that time: PROMETHEUS_URL must be the Prometheus, or the long-term store, that the alerting rules are loaded in",
        ]),
  ];
}

const alertsQuery = 'ALERTS{alertstate="firing"}';

type Placed = PastAlert & { readonly workload: Extract<Concern, { kind: "workload" }>["workload"] };

async function placeAll(alerts: readonly PastAlert[], { concernAt }: Backtest) {
  const known = new Map<string, Concern>();
  const placed: Placed[] = [];
  const unplaced = new Map<string, UnplacedAlerts>();
  for (const past of alerts) {
    const { alert } = past;
    const concern = known.get(alert.fingerprint) ?? (await concernAt(alert, new Date(alert.startsAt)));
    if (concern.kind !== "unknown") known.set(alert.fingerprint, concern);
    if (concern.kind === "workload") {
      placed.push({ ...past, workload: concern.workload });
      continue;
    }
    // One process reads the past of one repository: it leaves nothing to others.
    if (concern.kind === "beside") continue;
    const { kind, because } = concern;
    const times = (unplaced.get(alert.name)?.times ?? 0) + 1;
    const line = concern.kind === "nobody" ? concern.line : "";
    const { name, labels, startsAt: lastSeen } = alert;
    unplaced.set(name, { name, kind, times, because, line, labels, lastSeen });
  }
  return { placed, unplaced: [...unplaced.values()].sort((a, b) => b.times - a.times) };
}

interface Analysis {
  readonly world: PastWorld & {
    /** How many questions found no answer so far: what was examined meanwhile is examined again. */
    readonly unanswered: () => number;
    /** Why nothing is asked any more; undefined = it goes on. */
    readonly denied: () => string | undefined;
  };
  /** How many incidents are examined at once. */
  readonly atOnce: number;
  readonly save: (record: PastRecord) => void;
  readonly tell: (progress: BacktestProgress) => void;
}

/** Examines every incident that is not on record yet; the answer is what found no answer twice, for another day. */
export async function analyzePast(
  incidents: readonly PastIncident[],
  recorded: ReadonlySet<string>,
  analysis: Analysis,
): Promise<readonly PastIncident[]> {
  let done = incidents.filter(({ incident }) => recorded.has(incident.uid)).length;
  const one = async (past: PastIncident): Promise<boolean> => {
    const record = await answered(past, analysis);
    if (record === undefined) return false;
    analysis.save(record);
    done += 1;
    analysis.tell({ done, all: incidents.length });
    return true;
  };
  const todo = incidents.filter(({ incident }) => !recorded.has(incident.uid));
  const again: PastIncident[] = [];
  const queue = [...todo];
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      if (analysis.world.denied() !== undefined || !(await one(next))) again.push(next);
  };
  await Promise.all(Array.from({ length: analysis.atOnce }, worker));
  const silent: PastIncident[] = [];
  for (const past of again) if (analysis.world.denied() !== undefined || !(await one(past))) silent.push(past);
  return silent;
}

/** A source that was away makes evidence look missing: such a record would be wrong, so there is none. */
async function answered(past: PastIncident, { world }: Analysis): Promise<PastRecord | undefined> {
  const before = world.unanswered();
  try {
    const record = await examinePast(past, world);
    return world.unanswered() === before ? record : undefined;
  } catch (error) {
    if (error instanceof Unavailable) return undefined;
    throw error;
  }
}
