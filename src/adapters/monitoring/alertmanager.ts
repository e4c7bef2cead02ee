import { z } from "zod";
import { readActiveAlerts } from "../../domain/incident/alert.ts";
import type { Alerts } from "../../ports/monitoring.ts";
import { Refused, Unavailable } from "../../ports/errors.ts";
import { getJson, type JsonSource } from "../http/http.ts";

interface AlertmanagerOptions {
  readonly url: string;
  readonly authorization?: string | undefined;
  readonly secretFile?: JsonSource["secretFile"];
  readonly headers?: JsonSource["headers"];
  readonly deadlineMs?: number;
  /**
   * How long after its start it may not know every alert: Prometheus repeats them once a minute or so, and one that was
   * restarted without its data knows nothing until then. 0, the default, trusts it at once.
   */
  readonly warmUpMs?: number | undefined;
}

// A storm of ten thousand alerts is about as many kilobytes, and the worst moment to know nothing.
const mostBytes = 64 * 1024 * 1024;

const Status = z.object({ uptime: z.iso.datetime({ offset: true }) });

/** Alertmanager over its API v2: what fires now, silenced or not. Webhooks only make it faster. */
export function alertmanager(options: AlertmanagerOptions): Alerts {
  const source: JsonSource = { name: "Alertmanager", maxBytes: mostBytes, ...options };
  const query = { active: "true", silenced: "true", inhibited: "true" };
  return {
    active: async () => {
      await knowsEnough(source, options.warmUpMs ?? 0);
      const body = await getJson(source, "/api/v2/alerts", query);
      // An alert that is not seen counts as resolved: what cannot be read must never look like silence.
      if (!Array.isArray(body)) throw new Refused("Alertmanager: the answer is not a list of alerts");
      const alerts = readActiveAlerts(body);
      const unreadable = body.length - alerts.length;
      if (unreadable > 0) throw new Refused(`Alertmanager: ${unreadable} alerts have an unknown shape`);
      return alerts;
    },
  };
}

async function knowsEnough(source: JsonSource, warmUpMs: number): Promise<void> {
  if (warmUpMs === 0) return;
  const status = Status.safeParse(await getJson(source, "/api/v2/status"));
  if (!status.success) throw new Refused("Alertmanager: its status does not tell since when it runs");
  const upMs = Date.now() - Date.parse(status.data.uptime);
  if (upMs < warmUpMs)
    throw new Unavailable(
      `Alertmanager: it runs for ${Math.round(upMs / 1000)} s only and may not know every alert yet`,
    );
}
