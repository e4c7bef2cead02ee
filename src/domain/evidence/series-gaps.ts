import type { Series } from "./evidence.ts";
import { ownerKeyOf } from "./series.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";

/** What was asked for: whose series count, and the range with its steps, in seconds. */
interface AskedRange {
  readonly home: Workload;
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

// Prometheus goes on with the last value for five minutes; what is missing after that is missing.
const leastSeconds = 60;
const mostHoles = 3;

/**
 * What the series of the workload lack, one note each: they ended before the range did, there are holes in them, or two
 * replicas of Prometheus say different things. An answer without series of the workload is empty, which is told elsewhere.
 */
export function gapNotes(series: readonly Series[], asked: AskedRange): readonly string[] {
  const wanted = workloadKey(asked.home);
  const mine = series.filter(({ labels }) => ownerKeyOf(withoutReplica(labels), asked.home) === wanted);
  const times = [...new Set(mine.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const newest = times.at(-1);
  if (newest === undefined) return disagreements(series);
  const least = Math.max(leastSeconds, 2 * asked.step);
  const behind = asked.to - newest;
  const ended = behind > least ? [`stale: the newest point is ${minutes(behind)} older than the end of the range`] : [];
  return [...ended, ...holesIn(times, least), ...disagreements(series)];
}

function holesIn(times: readonly number[], least: number): string[] {
  const holes = times.flatMap((at, index) => {
    const before = times[index - 1];
    return before !== undefined && at - before > least ? [[before, at] as const] : [];
  });
  const shown = holes.slice(0, mostHoles).map(([from, to]) => `${clock(from)} to ${clock(to)}`);
  const more = holes.length > mostHoles ? ` and ${holes.length - mostHoles} more` : "";
  return holes.length === 0 ? [] : [`partial: no points from ${shown.join(", ")}${more}`];
}

// The labels under which replicas of one Prometheus are usually told apart.
const replicaLabels = new Set(["prometheus_replica", "__replica__", "replica", "prometheus", "receive_replica"]);

function withoutReplica(labels: Series["labels"]): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([label]) => !replicaLabels.has(label)));
}

// Replicas scrape at different moments: values of the same thing differ a little all the time.
const usualDifference = 0.25;
const mostDifferent = 0.2;

/** Series that differ in the name of the replica only, and in many of their common points. */
function disagreements(series: readonly Series[]): string[] {
  const families = new Map<string, Series[]>();
  for (const one of series) {
    const sorted = Object.entries(withoutReplica(one.labels)).sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify(sorted);
    families.set(key, [...(families.get(key) ?? []), one]);
  }
  const contradicting = [...families.values()].filter(([first, ...others]) =>
    others.some((other) => first !== undefined && contradict(first, other)),
  );
  return contradicting.length === 0
    ? []
    : ["contradictory: replicas of Prometheus give different values for the same series"];
}

function contradict(one: Series, other: Series): boolean {
  const values = new Map(one.points);
  const pairs = other.points.flatMap(([at, value]) => {
    const its = values.get(at);
    return its === undefined ? [] : [[its, value] as const];
  });
  const different = pairs.filter(([a, b]) => Math.abs(a - b) > usualDifference * Math.max(Math.abs(a), Math.abs(b)));
  return different.length > mostDifferent * pairs.length;
}

function minutes(seconds: number): string {
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}
