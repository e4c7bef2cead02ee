import { type Workload, workloadKey } from "../kubernetes/workload.ts";
import { callsOf } from "./calls.ts";
import type { Evidence, Series } from "./evidence.ts";
import { ownerKeyOf, workloadOfLabels } from "./series.ts";

type Seen = Pick<Evidence, "key" | "finding">;

/**
 * What was seen, of at most `most` workloads: the one that hurts, whoever it calls and is called by at one remove or two,
 * and of all others those whose measurements changed most. Everything that is seen is ranked, sent to the model, put on
 * record and held: of a namespace with hundreds of workloads that were tens of megabytes an incident.
 */
export function withinReach<S extends Seen>(seen: readonly S[], home: Workload, most = 64): readonly S[] {
  const all = seen.flatMap(({ finding }) => (finding.kind === "series" ? finding.series : []));
  const changes = new Map<string, number>();
  for (const series of all) {
    const key = ownerOf(series, home);
    if (key !== undefined) changes.set(key, Math.max(changes.get(key) ?? 0, changeOf(series)));
  }
  if (changes.size <= most) return seen;
  const near = nearest(seen, home);
  const rest = [...changes].filter(([key]) => !near.includes(key));
  rest.sort(([a, changedA], [b, changedB]) => changedB - changedA || (a < b ? -1 : 1));
  const kept = new Set([...near, ...rest.map(([key]) => key)].slice(0, most));
  const note = `${changes.size - kept.size} workloads that changed least were left out`;
  return seen.map((item) => {
    if (item.finding.kind !== "series") return item;
    const series = item.finding.series.filter((one) => isAmong(kept, one, home));
    if (series.length === item.finding.series.length) return item;
    return { ...item, finding: { ...item.finding, series, notes: [...item.finding.notes, note] } };
  });
}

/** A series that names nobody is of the whole: it stays. */
function isAmong(kept: ReadonlySet<string>, one: Series, home: Workload): boolean {
  const [call] = callsOf([one], home);
  const ends = call ? [call.caller, call.callee] : [ownerOf(one, home), calleeOf(one, home)];
  return ends.every((end) => end === undefined || kept.has(end));
}

/** A pod that nobody could name a workload for stands for itself. */
function ownerOf({ labels }: Series, home: Workload): string | undefined {
  return (
    ownerKeyOf(labels, home) ?? (labels.pod === undefined ? undefined : `${labels.namespace ?? ""}/Pod/${labels.pod}`)
  );
}

function calleeOf({ labels }: Series, home: Workload): string | undefined {
  const callee = workloadOfLabels(labels, home, "dst_");
  return callee && workloadKey(callee);
}

/** The home first, then its neighbours in the service graph, then theirs. */
function nearest(seen: readonly Seen[], home: Workload): readonly string[] {
  const calls = seen.flatMap(({ key, finding }) =>
    key === "calls" && finding.kind === "series" ? callsOf(finding.series, home) : [],
  );
  const reached = new Set([workloadKey(home)]);
  for (let remove = 0; remove < 2; remove += 1) {
    const before = new Set(reached);
    for (const { caller, callee } of calls) {
      if (before.has(caller)) reached.add(callee);
      if (before.has(callee)) reached.add(caller);
    }
  }
  return [...reached];
}

/** How far the newest quarter lies from the first half, in spreads of that half; 0 where there is too little. */
function changeOf({ points }: Series): number {
  const values = points.map(([, value]) => value).filter(Number.isFinite);
  const first = values.slice(0, Math.ceil(values.length / 2));
  const newest = values.slice(-Math.ceil(values.length / 4));
  if (first.length < 2) return 0;
  const usual = meanOf(first);
  const spread = Math.sqrt(meanOf(first.map((value) => (value - usual) ** 2)));
  const distance = Math.abs(meanOf(newest) - usual);
  return distance === 0 ? 0 : distance / (spread + 0.05 * Math.abs(usual) + 1e-9);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
