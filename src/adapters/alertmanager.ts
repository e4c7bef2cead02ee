import { readActiveAlerts } from "../domain/alert.ts";
import type { Alerts } from "../ports.ts";
import { getJson } from "./http.ts";

/** Alertmanager over its API v2: what fires now. Webhooks only make it faster. */
export function alertmanager(options: { readonly url: string; readonly authorization?: string | undefined }): Alerts {
  const source = { name: "Alertmanager", ...options };
  const query = { active: "true", silenced: "false", inhibited: "false" };
  return { active: async () => readActiveAlerts(await getJson(source, "/api/v2/alerts", query)) };
}
