import type { Rollback } from "../src/domain/proposal/rollback.ts";
import { anIncident } from "./builders.ts";
import { aPlan } from "./plan.ts";

/** Ann wants the scale-up of web from 2 to 4 back, which pull request 7 made. */
export function aRollback(changes: Partial<Rollback> = {}): Rollback {
  const { remediation, effect } = aPlan(4);
  return {
    ...{ incident: anIncident(), remediation, effect, pull: 7, latestPull: 7, by: "ann", comment: 5 },
    ended: "recovered: it is back",
    ...changes,
  };
}
