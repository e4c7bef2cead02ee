import type { Alert, SeenAlert } from "../../domain/incident/alert.ts";
import type { Ending } from "../../domain/incident/incident.ts";
import { storableAlert } from "../../domain/incident/storable.ts";
import type { KnownAlert } from "../../adapters/postgres/incidents/alerts.ts";
import type { Alerts } from "../../ports/monitoring.ts";
import { type AlertIntake, startWorkflow, takeAlerts } from "./take-alerts.ts";

interface Polling extends AlertIntake {
  readonly alerts: Alerts;
}

/** What the poll before found to differ from the record: only what it finds twice in a row is believed. */
interface Doubted {
  /** Firing on record, and not seen. */
  absent: ReadonlySet<string>;
  /** Over on record, by itself or with its incident, and seen. */
  back: ReadonlySet<string>;
}

/** Before the first poll. */
export const nothingDoubted = (): Doubted => ({ absent: new Set(), back: new Set() });

// One that another process opens this very moment is left to it.
const startedWithinMs = 10_000;

/**
 * Level-triggered: what was not started is started, what fires is taken in. What is gone in two polls in a row is
 * resolved, and what is over on record and fires in two polls in a row fires again.
 */
export async function pollAlerts(polling: Polling, doubted: Doubted): Promise<void> {
  // For this nobody outside has to answer.
  for (const incident of await polling.store.unstarted(new Date(Date.now() - startedWithinMs))) {
    await startWorkflow(polling, incident);
  }
  const seen = await takeActive(polling);
  await resolveAbsent(polling, seen, doubted);
  await fireAgain(
    polling,
    seen.filter(({ muted }) => muted !== true),
    doubted,
  );
}

/** Takes in what fires; of what is silenced or inhibited people do not want to be told, and that it is there is known. */
export async function takeActive(polling: Polling): Promise<readonly SeenAlert[]> {
  const seen = await polling.alerts.active();
  await taken(
    polling,
    seen.filter(({ muted }) => muted !== true),
  );
  return seen;
}

async function resolveAbsent(polling: Polling, seen: readonly SeenAlert[], doubted: Doubted): Promise<void> {
  const there = new Set(seen.map(storedKeyOf));
  const missed = (await polling.store.firingAlerts(polling.cluster)).filter((alert) => !there.has(keyOf(alert)));
  const over = missed.filter((alert) => doubted.absent.has(keyOf(alert)));
  const first = missed.filter((alert) => !over.includes(alert));
  doubted.absent = new Set(first.map(keyOf));
  await taken(
    polling,
    over.map((alert) => ({ ...alert, status: "resolved", endsAt: new Date().toISOString() })),
  );
}

// They say that nothing fires any more: what fires all the same belongs to another incident.
const overEndings: ReadonlySet<Ending | undefined> = new Set(["recovered", "resolved-before-merge"]);

/**
 * A network between Prometheus and Alertmanager that was cut for a while ends an alert that never ended, and one may join
 * an incident while that one is ending: nothing else would ever look at it again.
 */
async function fireAgain(polling: Polling, seen: readonly SeenAlert[], doubted: Doubted): Promise<void> {
  const { store, cluster } = polling;
  const stored = seen.map((alert) => storableAlert(alert).alert);
  const known = await store.knownAlerts(cluster, stored);
  const strange = seen.flatMap((alert, at) => {
    const record = known[at];
    return record !== undefined && isOver(record) ? [{ alert, key: storedKeyOf(alert), record }] : [];
  });
  const twice = strange.filter(({ key }) => doubted.back.has(key));
  doubted.back = new Set(strange.filter((one) => !twice.includes(one)).map(({ key }) => key));
  for (const { alert, record } of twice) await revive(polling, alert, record);
}

/** Its incident is over, or it was over before anybody knew of one, or its end is on record while the incident goes on. */
function isOver({ status, incident }: KnownAlert): boolean {
  return status === "resolved" || overEndings.has(incident?.ending);
}

async function revive(polling: Polling, alert: Alert, { incident }: KnownAlert): Promise<void> {
  const { store, cluster, telemetry, durable } = polling;
  const stored = storableAlert(alert).alert;
  const tell = (what: string) =>
    telemetry.log(incident?.uid ?? "", "intake", `alert ${stored.name} fires, though it is over on record: ${what}`);
  if (incident === undefined || overEndings.has(incident.ending)) {
    tell("it opens an incident of its own");
    await store.unseeAlerts(cluster, [stored]);
    return taken(polling, [alert]);
  }
  tell(incident.ended ? `its incident ended with ${incident.ending}` : "its incident goes on with it");
  await store.fireAgain(cluster, [stored]);
  if (!incident.ended && incident.started) {
    await durable.send(incident.workflow, { kind: "alert" }, `${keyOf(stored)}/again/${Date.now()}`);
  }
}

const keyOf = ({ fingerprint, startsAt }: Alert) => `${fingerprint}/${startsAt}`;
const storedKeyOf = (alert: Alert) => keyOf(storableAlert(alert).alert);

/** One that cannot be taken in is told; the others are. */
async function taken(polling: Polling, alerts: readonly Alert[]): Promise<void> {
  for (const item of await takeAlerts(polling, alerts)) {
    if (item.kind === "failed") polling.telemetry.log("", "intake", `an alert could not be taken in: ${item.because}`);
  }
}
