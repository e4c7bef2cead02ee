import type { Evidence, EvidenceKey } from "../evidence/evidence.ts";

/** What a diagnosis had to do without, by title, each once. */
export interface Unseen {
  /** No answer, or a clear no. */
  readonly missing: readonly string[];
  /** Prometheus answered, and had no data. */
  readonly empty: readonly string[];
}

// What every workload with traffic has. Calls and throttling need not be there.
const measured: ReadonlySet<EvidenceKey | undefined> = new Set([
  ...(["requests", "error-share", "node-metrics", "cpu-used", "cpu-requested", "memory-used", "memory-limit"] as const),
  "restarts",
]);

/** Splits what was collected into what nobody answered and what had no data. */
export function unseenIn(evidence: readonly Evidence[]): Unseen {
  const titles = (of: (one: Evidence) => boolean) => [...new Set(evidence.filter(of).map(({ title }) => title))];
  return {
    missing: titles(({ finding }) => finding.kind === "missing"),
    empty: titles(({ key, finding }) => finding.kind === "series" && finding.series.length === 0 && measured.has(key)),
  };
}
