import { html } from "hono/html";
import type { Reply, Route } from "../../adapters/http/listener.ts";
import type { Store } from "../../adapters/postgres/store.ts";
import type { AutonomyView } from "../../flow/jobs/autonomy.ts";
import { auditPage, auditVerdict } from "./audit.ts";
import { autonomyPage } from "./autonomy.ts";
import { incidentPage } from "./incident/page.ts";
import { askedIn, filterOf, incidentsPage } from "./incidents.ts";
import { memoryPage, type MemoryView } from "./memory.ts";
import { favicon, page, pageHeaders } from "./parts/layout.ts";
import type { Links } from "./parts/links.ts";
import { type InboxView, systemPage, type SystemView } from "./system.ts";

type Records = Pick<
  Store,
  | "listIncidents"
  | "countIncidents"
  | "incident"
  | "eventsOf"
  | "capsule"
  | "stepCosts"
  | "exchangesOf"
  | "auditAfter"
  | "auditNewest"
  | "auditCount"
  | "auditOf"
  | "lastPullOf"
  | "waitingCount"
  | "parkedDeliveries"
>;

/** What is not in the records but known by those who run it; absent = no such page. */
export interface Live {
  readonly memory?: () => Promise<MemoryView>;
  readonly autonomy?: () => Promise<AutonomyView>;
  readonly system?: () => Promise<SystemView>;
  readonly links?: Links;
  readonly now?: () => Date;
}

const shown = 50;
const parkedShown = 200;
const refreshSeconds = 10;

/** A page, or where there is more to it what it is and how it is sent. */
type Answer = string | undefined | { readonly body: string; readonly headers: Readonly<Record<string, string>> };

/** The read-only pages. They show only what is on record and work without JavaScript. The last route is for the rest. */
export function pageRoutes(store: Records, live: Live = {}): Route[] {
  const { memory, autonomy, system } = live;
  const now = live.now ?? (() => new Date());
  const verdict = auditVerdict(store);
  const route = (path: string, answer: (url: URL) => Promise<Answer>): Route => ({
    method: "GET",
    path,
    answer: async ({ url }): Promise<Reply> => {
      // Postgres holds no such letter: nothing of that name is on record.
      const given = path !== "/" && url.href.includes("%00") ? undefined : await answer(url);
      if (given === undefined) return { status: 404, headers: pageHeaders, body: await notFound() };
      return typeof given === "string"
        ? { status: 200, headers: pageHeaders, body: given }
        : { status: 200, headers: { ...pageHeaders, ...given.headers }, body: given.body };
    },
  });
  return [
    iconRoute,
    capsuleRoute(store),
    route("/", async (url) => {
      const asked = askedIn(url);
      const filter = filterOf(asked, now());
      const list = store.listIncidents(filter, shown, asked.after);
      const [found, counts] = await Promise.all([list, store.countIncidents(filter)] as const);
      return incidentsPage({ asked, page: found, counts, links: live.links ?? {}, now: now() });
    }),
    route("/incidents/*", (url) => incidentAnswer(url, store, { links: live.links ?? {}, now: now() })),
    route("/memory", async () => memory && memoryPage(await memory())),
    route("/audit", ({ searchParams }) => auditPage(store, verdict, searchParams.get("incident") || undefined)),
    route("/autonomy", async () => autonomy && autonomyPage(await autonomy())),
    route("/system", async () => systemPage(await inboxIn(store), await system?.())),
    route("/*", async () => undefined),
  ];
}

/** One that goes on is asked for again by itself, by a header: the pages have no script. */
async function incidentAnswer(
  url: URL,
  store: Records,
  around: { readonly links: Links; readonly now: Date },
): Promise<Answer> {
  const uid = url.pathname.slice("/incidents/".length);
  const record = await store.incident(uid);
  if (record === undefined) return undefined;
  const [events, capsule, steps, exchanges, audit, pull] = await Promise.all([
    store.eventsOf(uid),
    store.capsule(uid),
    store.stepCosts(uid),
    store.exchangesOf(uid),
    store.auditOf(uid),
    store.lastPullOf(uid),
  ] as const);
  const refreshes = record.ending === undefined && !url.searchParams.has("still") ? refreshSeconds : undefined;
  const body = await incidentPage({ record, events, capsule, steps, exchanges, audit, pull, refreshes, ...around });
  return { body, headers: refreshes === undefined ? {} : { refresh: String(refreshes) } };
}

async function inboxIn(store: Records): Promise<InboxView> {
  return { waiting: await store.waitingCount(), parked: await store.parkedDeliveries(parkedShown) };
}

function notFound(): Promise<string> {
  return page("Not found", html`<p>Nothing is on record here. <a href="/">All incidents</a></p>`);
}

const iconRoute: Route = {
  method: "GET",
  path: "/favicon.svg",
  answer: async () => ({
    status: 200,
    headers: { "content-type": "image/svg+xml", "x-content-type-options": "nosniff", "cache-control": "max-age=86400" },
    body: favicon,
  }),
};

/** The capsule of an incident, as a file to keep. Other paths below `/incidents/` are pages. */
function capsuleRoute(store: Records): Route {
  return {
    method: "GET",
    path: "/incidents/*/capsule",
    answer: async ({ url }): Promise<Reply> => {
      const uid = url.pathname.slice("/incidents/".length, -"/capsule".length);
      const body = await store.capsule(uid);
      if (body === undefined) return { status: 404, body: "no capsule of such an incident" };
      const download = {
        "content-type": "application/json",
        "content-disposition": `attachment; filename="${uid.replace(/[^\w-]/g, "")}.capsule.json"`,
        "x-content-type-options": "nosniff",
      };
      return { status: 200, headers: download, body };
    },
  };
}
