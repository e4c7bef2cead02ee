import { repetitionMs, repetitionProblem } from "../../domain/gate/repetition.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import type { Ports } from "../../ports/ports.ts";
import type { Plan } from "./planned.ts";

/** Why this change is not proposed: it was merged and reverted a short time ago. */
export async function repetitionOf(
  { remediation: { kind, workload }, effect }: Pick<Plan, "remediation" | "effect">,
  { changes, clock }: Pick<Ports, "changes" | "clock">,
): Promise<string | undefined> {
  const now = clock.now();
  const since = new Date(now.getTime() - repetitionMs).toISOString();
  const attempts = (await changes?.revertedChanges(workloadKey(workload), since)) ?? [];
  return repetitionProblem({ kind, effect: effect.hash }, attempts, now);
}
