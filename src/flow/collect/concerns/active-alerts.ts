import type { ActiveAlert } from "../../../domain/incident/firing.ts";
import { Refused, Unavailable } from "../../../ports/errors.ts";
import type { Ports } from "../../../ports/ports.ts";

/** What fires now, each with whom it concerns; undefined when Alertmanager gives no answer. */
export async function activeAlerts({
  alerts,
  concerns,
}: Pick<Ports, "alerts" | "concerns">): Promise<readonly ActiveAlert[] | undefined> {
  try {
    const active = await alerts.active();
    return await Promise.all(active.map(async (alert) => ({ alert, concern: await concerns.of(alert) })));
  } catch (error) {
    if (error instanceof Unavailable || error instanceof Refused) return undefined;
    throw error;
  }
}
