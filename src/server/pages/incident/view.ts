import type { IncidentEvent } from "../../../adapters/postgres/incidents/lineage.ts";
import type { IncidentRecord } from "../../../adapters/postgres/store.ts";
import type { AuditRow } from "../../../domain/records/audit.ts";
import type { Exchange, StepCost } from "../../../domain/records/step-cost.ts";
import type { Links } from "../parts/links.ts";

/** All that is on record of one incident, and what the page needs beside it. */
export interface IncidentView {
  readonly record: IncidentRecord;
  readonly events: readonly IncidentEvent[];
  /** The incident's capsule as stored, if it came that far. */
  readonly capsule: string | undefined;
  readonly steps: readonly StepCost[];
  readonly exchanges: readonly Exchange[];
  readonly audit: readonly AuditRow[];
  /** Its newest pull request. */
  readonly pull: number | undefined;
  readonly links: Links;
  readonly now: Date;
  /** Seconds after which the page is asked for again by itself. */
  readonly refreshes: number | undefined;
}
