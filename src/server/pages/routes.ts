import { html } from "hono/html";
import type { Reply, Route } from "../../adapters/http/listener.ts";
import type { Store } from "../../adapters/postgres/store.ts";
import { auditProblems } from "../../domain/records/audit.ts";
import type { AutonomyView } from "../../flow/jobs/autonomy.ts";
import { autonomyPage } from "./autonomy.ts";
import { incidentPage, incidentsPage } from "./incidents.ts";
import { clock, contentPolicy, page, table } from "./layout.ts";
import { memoryPage, type MemoryView } from "./memory.ts";
import { type InboxView, systemPage, type SystemView } from "./system.ts";

type Records = Pick<
  Store,
  | "incidents"
  | "incident"
  | "eventsOf"
  | "capsule"
  | "stepCosts"
  | "exchangesOf"
  | "auditRows"
  | "waitingCount"
  | "parkedDeliveries"
>;

/** What is not in the records but known by those who run it; absent = no such page. */
export interface Live {
  readonly memory?: () => Promise<MemoryView>;
  readonly autonomy?: () => Promise<AutonomyView>;
  readonly system?: () => Promise<SystemView>;
}

const shown = 200;
const headers = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": contentPolicy,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** The read-only pages. They show only what is on record and work without JavaScript. */
export function pageRoutes(store: Records, { memory, autonomy, system }: Live = {}): Route[] {
  const route = (path: string, answer: (url: URL) => Promise<string | undefined>): Route => ({
    method: "GET",
    path,
    answer: async ({ url }): Promise<Reply> => {
      const body = await answer(url);
      return body === undefined ? { status: 404, headers, body: await notFound() } : { status: 200, headers, body };
    },
  });
  return [
    capsuleRoute(store),
    route("/", async () => incidentsPage(await store.incidents(shown))),
    route("/incidents/*", async (url) => {
      const uid = url.pathname.slice("/incidents/".length);
      const record = await store.incident(uid);
      if (record === undefined) return undefined;
      const [events, capsule, steps, exchanges] = await Promise.all([
        ...([store.eventsOf(uid), store.capsule(uid), store.stepCosts(uid), store.exchangesOf(uid)] as const),
      ]);
      return incidentPage({ record, events, capsule, steps, exchanges });
    }),
    route("/memory", async () => memory && memoryPage(await memory())),
    route("/audit", async () => auditPage(await store.auditRows())),
    route("/autonomy", async () => autonomy && autonomyPage(await autonomy())),
    route("/system", async () => systemPage(await inboxIn(store), await system?.())),
  ];
}

async function inboxIn(store: Records): Promise<InboxView> {
  return { waiting: await store.waitingCount(), parked: await store.parkedDeliveries(shown) };
}

function notFound(): Promise<string> {
  return page("Not found", html`<p>Nothing is on record here. <a href="/">All incidents</a></p>`);
}

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

function auditPage(rows: Awaited<ReturnType<Records["auditRows"]>>): Promise<string> {
  const problems = auditProblems(rows);
  const verdict =
    problems.length === 0
      ? html`<p class="good">The chain of ${rows.length} rows is whole.</p>`
      : html`<p class="bad">${problems.join("; ")}</p>`;
  const lines = rows
    .slice(-shown)
    .reverse()
    .map(
      (row) => html`<tr>
        <td class="time">${clock(row.at)}</td>
        <td>${row.actor}</td>
        <td>${row.action}</td>
        <td><code>${JSON.stringify(row.detail)}</code></td>
      </tr>`,
    );
  return page(
    "Audit",
    html`${verdict}${table(["time", "actor", "action", "detail"], lines, "Nothing was written yet.")}`,
  );
}
