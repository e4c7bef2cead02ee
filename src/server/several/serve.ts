import { join } from "node:path";
import { fetchByProxies } from "../../adapters/http/proxy.ts";
import { listen } from "../../adapters/http/listener.ts";
import { startEmbeddedPostgres } from "../../adapters/postgres/server.ts";
import { Refused } from "../../ports/errors.ts";
import type { Telemetry } from "../../ports/runtime.ts";
import { nameOf, type Repository } from "../../settings/repository.ts";
import type { Settings } from "../../settings/settings.ts";
import { repeat } from "../../adapters/http/repeat.ts";
import type { Faults } from "../observability/faults.ts";
import { placesOfPages } from "../pages/viewers.ts";
import { health } from "../routes.ts";
import { alertsFront, type Front, healthFront, pagesFront, webhookFront } from "./front.ts";
import { keepPart, type Part } from "./part.ts";
import { placesOf, settingsAt } from "./places.ts";
import { retireRepositories, tellForeign } from "./retire.ts";
import { openUnserved } from "./unserved.ts";

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
 * for alerts, webhooks and pages. One that crashes or cannot start is started again, and the others go on. Throws `Refused`
 * or `Unavailable` when none of them can start, with the reason of each.
 */
export async function serveSeveral(options: SeveralOptions): Promise<Several> {
  const { settings, repositories, telemetry } = options;
  fetchByProxies(settings.proxies);
  const connections = connectionsEach * (repositories.length + 1);
  const directory = join(settings.dataDirectory, "postgres");
  const embedded = settings.databaseUrl === undefined ? await startEmbeddedPostgres(directory, connections) : undefined;
  const parts: Part[] = [];
  const closing: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closing.reverse()) await close();
    await Promise.all(parts.map((part) => part.close()));
    await embedded?.stop();
  };
  try {
    const url = settings.databaseUrl ?? embedded?.url ?? "";
    const { asked, others, foreign } = await placesOf(settings, url);
    tellForeign(foreign, telemetry);
    const databases = new Map<string, string>();
    for (const [index, repository] of repositories.entries()) {
      const place = asked[index];
      if (place === undefined) throw new Error(`${nameOf(repository)} has no place`);
      databases.set(nameOf(repository), place.url);
      const own = partSettings(settingsAt(settings, repository, place), url);
      parts.push(keepPart({ settings: own, program: options.program, telemetry }));
    }
    const fronts = await openFronts(options, parts);
    closing.push(fronts.close);
    await anyStarted(parts);
    const retiring = repeat(retireEveryMs, async () => void (await retireRepositories(others, telemetry)));
    closing.push(retiring.stop);
    void retiring.now();
    return {
      ...{ ...fronts.ports, databases },
      pidOf: (name) => parts.find(({ repository }) => repository === name)?.pid(),
      close: stop,
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

/** One that cannot start is tried again beside the others; throws where none of them can, which is a setting of all. */
async function anyStarted(parts: readonly Part[]): Promise<void> {
  const troubles = await Promise.all(parts.map(({ begun }) => begun));
  if (troubles.includes(undefined)) return;
  throw new Refused(parts.map(({ repository }, index) => `${repository}: ${troubles[index]}`).join("; "));
}

async function openFronts({ settings, faults, telemetry }: SeveralOptions, parts: readonly Part[]) {
  const at = { host: settings.host, onFault: (error: unknown) => faults.record("request", error) };
  const { webhookSecret, alerts } = settings;
  const front: Front = { parts, webhookSecret, alertsToken: alerts.token, unserved: openUnserved(telemetry) };
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
