import { z } from "zod";

/** One Alertmanager alert. The same (fingerprint, startsAt) is the same alert, however often it is delivered. */
export interface Alert {
  readonly fingerprint: string;
  readonly name: string;
  readonly status: "firing" | "resolved";
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly startsAt: string;
  readonly generatorUrl: string;
  /** RFC 3339, of one that is resolved, where whoever said so told it. */
  readonly endsAt?: string | undefined;
}

/** `muted` = it fires, and nobody is told of it: it is silenced, inhibited, or outside of its times. */
export type SeenAlert = Alert & { readonly muted?: true };

/** True when every one of them is over; of no alert at all nothing is known. */
export function areResolved(alerts: readonly Alert[]): boolean {
  return alerts.length > 0 && alerts.every(({ status }) => status === "resolved");
}

// An end that lies further ahead than clocks differ is no time that anybody waits for.
const longestAheadMs = 60 * 60_000;

/**
 * `lingers` = every one of them is over, the last one for less than `lingerMs`: one that comes back is the same trouble.
 * An end that nobody dated counts at once.
 */
export function courseOf(alerts: readonly Alert[], now: Date, lingerMs: number): "fires" | "lingers" | "over" {
  if (!areResolved(alerts)) return "fires";
  const since = Math.min(...alerts.map(({ endsAt = "" }) => now.getTime() - (Date.parse(endsAt) || 0)));
  return since >= lingerMs || since < -longestAheadMs ? "over" : "lingers";
}

/** When the last of them ended, as each of them says; else when it was seen, RFC 3339. */
export function lastEndOf(alerts: readonly Alert[], seenAt: string): string {
  const last = Math.max(...alerts.map(({ endsAt }) => (endsAt === undefined ? Number.NaN : Date.parse(endsAt))));
  return areResolved(alerts) && last < Date.parse(seenAt) ? new Date(last).toISOString() : seenAt;
}

/** What a webhook body held. A shape we do not know is ignored with a reason, never an error to the sender. */
type AlertDelivery =
  | { readonly kind: "alerts"; readonly alerts: readonly Alert[]; readonly truncated: number }
  | { readonly kind: "ignored"; readonly because: string };

const Text = z.record(z.string(), z.string());
const instant = z.string().refine((text) => !Number.isNaN(Date.parse(text)), "not a time");
const Common = { labels: Text, annotations: Text.default({}), startsAt: instant, fingerprint: z.string().min(1) };
const WebhookAlert = z.object({
  ...Common,
  status: z.enum(["firing", "resolved"]),
  endsAt: z.string().optional(),
  generatorURL: z.string().default(""),
});
const Webhook = z.object({
  version: z.literal("4"),
  truncatedAlerts: z.number().int().nonnegative().default(0),
  alerts: z.array(z.unknown()),
});
const ActiveAlert = z.object({
  ...Common,
  status: z.object({ state: z.enum(["active", "suppressed", "unprocessed"]) }),
  generatorURL: z.string().default(""),
});

/** Reads an Alertmanager webhook, version 4. One unreadable alert does not lose its neighbours. */
export function readAlertDelivery(body: unknown): AlertDelivery {
  const parsed = Webhook.safeParse(body);
  if (!parsed.success) return { kind: "ignored", because: "not an Alertmanager webhook of version 4" };
  const alerts = parsed.data.alerts.flatMap((item) => {
    const alert = WebhookAlert.safeParse(item);
    return alert.success ? [withEnd(alertOf(alert.data, alert.data.status), alert.data.endsAt)] : [];
  });
  const unreadable = parsed.data.alerts.length - alerts.length;
  if (alerts.length === 0) {
    return { kind: "ignored", because: unreadable > 0 ? `${unreadable} alerts could not be read` : "no alerts in it" };
  }
  return { kind: "alerts", alerts, truncated: parsed.data.truncatedAlerts + unreadable };
}

/** Reads the answer of Alertmanager's `GET /api/v2/alerts`: what fires now, also what nobody is told of. */
export function readActiveAlerts(body: unknown): readonly SeenAlert[] {
  if (!Array.isArray(body)) return [];
  return body.flatMap((item): SeenAlert[] => {
    const alert = ActiveAlert.safeParse(item);
    if (!alert.success) return [];
    const fires = alertOf(alert.data, "firing");
    return [alert.data.status.state === "active" ? fires : { ...fires, muted: true }];
  });
}

/** Of one that fires it is a guess, and no time at all is year 1. */
function withEnd(alert: Alert, endsAt = ""): Alert {
  const end = Date.parse(endsAt);
  const isEnd = alert.status === "resolved" && end >= Date.parse(alert.startsAt);
  return isEnd ? { ...alert, endsAt: new Date(end).toISOString() } : alert;
}

type Read = Omit<z.infer<typeof WebhookAlert>, "status">;

function alertOf(read: Read, status: Alert["status"]): Alert {
  return {
    fingerprint: read.fingerprint,
    name: read.labels.alertname ?? "unnamed",
    status,
    labels: read.labels,
    annotations: read.annotations,
    startsAt: new Date(Date.parse(read.startsAt)).toISOString(),
    generatorUrl: read.generatorURL,
  };
}
