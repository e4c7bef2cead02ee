import { readActiveAlerts } from "../domain/alert.ts";
import { type Alerts, Refused } from "../ports.ts";
import { getJson, type JsonSource } from "./http.ts";

export interface AlertmanagerOptions {
  readonly url: string;
  readonly authorization?: string | undefined;
  readonly deadlineMs?: number;
}

/** Alertmanager over its API v2: what fires now. Webhooks only make it faster. */
export function alertmanager(options: AlertmanagerOptions): Alerts {
  const source: JsonSource = { name: "Alertmanager", ...options };
  const query = { active: "true", silenced: "false", inhibited: "false" };
  return {
    active: async () => {
      const body = await getJson(source, "/api/v2/alerts", query);
      // An alert that is not seen counts as resolved: what cannot be read must never look like silence.
      if (!Array.isArray(body)) throw new Refused("Alertmanager: the answer is not a list of alerts");
      const alerts = readActiveAlerts(body);
      const unreadable = body.filter((item: unknown) => !isSuppressed(item)).length - alerts.length;
      if (unreadable > 0) throw new Refused(`Alertmanager: ${unreadable} alerts have an unknown shape`);
      return alerts;
    },
  };
}

function isSuppressed(item: unknown): boolean {
  const state = (item as { status?: { state?: unknown } } | null)?.status?.state;
  return state === "suppressed" || state === "unprocessed";
}
