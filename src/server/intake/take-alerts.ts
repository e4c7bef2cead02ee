import { createHash } from "node:crypto";
import type { Durable } from "../../adapters/dbos/durable.ts";
import type { AlertRecord, KnownAlert } from "../../adapters/postgres/incidents/alerts.ts";
import type { OpenIncident, Store } from "../../adapters/postgres/store.ts";
import type { Alert } from "../../domain/incident/alert.ts";
import { type Concern, openIncident } from "../../domain/incident/incident.ts";
import type { Concerns } from "../../ports/monitoring.ts";
import { severityRank } from "../../domain/incident/severity.ts";
import { storableAlert } from "../../domain/incident/storable.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import { Unavailable } from "../../ports/errors.ts";
import type { Telemetry } from "../../ports/runtime.ts";
import { placeAlerts, recordPlaces, unplacedText } from "./place-alerts.ts";

export interface AlertIntake {
  readonly store: Store;
  readonly durable: Pick<Durable, "start" | "send">;
  readonly concerns: Concerns;
  readonly telemetry: Telemetry;
  readonly cluster: string;
}

/** What came of one alert. `failed` = it alone could not be taken in, for a reason of its own. */
type Taken =
  | { readonly kind: "taken"; readonly outcome: string }
  | { readonly kind: "failed"; readonly because: string };

/**
 * Takes alerts in, many at once: each ends on record and with its incident's workflow started or woken. Whatever the
 * order in which they come, one that is over already opens nothing. Doing it twice is safe. Throws `Unavailable` when
 * Postgres is away; every other failure is that of single alerts, in the order of `alerts`.
 */
export async function takeAlerts(intake: AlertIntake, alerts: readonly Alert[]): Promise<readonly Taken[]> {
  if (alerts.length === 0) return [];
  try {
    const outcomes = await takeAll(intake, alerts);
    return outcomes.map((outcome) => ({ kind: "taken", outcome }));
  } catch (error) {
    if (error instanceof Unavailable) throw error;
    if (alerts.length === 1)
      return [{ kind: "failed", because: error instanceof Error ? error.message : String(error) }];
    // One of them is to blame: the others must not pay.
    const half = Math.ceil(alerts.length / 2);
    const first = await takeAlerts(intake, alerts.slice(0, half));
    return [...first, ...(await takeAlerts(intake, alerts.slice(half)))];
  }
}

/** All that was told of one alert (fingerprint, startsAt), in one or several copies. */
interface Told {
  readonly key: string;
  /** How it is put on record: over, if any copy says so. */
  readonly alert: Alert;
  readonly firing: Alert | undefined;
  /** Whom it concerns; only of those that are new. */
  readonly concern?: Concern;
  readonly original: string | undefined;
}

async function takeAll(intake: AlertIntake, alerts: readonly Alert[]): Promise<string[]> {
  const { store, cluster } = intake;
  const told = toldOnce(alerts);
  const all = [...told.values()];
  const known = await store.knownAlerts(
    cluster,
    all.map(({ alert }) => alert),
  );
  const outcomes = new Map<string, string>();
  const recurring = all.flatMap((item, index) => (known[index] === undefined ? [] : [{ item, known: known[index] }]));
  const unseen = await placed(
    intake,
    all.filter((_, index) => known[index] === undefined),
  );
  await recordKnown(intake, recurring, outcomes);
  const over = unseen.filter(({ firing }) => firing === undefined);
  await recordOver(intake, over, outcomes);
  await openOrJoin(
    intake,
    unseen.filter(({ firing }) => firing !== undefined),
    outcomes,
  );
  return alerts.map((alert) => outcomes.get(keyOf(storableAlert(alert).alert)) ?? "already known");
}

async function placed(intake: AlertIntake, unseen: readonly Told[]): Promise<readonly Told[]> {
  const concerns = await placeAlerts(
    intake,
    unseen.map(({ firing, alert }) => firing ?? alert),
  );
  const found = unseen.flatMap((item, index) => {
    const concern = concerns[index];
    return concern === undefined ? [] : [{ ...item, concern }];
  });
  await recordPlaces(
    intake,
    found.flatMap(({ firing, concern }) => (firing === undefined ? [] : [{ alert: firing, concern }])),
  );
  return found;
}

const keyOf = ({ fingerprint, startsAt }: Alert) => `${fingerprint}/${startsAt}`;

function toldOnce(alerts: readonly Alert[]): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const { alert, original } of alerts.map(storableAlert)) {
    const key = keyOf(alert);
    const before = told.get(key);
    const firing = alert.status === "firing" ? alert : before?.firing;
    const latest = before === undefined || alert.status === "resolved" ? alert : before.alert;
    told.set(key, { key, alert: latest, firing, original: original ?? before?.original });
  }
  return told;
}

/** Alerts that are on record: an end is new, a copy is not. */
async function recordKnown(
  intake: AlertIntake,
  recurring: readonly { readonly item: Told; readonly known: KnownAlert }[],
  outcomes: Map<string, string>,
): Promise<void> {
  if (recurring.length === 0) return;
  const { store, cluster } = intake;
  const records = recurring.map(({ item, known }): AlertRecord => ({ ...item, incident: known.incident?.uid }));
  const news = await store.recordAlerts(cluster, records);
  const woken = new Map<string, string[]>();
  for (const [index, { item, known }] of recurring.entries()) {
    const changed = news[index] === "changed";
    outcomes.set(item.key, changed ? `${item.alert.status} recorded` : "already known");
    const { incident } = known;
    if (incident === undefined || incident.ended) continue;
    if (changed && incident.started) {
      woken.set(incident.workflow, [...(woken.get(incident.workflow) ?? []), newsOf(item)]);
    }
  }
  await wake(intake, woken);
  // After a crash, or a failure of the engine, between the record and the start.
  const unstarted = recurring.flatMap(({ known: { incident } }) =>
    incident && !incident.ended && !incident.started ? [incident.uid] : [],
  );
  for (const uid of new Set(unstarted)) await startRecorded(intake, uid);
}

/** Resolved, and never seen to fire: kept, so that a firing notification that comes late opens nothing. */
async function recordOver({ store, cluster }: AlertIntake, over: readonly Told[], outcomes: Map<string, string>) {
  const concerning = over.filter(({ concern }) => concern?.kind === "workload");
  for (const { key } of over) outcomes.set(key, "ignored: resolved without a known firing");
  if (concerning.length > 0) {
    await store.recordAlerts(
      cluster,
      concerning.map((item) => ({ ...item, incident: undefined })),
    );
  }
}

interface Group {
  readonly workload: Workload;
  readonly items: readonly Told[];
}

/** New alerts: each workload's open incident takes them, or one is opened for them; the highest severity goes first. */
async function openOrJoin(intake: AlertIntake, firing: readonly Told[], outcomes: Map<string, string>): Promise<void> {
  const groups = groupsOf(firing, outcomes);
  if (groups.length === 0) return;
  const { store, cluster } = intake;
  const keys = groups.map(({ workload }) => workloadKey(workload));
  const open = new Map(
    (await store.openIncidents(cluster, keys)).map((item) => [workloadKey(item.incident.workload), item]),
  );
  const joined: (Group & { readonly incident: OpenIncident; readonly isNew: boolean })[] = [];
  for (const group of groups) {
    const current = open.get(workloadKey(group.workload));
    joined.push({ ...group, ...(current ? { incident: current, isNew: false } : await recordNew(intake, group)) });
  }
  const recordsOf = (as: (told: Told) => Alert | undefined) =>
    joined.flatMap(({ items, incident }) =>
      items.flatMap((told): AlertRecord[] => {
        const alert = as(told);
        return alert ? [{ alert, original: told.original, incident: incident.incident.uid }] : [];
      }),
    );
  await store.recordAlerts(
    cluster,
    recordsOf(({ firing: alert }) => alert),
  );
  // The end of an alert goes on record behind its beginning.
  const ends = recordsOf(({ alert }) => (alert.status === "resolved" ? alert : undefined));
  if (ends.length > 0) await store.recordAlerts(cluster, ends);
  const woken = new Map<string, string[]>();
  for (const { items, incident, isNew } of joined) {
    for (const { key } of items) outcomes.set(key, `${isNew ? "opened" : "joined"} ${incident.incident.uid}`);
    const [first] = items;
    const way = first?.concern?.kind === "workload" ? first.concern.way : undefined;
    if (isNew) await tellOpened(intake, incident, way);
    if (incident.started) woken.set(incident.workflow, items.map(newsOf));
    else await startWorkflow(intake, incident);
  }
  await wake(intake, woken);
}

const newsOf = ({ key, alert }: Told) => `${key}/${alert.status}`;

function groupsOf(firing: readonly Told[], outcomes: Map<string, string>): Group[] {
  const groups = new Map<string, { workload: Workload; items: Told[] }>();
  const rank = ({ alert }: Told) => severityRank(alert.labels.severity ?? "");
  const inOrder = firing.toSorted((a, b) => rank(a) - rank(b) || b.alert.startsAt.localeCompare(a.alert.startsAt));
  for (const item of inOrder) {
    const { concern } = item;
    if (concern?.kind !== "workload") {
      if (concern !== undefined) outcomes.set(item.key, unplacedText(concern));
      continue;
    }
    const key = workloadKey(concern.workload);
    const group = groups.get(key) ?? { workload: concern.workload, items: [] };
    group.items.push(item);
    groups.set(key, group);
  }
  return [...groups.values()];
}

// Far more incidents of one workload than can begin in one millisecond.
const mostAtOneInstant = 10_000;

/** Opens the incident of these alerts; another process may have been faster, and then it is that one's. */
async function recordNew(
  { store, cluster }: AlertIntake,
  { workload, items }: Group,
): Promise<{ readonly incident: OpenIncident; readonly isNew: boolean }> {
  const alert = items[0]?.firing;
  if (alert === undefined) throw new Error("no alert fires for this workload");
  for (let count = 0; count < mostAtOneInstant; count += 1) {
    const incident = openIncident(cluster, workload, alert, count);
    if (await store.recordIncident(incident)) {
      return { incident: { incident, workflow: incident.uid, started: false }, isNew: true };
    }
    const other = await store.openIncidentOf(workloadKey(workload), cluster);
    if (other) return { incident: other, isNew: false };
    // An incident of the same workload and instant has ended: this one is another.
  }
  throw new Error(`${mostAtOneInstant} incidents of ${workloadKey(workload)} began at ${alert.startsAt}`);
}

async function tellOpened(
  { store, durable, telemetry }: AlertIntake,
  { incident }: OpenIncident,
  way: string | undefined,
): Promise<void> {
  const key = workloadKey(incident.workload);
  // A scale-down that waits for its merge is not wanted any more.
  const lease = await store.leaseWorkflowOf(key);
  if (lease !== undefined) await durable.send(lease, { kind: "alert" }, keyOf(incident.alert));
  telemetry.log(
    incident.uid,
    "intake",
    `opened for ${incident.alert.name} of ${key}${way === undefined ? "" : ` (${way})`}`,
  );
}

/** Starts the workflow of an incident that is on record; one that cannot be started now is told, and tried again. */
export async function startWorkflow(
  { store, durable, telemetry }: Pick<AlertIntake, "store" | "durable" | "telemetry">,
  { incident, workflow }: Pick<OpenIncident, "incident" | "workflow">,
): Promise<void> {
  try {
    await durable.start(workflow, incident);
    await store.markStarted(incident.uid);
  } catch (error) {
    const because = error instanceof Error ? error.message : String(error);
    telemetry.log(incident.uid, "intake", `its workflow could not be started and is tried again: ${because}`);
  }
}

async function startRecorded(intake: AlertIntake, uid: string): Promise<void> {
  const record = await intake.store.incident(uid);
  const open = record && (await intake.store.openIncidentOf(workloadKey(record.incident.workload), intake.cluster));
  if (open?.incident.uid === uid && !open.started) await startWorkflow(intake, open);
}

/** One message for each workflow, however many alerts it is about: the state is read from the records. */
async function wake({ durable }: AlertIntake, woken: ReadonlyMap<string, readonly string[]>): Promise<void> {
  for (const [workflow, keys] of woken) {
    const digest = createHash("sha256").update(JSON.stringify(keys.toSorted())).digest("hex");
    await durable.send(workflow, { kind: "alert" }, `alerts/${digest}`);
  }
}
