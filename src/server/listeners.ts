import { listen, type Route } from "../adapters/http/listener.ts";
import type { Settings } from "../settings/settings.ts";
import type { Faults } from "./observability/faults.ts";
import { placesOfPages } from "./pages/viewers.ts";
import { health, type Intake, internalRoutes, webhookRoutes } from "./routes.ts";

interface Served {
  readonly intake: Intake;
  readonly pages: readonly Route[];
  readonly metrics: Route;
}

/** The public listener for GitHub, the one inside the cluster, and that of the pages where nobody is authenticated. */
export async function listenAll(settings: Settings, { intake, pages, metrics }: Served, faults: Faults) {
  const at = { host: settings.host, onFault: (error: unknown) => faults.hear("request", error) };
  const webhooks = await listen(webhookRoutes(intake), { ...at, port: settings.webhookPort });
  const placed = placesOfPages(pages, settings.pages);
  // The pages come last: they answer for every path that is nobody's.
  const inside = [...internalRoutes(intake), metrics, ...placed.internal];
  const internal = await listen(inside, { ...at, port: settings.internalPort });
  const port = settings.pages.kind === "loopback" ? settings.pages.port : 0;
  const own = placed.loopback && (await listen([health, ...placed.loopback], { ...at, host: "127.0.0.1", port }));
  return { webhooks, internal, own };
}
