import { oncePer } from "./once-per.ts";

/** A label set; the metric's name is `__name__`. */
export type Labels = Readonly<Record<string, string>>;

/** One value of one series, as a scrape sees it. */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** Times in Unix milliseconds, ascending. `NaN` is a stale marker: the series ended here. */
interface StoredSeries {
  readonly labels: Labels;
  readonly times: number[];
  readonly values: number[];
  /** The newest scrape that had it, as a revision of the store. */
  seen: number;
}

export interface Matcher {
  readonly label: string;
  readonly operator: "=" | "!=" | "=~" | "!~";
  readonly value: string;
}

export interface SeriesStore {
  /** Adds one scrape of a job. A series that the job's last scrape had and this one lacks gets a stale marker. */
  append(job: string, atMs: number, samples: readonly Sample[]): void;
  select(matchers: readonly Matcher[]): readonly StoredSeries[];
  all(): readonly StoredSeries[];
  /** Grows with each scrape. */
  revision(): number;
  /** When the first scrape was, Unix milliseconds: nothing is older. */
  since(): number;
}

/** Keeps the samples of the last `retentionMs`. */
export function createSeriesStore(retentionMs: number): SeriesStore {
  const known = knownSeries();
  const lastScrape = new Map<string, StoredSeries[]>();
  // A range query asks for the same selection at each of its steps; only a new series changes it.
  const selections = new WeakMap<readonly Matcher[], { readonly count: number; readonly found: StoredSeries[] }>();
  let revision = 0;
  let since = Number.POSITIVE_INFINITY;
  return {
    append: (job, atMs, samples) => {
      revision += 1;
      since = Math.min(since, atMs);
      const scraped: StoredSeries[] = [];
      for (const sample of samples) {
        const series = known.of(sample);
        add(series, atMs, sample.value, retentionMs);
        if (series.seen !== revision) scraped.push(series);
        series.seen = revision;
      }
      for (const series of lastScrape.get(job) ?? []) {
        if (series.seen !== revision) add(series, atMs, Number.NaN, retentionMs);
      }
      lastScrape.set(job, scraped);
    },
    select: (matchers) => {
      const before = selections.get(matchers);
      if (before?.count === known.count()) return before.found;
      const name = matchers.find((matcher) => matcher.label === "__name__" && matcher.operator === "=");
      const tests = matchers.map(testOf);
      const found = known.named(name?.value).filter((series) => tests.every((test) => test(series.labels)));
      selections.set(matchers, { count: known.count(), found });
      return found;
    },
    all: () => known.named(undefined),
    revision: () => revision,
    since: () => since,
  };
}

/** The series by name and labels. Label sets that come as the same object with each scrape are found fast. */
function knownSeries() {
  const byName = new Map<string, Map<string, StoredSeries>>();
  const byLabels = new Map<string, WeakMap<Labels, StoredSeries>>();
  let count = 0;
  const below = (name: string, labels: Labels) => {
    const group = byName.get(name) ?? new Map<string, StoredSeries>();
    byName.set(name, group);
    const key = labelKey(labels);
    const known = group.get(key);
    if (known !== undefined) return known;
    const made = { labels: { __name__: name, ...labels }, times: [], values: [], seen: 0 };
    group.set(key, made);
    count += 1;
    return made;
  };
  return {
    of: ({ name, labels }: Sample): StoredSeries => {
      const met = byLabels.get(name) ?? new WeakMap<Labels, StoredSeries>();
      byLabels.set(name, met);
      const found = met.get(labels) ?? below(name, labels);
      met.set(labels, found);
      return found;
    },
    /** All of them without a name. */
    named: (name: string | undefined): StoredSeries[] => {
      const groups = name === undefined ? [...byName.values()] : [byName.get(name) ?? new Map<string, StoredSeries>()];
      return groups.flatMap((group) => [...group.values()]);
    },
    count: () => count,
  };
}

/** The same text for the same label set, whatever the order of its labels. */
export const labelKey = oncePer((labels: Labels): string =>
  Object.keys(labels)
    .sort()
    .map((name) => `${name}\u0000${labels[name]}`)
    .join("\u0001"),
);

/** The index of the newest time that is not after `atMs`, among the first `count`; -1 when there is none. */
export function indexAt(times: readonly number[], atMs: number, count = times.length): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function add({ times, values }: StoredSeries, atMs: number, value: number, retentionMs: number): void {
  times.push(atMs);
  values.push(value);
  // Cut in lumps: shifting on every sample costs more than the memory is worth.
  const expired = indexAt(times, atMs - retentionMs) + 1;
  if (expired < 1000) return;
  times.splice(0, expired);
  values.splice(0, expired);
}

/** As in PromQL, a missing label is the empty string and a pattern must match the whole value. */
export function testOf({ label, operator, value }: Matcher): (labels: Labels) => boolean {
  if (operator === "=") return (labels) => (labels[label] ?? "") === value;
  if (operator === "!=") return (labels) => (labels[label] ?? "") !== value;
  const pattern = new RegExp(`^(?:${value})$`, "s");
  return (labels) => pattern.test(labels[label] ?? "") === (operator === "=~");
}
