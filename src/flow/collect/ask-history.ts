import { historyQuery } from "../../domain/evidence/prom-queries.ts";
import type { Finding } from "../../domain/evidence/evidence.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { firingsOf, type SelfHealing, selfHealingOf } from "../../domain/evidence/self-healing.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import type { Ports } from "../../ports/ports.ts";
import { finestStepMs } from "../../ports/timings.ts";

// Prometheus refuses 11,000 points: over seven days this is one a minute.
const mostPoints = 10_000;

/** Would it have healed anyway? From the alert's own history; firings during which the workload was changed count apart. */
export async function askHistory(
  incident: Incident,
  { metrics, records, github, clock, timings }: Pick<Ports, "metrics" | "records" | "github" | "clock" | "timings">,
): Promise<{ readonly healing: SelfHealing; readonly finding: Finding; readonly query: string }> {
  const to = clock.now();
  const from = new Date(to.getTime() - timings.historyMs);
  const query = historyQuery(incident);
  const points = Math.min(mostPoints, Math.floor(timings.historyMs / (timings.leastStepMs ?? finestStepMs)));
  const { series, notes } = await metrics.range(query, from, to, { points });
  const merges = await records.mergesSince(workloadKey(incident.workload), from.toISOString());
  // What people repaired by a commit did not heal by itself. Whose commit it was would take a render of each.
  const touches = [...merges, ...(await github.commitsSince(from)).map(({ at }) => at)];
  const window = { stepSeconds: timings.historyMs / 1000 / points, endsAt: to.toISOString(), touches };
  const firings = series.slice(0, 1).flatMap((one) => firingsOf(one, window));
  // A part of the history would count gaps as recoveries.
  const healing: SelfHealing =
    notes.length > 0
      ? { kind: "unknown", because: `the history of the alert is not whole: ${notes[0] ?? ""}` }
      : selfHealingOf(firings, { withinMs: timings.selfHealMs, now: to.toISOString() });
  const facts = { firings: firings.length, touched: firings.filter(({ touched }) => touched).length };
  return { healing, query, finding: { kind: "facts", facts: { ...facts, verdict: healing.because }, notes } };
}
