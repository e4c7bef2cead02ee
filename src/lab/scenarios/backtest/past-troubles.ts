import type { VerdictKind } from "../../../domain/backtest/verdict.ts";

/** What happened to one workload on one day of the past, in minutes from its beginning. */
export interface PastTrouble {
  readonly day: number;
  readonly workload: string;
  readonly alert: "HighRequestLatency" | "HighErrorRate";
  /** Requests per second while it lasts. */
  readonly load?: number;
  /** When the visitors leave, where they do by themselves. */
  readonly calmsAt?: number;
  /** A release that answers with errors. */
  readonly badRelease?: { readonly at: number; readonly tag: string };
  /** What a person commits, and when. */
  readonly person?: { readonly at: number } & PersonsChange;
  /** What the backtest must say of it. */
  readonly truth: VerdictKind;
}

type PersonsChange = { readonly replicas: number } | { readonly tag: string } | { readonly memory: string };

export const usualLoad = 60;
export const firstTag = "1.0.0";

/** Where each of them runs, and with how many replicas the past begins. */
export const pastWorkloads = [
  { name: "web", namespace: "shop", replicas: 2 },
  { name: "catalog", namespace: "shop", replicas: 2 },
  { name: "ledger", namespace: "payments", replicas: 2 },
] as const;

/** Two weeks: what people healed, what healed by itself, and what they tried in vain. */
export const pastTroubles: readonly PastTrouble[] = [
  {
    day: 1,
    workload: "web",
    alert: "HighRequestLatency",
    load: 190,
    person: { at: 35, replicas: 4 },
    truth: "earlier",
  },
  {
    day: 2,
    workload: "catalog",
    alert: "HighRequestLatency",
    load: 190,
    person: { at: 22, replicas: 3 },
    truth: "earlier",
  },
  { day: 3, workload: "web", alert: "HighRequestLatency", load: 390, calmsAt: 14, truth: "healed-by-itself" },
  {
    ...{ day: 4, workload: "web", alert: "HighErrorRate", badRelease: { at: 0, tag: "1.1.0" } },
    ...{ person: { at: 30, tag: firstTag }, truth: "earlier" },
  },
  {
    day: 6,
    workload: "ledger",
    alert: "HighRequestLatency",
    load: 190,
    person: { at: 40, replicas: 4 },
    truth: "refused",
  },
  {
    ...{ day: 8, workload: "web", alert: "HighRequestLatency", load: 390 },
    ...{ person: { at: 30, memory: "512Mi" }, calmsAt: 50, truth: "different" },
  },
  { day: 10, workload: "catalog", alert: "HighRequestLatency", load: 290, calmsAt: 12, truth: "healed-by-itself" },
  {
    day: 12,
    workload: "web",
    alert: "HighRequestLatency",
    load: 390,
    person: { at: 25, replicas: 8 },
    truth: "earlier",
  },
  {
    day: 13,
    workload: "catalog",
    alert: "HighRequestLatency",
    load: 290,
    person: { at: 6, replicas: 5 },
    truth: "agreed",
  },
];

/** A past with so many incidents: one workload a day is overrun and comes back by itself, three times. */
export function manyTroubles(wanted: number): { readonly troubles: readonly PastTrouble[]; readonly days: number } {
  const troubles = Array.from({ length: wanted }, (_, index): PastTrouble => {
    const workload = pastWorkloads[index % pastWorkloads.length]?.name ?? "web";
    const day = Math.floor(index / troublesADay) + ((index % troublesADay) * 3) / 24;
    const truth = workload === "ledger" ? "refused" : "healed-by-itself";
    return { day, workload, alert: "HighRequestLatency", load: 190, calmsAt: 20, truth };
  });
  return { troubles, days: Math.ceil(wanted / troublesADay) + 1 };
}

const troublesADay = 4;
