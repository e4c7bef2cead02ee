import type { Durable } from "../adapters/dbos/durable.ts";
import type { Store } from "../adapters/postgres/store.ts";
import type { Delivery } from "../adapters/postgres/incidents/inbox.ts";
import type { App } from "./github-app.ts";
import { type Alert, readAlertDelivery } from "../domain/incident/alert.ts";
import type { Candidate } from "../domain/proposal/caps.ts";
import { concernOf, openIncident } from "../domain/incident/incident.ts";
import { workloadKey } from "../domain/kubernetes/workload.ts";
import type { Alerts } from "../ports/monitoring.ts";
import type { Message } from "../ports/workflow.ts";
import type { Telemetry } from "../ports/runtime.ts";

export interface InboxOptions {
  readonly store: Store;
  readonly durable: Durable;
  readonly alerts: Alerts;
  readonly telemetry: Telemetry;
  readonly cluster: string;
  /** Hears what is said under a proposal that no story waits for any more. */
  readonly hearAfterwards: (pull: number, message: Extract<Message, { kind: "command" }>) => Promise<void>;
  /** Built late: the App itself wakes stories through this inbox. */
  readonly app: () => App;
}

/** Turns accepted deliveries into incidents and wake-ups, in the order of their arrival. */
export interface Inbox {
  /** Something was accepted: look now. */
  notify(): void;
  /** Asks Alertmanager itself, for what webhooks lost. */
  poll(): Promise<void>;
  wake(pull: number, message: Message, key: string): Promise<void>;
  /** Wakes the stories whose turn it is now, each once as long as it stays so. */
  wakeWaiting(ready: readonly Candidate[]): Promise<void>;
  close(): Promise<void>;
}

// A delivery that fails this often is parked with its raw bytes.
const maxTries = 5;
const idleLookMs = 1_000;

export function openInbox(options: InboxOptions): Inbox {
  let open = true;
  let ringing: (() => void) | undefined;
  let rung = false;
  const loop = (async () => {
    while (open) {
      const settled = await drain(options).catch(() => 0);
      if (settled > 0 || rung) {
        rung = false;
        continue;
      }
      await new Promise<void>((resume) => {
        ringing = resume;
        setTimeout(resume, idleLookMs);
      });
    }
  })();
  const ring = () => {
    rung = true;
    ringing?.();
  };
  const absent = new Map<string, number>();
  let roused: ReadonlySet<string> = new Set();
  return {
    notify: ring,
    poll: () => poll(options, absent),
    wake: async (pull, message, key) => {
      const workflow = await options.store.workflowOfPull(pull);
      if (workflow === undefined) return;
      await options.durable.send(workflow, message, key);
      if (message.kind === "command") await options.hearAfterwards(pull, message);
    },
    wakeWaiting: async (ready) => {
      const before = roused;
      roused = new Set(ready.map(({ incident }) => incident));
      for (const { incident, workload } of ready) {
        if (before.has(incident)) continue;
        const current = await options.store.openIncidentOf(workloadKey(workload));
        if (current) await options.durable.send(current.workflow, { kind: "turn" }, `turn/${incident}/${Date.now()}`);
      }
    },
    close: async () => {
      open = false;
      ring();
      await loop;
    },
  };
}

async function drain(options: InboxOptions): Promise<number> {
  const deliveries = await options.store.waiting(50);
  for (const delivery of deliveries) {
    const outcome = await settle(options, delivery).catch((error: Error) => {
      options.telemetry.log("", "intake", `delivery ${delivery.id} failed: ${error.message}`);
      return delivery.tries >= maxTries ? `parked: ${error.message}` : undefined;
    });
    if (outcome !== undefined) await options.store.settle(delivery.id, outcome);
  }
  return deliveries.length;
}

async function settle(options: InboxOptions, delivery: Delivery & { tries: number }): Promise<string> {
  // More tries than failures can explain: this one takes the process down.
  if (delivery.tries > maxTries) return "parked: the process died of it";
  const payload = parseJson(delivery.body);
  if (payload === undefined) return "ignored: not JSON";
  if (delivery.kind === "github") {
    const { event = "", delivery: id = "" } = delivery.headers;
    await options.app().receive({ id, name: event, payload });
    return "done";
  }
  const read = readAlertDelivery(payload);
  if (read.kind === "ignored") return `ignored: ${read.because}`;
  const outcomes: string[] = [];
  for (const alert of read.alerts) outcomes.push(await takeAlert(options, alert));
  // Cut off by the sender: the rest is asked for.
  if (read.truncated > 0) await poll(options, new Map());
  return outcomes.join("; ");
}

function parseJson(body: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

async function takeAlert(options: InboxOptions, alert: Alert): Promise<string> {
  const { store, durable } = options;
  const known = await store.incidentOfAlert(alert.fingerprint, alert.startsAt);
  if (known) {
    const change = await store.recordAlert(alert, known.uid);
    if (change === "changed" && !known.ended) await durable.send(known.workflow, { kind: "alert" }, keyOf(alert));
    return change === "known" ? "already known" : `${alert.status} recorded`;
  }
  if (alert.status === "resolved") return "ignored: resolved without a known firing";
  const concern = concernOf(alert);
  if (concern.kind === "nobody") return `observed only: ${concern.because}`;

  const opened = openIncident(options.cluster, concern.workload, alert);
  const isNew = await store.recordIncident(opened);
  const current = isNew ? undefined : await store.openIncidentOf(workloadKey(concern.workload));
  const uid = current?.incident.uid ?? opened.uid;
  await store.recordAlert(alert, uid);
  // Also after a crash between the record and the start: starting twice is safe.
  if (uid === opened.uid) await durable.start(opened.uid, opened);
  if (current) {
    await durable.send(current.workflow, { kind: "alert" }, keyOf(alert));
    return `joined ${uid}`;
  }
  // A scale-down that waits for its merge is not wanted any more.
  const lease = await store.leaseWorkflowOf(workloadKey(concern.workload));
  if (lease !== undefined) await durable.send(lease, { kind: "alert" }, keyOf(alert));
  options.telemetry.log(uid, "intake", `opened for ${alert.name} of ${workloadKey(concern.workload)}`);
  return `opened ${uid}`;
}

function keyOf(alert: Alert): string {
  return `${alert.fingerprint}/${alert.startsAt}/${alert.status}`;
}

/** Level-triggered: what fires is taken in, what is gone in two polls in a row is resolved. */
async function poll(options: InboxOptions, absent: Map<string, number>): Promise<void> {
  const active = await options.alerts.active();
  for (const alert of active) await takeAlert(options, alert);
  const firing = new Set(active.map((alert) => `${alert.fingerprint}/${alert.startsAt}`));
  for (const alert of await options.store.firingAlerts()) {
    const key = `${alert.fingerprint}/${alert.startsAt}`;
    const missed = firing.has(key) ? 0 : (absent.get(key) ?? 0) + 1;
    absent.set(key, missed);
    if (missed < 2) continue;
    absent.delete(key);
    await takeAlert(options, { ...alert, status: "resolved" });
  }
}
