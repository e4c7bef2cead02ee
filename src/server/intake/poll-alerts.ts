import type { Alert } from "../../domain/incident/alert.ts";
import type { Alerts } from "../../ports/monitoring.ts";
import { type AlertIntake, startWorkflow, takeAlerts } from "./take-alerts.ts";

interface Polling extends AlertIntake {
  readonly alerts: Alerts;
}

// One that another process opens this very moment is left to it.
const startedWithinMs = 10_000;

/** Level-triggered: what fires is taken in, what is gone in two polls in a row is resolved, what was not started is. */
export async function pollAlerts(polling: Polling, absent: Map<string, number>): Promise<void> {
  const active = await polling.alerts.active();
  await taken(polling, active);
  const firing = new Set(active.map(keyOf));
  const over: Alert[] = [];
  for (const alert of await polling.store.firingAlerts(polling.cluster)) {
    const key = keyOf(alert);
    const missed = firing.has(key) ? 0 : (absent.get(key) ?? 0) + 1;
    if (missed === 1) absent.set(key, missed);
    else absent.delete(key);
    if (missed >= 2) over.push({ ...alert, status: "resolved" });
  }
  await taken(polling, over);
  for (const incident of await polling.store.unstarted(new Date(Date.now() - startedWithinMs))) {
    await startWorkflow(polling, incident);
  }
}

const keyOf = ({ fingerprint, startsAt }: Alert) => `${fingerprint}/${startsAt}`;

/** One that cannot be taken in is told; the others are. */
async function taken(polling: Polling, alerts: readonly Alert[]): Promise<void> {
  for (const item of await takeAlerts(polling, alerts)) {
    if (item.kind === "failed") polling.telemetry.log("", "intake", `an alert could not be taken in: ${item.because}`);
  }
}
