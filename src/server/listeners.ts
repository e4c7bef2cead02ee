import { listen, type Route } from "../adapters/http/listener.ts";
import { githubSignIn } from "../adapters/http/github-sign-in.ts";
import { webAddress } from "../settings/links.ts";
import type { Ports } from "../ports/ports.ts";
import { covers } from "../settings/pages.ts";
import type { Settings } from "../settings/settings.ts";
import type { Faults } from "./observability/faults.ts";
import { placesOfPages } from "./pages/viewers.ts";
import { health, type Intake, internalRoutes, webhookRoutes } from "./routes.ts";

interface Served {
  readonly intake: Intake;
  readonly pages: readonly Route[];
  readonly metrics: Route;
  /** Who may look after a sign-in with GitHub. */
  readonly mayLook?: (login: string) => Promise<boolean>;
}

/** The public listener for GitHub, the one inside the cluster, and that of the pages where nobody is authenticated. */
export async function listenAll(settings: Settings, { intake, pages, metrics, mayLook }: Served, faults: Faults) {
  const at = { host: settings.host, onFault: (error: unknown) => faults.record("request", error) };
  const webhooks = await listen(webhookRoutes(intake), { ...at, port: settings.webhookPort });
  const placed = placesOfPages(pages, settings.pages, signInOf(settings, mayLook));
  // The pages come last: they answer for every path that is nobody's.
  const inside = [...internalRoutes(intake), metrics, ...placed.internal];
  const internal = await listen(inside, { ...at, port: settings.internalPort });
  const port = settings.pages.kind === "proxy" ? 0 : settings.pages.port;
  const alone = placed.open ?? placed.loopback;
  const host = placed.open === undefined ? "127.0.0.1" : settings.host;
  const own = alone && (await listen([health, ...alone], { ...at, host, port }));
  return { webhooks, internal, own };
}

/** What cannot be told about a person is a no. */
export function mayLookBy(people: Ports["people"], pages: Settings["pages"]): (login: string) => Promise<boolean> {
  const wanted = pages.kind === "github" ? pages.permission : "admin";
  return async (login) => covers(await people.permissionOf(login), wanted);
}

function signInOf({ pages, github }: Settings, mayLook: Served["mayLook"]) {
  if (pages.kind !== "github" || mayLook === undefined) return undefined;
  const { clientId, clientSecret, url } = pages;
  const urls = { webUrl: webAddress(github.apiUrl), apiUrl: github.apiUrl, redirectUri: `${url}/login/callback` };
  return { signIn: githubSignIn({ ...urls, clientId, clientSecret }), mayLook, now: Date.now };
}
