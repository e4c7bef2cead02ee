import type { Store } from "../../adapters/postgres/store.ts";
import type { Alert } from "../../domain/incident/alert.ts";
import type { Concern } from "../../domain/incident/incident.ts";
import type { Concerns } from "../../ports/monitoring.ts";
import type { Telemetry } from "../../ports/runtime.ts";

interface Placing {
  readonly store: Pick<Store, "recordUnplaced" | "placed">;
  readonly concerns: Concerns;
  readonly telemetry: Telemetry;
}

// Each may take some questions to the cluster, which has others to answer.
const atOnce = 20;

/** Whom each alert concerns, in their order. */
export async function placeAlerts({ concerns }: Placing, alerts: readonly Alert[]): Promise<readonly Concern[]> {
  const placed: Concern[] = [];
  for (let from = 0; from < alerts.length; from += atOnce)
    placed.push(...(await Promise.all(alerts.slice(from, from + atOnce).map((alert) => concerns.of(alert)))));
  return placed;
}

/** Puts on record for people which of the firing ones lead nowhere: no alert is dropped without a word. */
export async function recordPlaces(
  { store, telemetry }: Placing,
  alerts: readonly { readonly alert: Alert; readonly concern: Concern }[],
): Promise<void> {
  const isPlaced = ({ kind }: Concern) => kind === "workload" || kind === "beside";
  await store.placed(alerts.flatMap(({ alert, concern }) => (isPlaced(concern) ? [alert] : [])));
  for (const { alert, concern } of alerts) {
    if (concern.kind === "workload" || concern.kind === "beside") continue;
    const isNew = await store.recordUnplaced(alert, concern);
    if (isNew) telemetry.log("", "intake", `alert ${alert.name}: ${unplacedText(concern)}`);
  }
}

/** What is said of an alert that opens no incident. */
export function unplacedText(concern: Exclude<Concern, { kind: "workload" }>): string {
  if (concern.kind === "beside") return concern.because;
  return `${concern.kind === "ignored" ? "ignored" : "observed only"}: ${concern.because}`;
}
