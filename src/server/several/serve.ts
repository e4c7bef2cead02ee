import { join } from "node:path";
import { fetchByProxies } from "../../adapters/http/proxy.ts";
import { listen } from "../../adapters/http/listener.ts";
import { startEmbeddedPostgres } from "../../adapters/postgres/server.ts";
import { Refused } from "../../ports/errors.ts";
import type { Telemetry } from "../../ports/runtime.ts";
import { nameOf, type Repository } from "../../settings/repository.ts";
import type { Settings } from "../../settings/settings.ts";
import { repeat } from "../jobs/repeat.ts";
import type { Faults } from "../observability/faults.ts";
import { placesOfPages } from "../pages/viewers.ts";
import { health } from "../routes.ts";
import { alertsFront, type Front, healthFront, pagesFront, webhookFront } from "./front.ts";
import { type Part, startPart } from "./part.ts";
import { placesOf, settingsAt } from "./places.ts";
import { retireRepositories } from "./retire.ts";

/** A running installation of several repositories. */
interface Several {
  readonly webhookPort: number;
  readonly internalPort: number;
  readonly pagesPort: number;
  /** The address of the records of each, as `owner/name` names it in the settings. */
  readonly databases: ReadonlyMap<string, string>;
  /** The number of its process, while it runs. */
  pidOf(repository: string): number | undefined;
  close(): Promise<void>;
}

interface SeveralOptions {
  readonly settings: Settings;
  readonly repositories: readonly Repository[];
  readonly telemetry: Telemetry;
  readonly faults: Faults;
  /** The command line, which is started again for each repository. */
  readonly program: string;
}

const retireEveryMs = 60_000;
// What one process takes of them, and room for those that only read.
const connectionsEach = 60;

/**
 * Serves several repositories: a process for each, with its own token, records, mirror and memory, behind one address
 * for alerts, webhooks and pages. A crash of one is a restart of that one. Throws `Refused` or `Unavailable`, naming the
 * repository, when one of them cannot start.
 */
export async function serveSeveral(options: SeveralOptions): Promise<Several> {
  const { settings, repositories, telemetry } = options;
  fetchByProxies(settings.proxies);
  const connections = connectionsEach * (repositories.length + 1);
  const directory = join(settings.dataDirectory, "postgres");
  const embedded = settings.databaseUrl === undefined ? await startEmbeddedPostgres(directory, connections) : undefined;
  const parts: Part[] = [];
  const stop = async () => {
    await Promise.all(parts.map((part) => part.close()));
    await embedded?.stop();
  };
  try {
    const url = settings.databaseUrl ?? embedded?.url ?? "";
    const { asked, others } = await placesOf(settings, url);
    const databases = new Map<string, string>();
    for (const [index, repository] of repositories.entries()) {
      const place = asked[index];
      if (place === undefined) throw new Error(`${nameOf(repository)} has no place`);
      databases.set(nameOf(repository), place.url);
      const own = partSettings(settingsAt(settings, repository, place), url);
      parts.push(await started(own, options));
    }
    const fronts = await openFronts(options, parts);
    const retiring = repeat(retireEveryMs, async () => void (await retireRepositories(others, telemetry)));
    void retiring.now();
    return {
      ...{ ...fronts.ports, databases },
      pidOf: (name) => parts.find(({ repository }) => repository === name)?.pid(),
      close: async () => {
        await retiring.stop();
        await fronts.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Its listeners are for this process alone; whoever may look at pages is asked again by it. */
function partSettings(settings: Settings, paceUrl: string): Settings {
  const { pages } = settings;
  return {
    ...settings,
    ...{ host: "127.0.0.1", webhookPort: 0, internalPort: 0, paceUrl },
    pages: pages.kind === "proxy" ? pages : { kind: "loopback", port: 0 },
  };
}

async function started(settings: Settings, { program, telemetry }: SeveralOptions): Promise<Part> {
  return startPart({ settings, program, telemetry }).catch((cause: Error) => {
    throw new Refused(`${nameOf(settings.repository)}: ${cause.message}`, { cause });
  });
}

async function openFronts({ settings, faults }: SeveralOptions, parts: readonly Part[]) {
  const at = { host: settings.host, onFault: (error: unknown) => faults.hear("request", error) };
  const front: Front = { parts, webhookSecret: settings.webhookSecret, alertsToken: settings.alerts.token };
  const placed = placesOfPages(pagesFront(front), settings.pages);
  const opened: Awaited<ReturnType<typeof listen>>[] = [];
  const open = async (...given: Parameters<typeof listen>) => {
    const listener = await listen(...given);
    opened.push(listener);
    return listener.port;
  };
  const close = async () => {
    await Promise.all(opened.map((listener) => listener.close()));
  };
  try {
    const webhookPort = await open([webhookFront(front), health], { ...at, port: settings.webhookPort });
    const inside = [alertsFront(front), health, ...healthFront(front), ...placed.internal];
    const internalPort = await open(inside, { ...at, port: settings.internalPort });
    const pagesPort =
      placed.loopback === undefined || settings.pages.kind === "proxy"
        ? internalPort
        : await open([health, ...placed.loopback], { ...at, host: "127.0.0.1", port: settings.pages.port });
    return { ports: { webhookPort, internalPort, pagesPort }, close };
  } catch (error) {
    await close();
    throw error;
  }
}
