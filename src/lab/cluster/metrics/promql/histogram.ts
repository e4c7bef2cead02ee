import { grouped, type Item } from "./value.ts";

const bound = ["le"];

interface Bucket {
  readonly upTo: number;
  readonly count: number;
}

/** `histogram_quantile` on classic buckets: linear within the bucket, the highest finite bound beyond it. */
export function histogramQuantile(q: number, items: readonly Item[]): readonly Item[] {
  const groups = new Map<Item["labels"], Bucket[]>();
  for (const item of items) {
    const le = item.labels.le;
    if (le === undefined) continue;
    const labels = grouped(item.labels, "without", bound);
    const buckets = groups.get(labels) ?? [];
    groups.set(labels, buckets);
    buckets.push({ upTo: le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le), count: item.value });
  }
  return [...groups].map(([labels, buckets]) => ({ labels, value: quantileIn(q, buckets) }));
}

function quantileIn(q: number, unsorted: readonly Bucket[]): number {
  const buckets = [...unsorted].sort((a, b) => a.upTo - b.upTo);
  const last = buckets.at(-1);
  if (!last || last.upTo !== Number.POSITIVE_INFINITY || buckets.length < 2 || last.count === 0 || Number.isNaN(q))
    return Number.NaN;
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const rank = q * last.count;
  const index = buckets.findIndex(({ count }) => count >= rank);
  const bucket = buckets[index];
  const below = buckets[index - 1];
  if (!bucket || bucket.upTo === Number.POSITIVE_INFINITY) return buckets.at(-2)?.upTo ?? Number.NaN;
  if (!below && bucket.upTo <= 0) return bucket.upTo;
  const start = below?.upTo ?? 0;
  const within = bucket.count - (below?.count ?? 0);
  return start + (bucket.upTo - start) * ((rank - (below?.count ?? 0)) / within);
}
