import type { Evidence, EvidenceKey, Series } from "./evidence.ts";
import { type Workload, workloadKey } from "../kubernetes/workload.ts";

/** What a key says of one workload: its points over all items, oldest first, and the items they came from. */
interface SeriesSummary {
  readonly points: Series["points"];
  readonly newest: number;
  readonly highest: number;
  readonly from: readonly string[];
}

/** Series of one key for one workload; undefined when there is no finite point. */
export function seriesOf(
  evidence: readonly Evidence[],
  { key, workload, home }: { readonly key: EvidenceKey; readonly workload: Workload; readonly home: Workload },
): SeriesSummary | undefined {
  const wanted = workloadKey(workload);
  const from: string[] = [];
  const points: (readonly [number, number])[] = [];
  for (const { id, finding, key: itsKey } of evidence) {
    if (itsKey !== key || finding.kind !== "series") continue;
    const mine = finding.series
      .filter(({ labels }) => ownerKeyOf(labels, home) === wanted)
      .flatMap((series) => series.points)
      .filter(([, value]) => Number.isFinite(value));
    if (mine.length === 0) continue;
    from.push(id);
    points.push(...mine);
  }
  points.sort(([a], [b]) => a - b);
  const newest = points.at(-1)?.[1];
  if (newest === undefined) return undefined;
  return { points, newest, highest: points.reduce((most, [, value]) => Math.max(most, value), newest), from };
}

/**
 * Whose a series is, as a workload key. Without a name it is the `home`'s, for then the query asked about that one; a
 * pod whose workload is not known, or another namespace, is nobody's.
 */
export function ownerKeyOf(labels: Readonly<Record<string, string>>, home: Workload): string | undefined {
  const named = workloadOfLabels(labels, home);
  if (named) return workloadKey(named);
  const elsewhere = labels.namespace !== undefined && labels.namespace !== home.namespace;
  return labels.pod !== undefined || elsewhere ? undefined : workloadKey(home);
}

const kindByLabel = [
  ["deployment", "Deployment"],
  ["statefulset", "StatefulSet"],
  ["rollout", "Rollout"],
] as const;

/** The workload that labels name; undefined when they name none. The namespace is the home's unless they say another. */
export function workloadOfLabels(
  labels: Readonly<Record<string, string>>,
  home: Workload,
  prefix: "" | "dst_" = "",
): Workload | undefined {
  const found = kindByLabel.find(([label]) => labels[`${prefix}${label}`]);
  const name = found && labels[`${prefix}${found[0]}`];
  if (!name) return undefined;
  return { kind: found[1], namespace: labels[`${prefix}namespace`] ?? labels.namespace ?? home.namespace, name };
}
