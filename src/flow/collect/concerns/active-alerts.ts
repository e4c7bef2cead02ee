import type { ActiveAlert } from "../../../domain/incident/firing.ts";
import { known } from "../../../ports/errors.ts";
import type { Ports } from "../../../ports/ports.ts";

/** What fires now, each with whom it concerns; undefined when Alertmanager gives no answer. */
export async function activeAlerts({
  alerts,
  concerns,
}: Pick<Ports, "alerts" | "concerns">): Promise<readonly ActiveAlert[] | undefined> {
  return known(async () => {
    const active = await alerts.active();
    return Promise.all(active.map(async (alert) => ({ alert, concern: await concerns.of(alert) })));
  });
}
