import type { PastRecord } from "../src/domain/backtest/record.ts";

export const kinds = [
  "agreed",
  "earlier",
  "different",
  "healed-by-itself",
  "no-remedy",
  "refused",
  "not-known",
] as const;
export type Kind = (typeof kinds)[number];

/** One incident in which web would have been scaled from 2 to 4. */
export function aPastRecord(kind: Kind, changes: Partial<PastRecord> = {}): PastRecord {
  const isRefused = kind === "refused" || kind === "no-remedy";
  const proposed: PastRecord["would"] = {
    kind: "proposed",
    at: "2026-11-20T03:01:00Z",
    ...{ confidence: 0.75, cause: "saturated", risk: "medium", remedy: "scale", to: 4 },
    ...{ change: "scale web from 2 to 4 replicas", target: changes.workload ?? "shop/Deployment/web" },
  };
  return {
    ...{
      uid: `u-${Math.abs(kinds.indexOf(kind))}`,
      alert: "HighLatency",
      workload: "shop/Deployment/web",
      severity: "critical",
    },
    ...{ startedAt: "2026-11-20T03:00:00Z", endedAt: "2026-11-20T03:30:00Z", missing: [], empty: [] },
    would: isRefused ? { kind, because: "12 replicas are outside 1 to 10 (guardrails)" } : proposed,
    verdict: { kind, because: "so", ...(kind === "earlier" ? { leadMs: 600_000, ours: "4", theirs: "5" } : {}) },
    ...changes,
  };
}
