import { bearsSecret, type Reply, type Route } from "../adapters/http/listener.ts";
import { withTimeout } from "../adapters/http/timeout.ts";
import type { Store } from "../adapters/postgres/store.ts";
import type { App } from "./github-app.ts";
import { readAlertDelivery } from "../domain/incident/alert.ts";
import { lastUrgency, urgencyOf } from "../domain/incident/storable.ts";
import { known, Unavailable } from "../ports/errors.ts";

export interface Intake {
  readonly store: Pick<Store, "accept" | "waitingCount" | "beat">;
  readonly app: Pick<App, "verify">;
  readonly alertsToken: string;
  readonly notify: () => void;
  /** Why what was accepted is not read just now. */
  readonly trouble?: () => string | undefined;
  /** What is not stored by then is refused. */
  readonly answerMs?: number;
}

const megabyte = 1024 * 1024;
const accepted: Reply = { status: 202, body: "accepted" };
// Half of what GitHub waits, and Alertmanager at least: a database that says nothing must not be waited for.
const defaultAnswerMs = 5_000;
// Above this many unread deliveries the sender is asked to come back.
const highWater = 10_000;

type Door = Omit<Route, "answer">;

/** Where GitHub's deliveries come in, before their signature is looked at. */
export const webhookDoor: Door = {
  ...{ method: "POST", path: "/webhooks/github", limit: 5 * megabyte },
  admit: (headers) => {
    if (headers["x-hub-signature-256"] === undefined) return { status: 401, body: "no signature" };
    if (headers["x-github-delivery"] === undefined) return { status: 400, body: "no delivery id" };
    return headers["content-type"]?.startsWith("application/json") ? undefined : { status: 415, body: "send JSON" };
  },
};

/** Where alerts come in, from those who know the secret. */
export const alertsDoor = (token: string): Door => ({
  ...{ method: "POST", path: "/alerts", limit: 8 * megabyte },
  admit: ({ authorization }) =>
    bearsSecret(authorization, token) ? undefined : { status: 401, body: "credentials, please" },
});

/** The public listener: GitHub's webhooks and nothing else. */
export function webhookRoutes(intake: Intake): Route[] {
  const within = withinOf(intake);
  return [
    {
      ...webhookDoor,
      answer: async ({ body, headers }) => {
        const signature = String(headers["x-hub-signature-256"]);
        // An odd signature makes the check throw instead of answering: that is a no, too.
        // eslint-disable-next-line rectify/failures -- the check is a vendor's
        const genuine = await intake.app.verify(body.toString("utf8"), signature).catch(() => false);
        if (!genuine) return { status: 401, body: "wrong signature" };
        const delivery = String(headers["x-github-delivery"]);
        const about = { event: String(headers["x-github-event"]), delivery };
        const isNew = await within(intake.store.accept("github", about, body, { delivery }));
        if (isNew) intake.notify();
        return accepted;
      },
    },
    health,
  ];
}

/** The listener inside the cluster: alerts, health. */
export function internalRoutes(intake: Intake): Route[] {
  const within = withinOf(intake);
  const waiting = onceASecond(() => within(intake.store.waitingCount()));
  const writes = onceASecond(async () => (await known(() => within(intake.store.beat()))) !== undefined);
  return [
    {
      ...alertsDoor(intake.alertsToken),
      answer: async ({ body }) => {
        if ((await waiting()) > highWater) throw new Unavailable("the inbox is full");
        await within(intake.store.accept("alerts", {}, body, { urgency: urgencyIn(body) }));
        intake.notify();
        return accepted;
      },
    },
    health,
    {
      method: "GET",
      path: "/readyz",
      answer: async () => {
        const readOnly = (await writes()) ? undefined : "the database takes no writes";
        const full = (await waiting()) > highWater ? "the inbox is full" : undefined;
        return answerReady(readOnly ?? full ?? intake.trouble?.());
      },
    },
  ];
}

function withinOf({ answerMs = defaultAnswerMs }: Intake) {
  return <T>(work: Promise<T>) => withTimeout(answerMs, work, "Postgres");
}

/** That the process lives; anybody may know. */
export const health: Route = { method: "GET", path: "/healthz", answer: async () => ({ status: 200, body: "ok" }) };

function answerReady(because: string | undefined): Reply {
  return because === undefined ? { status: 200, body: "ready" } : { status: 503, body: because };
}

/** What cannot be read waits behind what can. */
function urgencyIn(body: Buffer): number {
  try {
    const delivery = readAlertDelivery(JSON.parse(body.toString("utf8")));
    return delivery.kind === "alerts" ? urgencyOf(delivery.alerts) : lastUrgency;
  } catch {
    return lastUrgency;
  }
}

/** Asked once a second: to know it must not cost more than the work itself. */
function onceASecond<T>(ask: () => Promise<T>): () => Promise<T> {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined;
  return () => {
    if (last === undefined || Date.now() - last.at > 1000) {
      const asked = { at: Date.now(), answer: ask() };
      last = asked;
      asked.answer.catch(() => {
        if (last === asked) last = undefined;
      });
    }
    return last.answer;
  };
}
