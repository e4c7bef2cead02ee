import { z } from "zod";
import { getJson } from "../../adapters/http/http.ts";
import { alertRouteOf } from "./alert-route.ts";
import { bad, failed, type DoctorFinding, good, skipped } from "./finding.ts";
import { parseYaml } from "../../manifests/yaml/yaml.ts";
import type { Settings } from "../../settings/settings.ts";

const Status = z.object({ config: z.object({ original: z.string() }) });

const point = "alert route";

/** Whether Alertmanager's route leads to our intake, as far as it tells its own configuration. */
export async function examineRoute({ alertmanager: endpoint, internalPort }: Settings): Promise<DoctorFinding> {
  const fix = `give Alertmanager a route to a webhook receiver http://…:${internalPort}/alerts (manifests/alertmanager)`;
  try {
    const status = Status.safeParse(await getJson({ name: "Alertmanager", ...endpoint }, "/api/v2/status"));
    const parsed = status.success ? parseYaml(status.data.config.original) : undefined;
    const route = alertRouteOf(parsed?.ok ? parsed.value : undefined);
    switch (route.kind) {
      case "routed":
        return good(point, `Alertmanager's receiver ${route.receiver} sends to ${route.url}`);
      case "unrouted":
        return bad(point, `no route of Alertmanager leads to its receiver ${route.receiver}, which is ours`, fix);
      case "hidden": {
        const names = route.receivers.join(", ");
        return skipped(point, `Alertmanager hides the addresses of its receivers (${names}): send it a test alert`);
      }
      case "elsewhere":
        return bad(point, "Alertmanager has no receiver that sends to /alerts, so that no alert comes by itself", fix);
      case "unreadable":
        return skipped(point, "Alertmanager does not tell its configuration in a way that can be read");
    }
  } catch (error) {
    return failed(point, "see that ALERTMANAGER_URL is right (API v2), and ALERTMANAGER_TOKEN if it needs one")(error);
  }
}
