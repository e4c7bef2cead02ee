import { type Lease, leaseOf } from "../src/domain/proposal/lease.ts";
import type { IncidentOutcome } from "../src/domain/proposal/outcome.ts";
import { anIncident } from "./builders.ts";
import { aPlan } from "./plan.ts";

export const begun = new Date("2026-11-24T03:00:00.000Z");

/** The lease of web, scaled from 2 to 4 for an hour by pull request 7. */
export function aLease(changes: Partial<Lease> = {}): Lease {
  const { remediation, effect, entry } = aPlan(4);
  const proposal = { number: 7 };
  const outcome = { ending: "recovered", because: "seen", remediation, effect, entry, proposal } as IncidentOutcome;
  const lease = leaseOf(anIncident(), outcome, begun, "1h");
  if (lease === undefined) throw new Error("the outcome begins no lease");
  return JSON.parse(JSON.stringify({ ...lease, ...changes }));
}
