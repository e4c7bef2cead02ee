import type { Evidence } from "../evidence/evidence.ts";
import type { Incident } from "../incident/incident.ts";
import { type Remediation, renderRemediation } from "../kubernetes/remediation.ts";

/** What a cost can be traced by. */
interface CostSource {
  readonly incident: Incident;
  readonly remediation: Remediation;
  readonly cause: { readonly sentence: string; readonly citing: readonly string[] };
  readonly evidence: readonly Evidence[];
}

/** The line from a cost back to what asked for it: change, cause, each cited item with its query, and the alert itself. */
export function costTrail({ incident, remediation, cause, evidence }: CostSource): readonly string[] {
  const cited = evidence.filter(({ id }) => cause.citing.includes(id));
  const { alert } = incident;
  return [
    `because of the change: ${renderRemediation(remediation)}`,
    `because of the cause: ${cause.sentence}`,
    ...cited.map(({ id, source, title, query }) => `shown by ${id}: ${title} (${source}: ${query})`),
    `asked for by the alert ${alert.name} since ${incident.startedAt}, fingerprint ${alert.fingerprint}`,
  ];
}
