import type { Incident } from "../../domain/incident/incident.ts";
import type { Observed } from "../collect/collect.ts";
import { type Diagnosed, outcomeCauseOf } from "../diagnose/diagnose.ts";
import type { ChangeRequest } from "../gate/change-request.ts";

/** What a diagnosis asks to be changed, with everything that the gate weighs. */
export function subjectOf(
  incident: Incident,
  about: { readonly observed: Observed; readonly diagnosis: Diagnosed; readonly precedents: readonly string[] },
): ChangeRequest {
  const { observed, diagnosis, precedents } = about;
  const { witnesses, taintedOnly, needsPerson, secondWitness } = diagnosis;
  return {
    ...{ incident, evidence: observed.evidence, cause: outcomeCauseOf(diagnosis), witnesses, taintedOnly },
    ...{ needsPerson, secondWitness, selfHealing: observed.selfHealing, precedents },
    ...{ limit: observed.threshold?.limit, closesWhenResolved: true },
  };
}
