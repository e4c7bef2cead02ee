import type { Alert } from "../../../domain/incident/alert.ts";
import type { ActiveAlert } from "../../../domain/incident/firing.ts";
import { known } from "../../../ports/errors.ts";
import type { Ports } from "../../../ports/ports.ts";

// Each may take some questions to the cluster, which has others to answer.
const atOnce = 20;

/**
 * What fires now, each with whom it concerns; undefined when Alertmanager gives no answer. In a storm thousands fire: whom
 * one concerns is only asked where `matters` says so.
 */
export async function activeAlerts(
  { alerts, concerns }: Pick<Ports, "alerts" | "concerns">,
  matters: (alert: Alert) => boolean = () => true,
): Promise<readonly ActiveAlert[] | undefined> {
  return known(async () => {
    const active = (await alerts.active()).filter(matters);
    const placed: ActiveAlert[] = [];
    for (let from = 0; from < active.length; from += atOnce) {
      const some = active.slice(from, from + atOnce);
      placed.push(...(await Promise.all(some.map(async (alert) => ({ alert, concern: await concerns.of(alert) })))));
    }
    return placed;
  });
}
