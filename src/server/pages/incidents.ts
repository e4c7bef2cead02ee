import { html } from "hono/html";
import type { IncidentFilter, IncidentLine, IncidentPage } from "../../adapters/postgres/incidents/list.ts";
import { endingClass, mark, page, type Part } from "./parts/layout.ts";
import { type Links, pullLink } from "./parts/links.ts";
import { table, type TableRow } from "./parts/table.ts";
import { ago, clock, lasting } from "./parts/when.ts";

/** What the address of the list may ask for. */
const asked = ["state", "workload", "alert", "text", "since", "after"] as const;
type Asked = Readonly<Partial<Record<(typeof asked)[number], string>>>;

const spans = { "1h": 3_600_000, "24h": 86_400_000, "7d": 7 * 86_400_000, "30d": 30 * 86_400_000 };
const longestValue = 200;

/** What the list shows, and for what. */
interface IncidentsView {
  readonly asked: Asked;
  readonly page: IncidentPage;
  readonly counts: ReadonlyMap<string, number>;
  readonly links: Links;
  readonly now: Date;
}

/** The filters of an address; what it does not know it leaves out. */
export function askedIn({ searchParams }: URL): Asked {
  const given = asked.flatMap((name) => {
    const value = (searchParams.get(name) ?? "").trim().slice(0, longestValue);
    return value === "" || value.includes("\u0000") ? [] : [[name, value]];
  });
  return Object.fromEntries(given) as Asked;
}

/** The same as the store takes it. */
export function filterOf({ state, workload, alert, text, since }: Asked, now: Date): IncidentFilter {
  const span = since !== undefined && Object.hasOwn(spans, since) ? spans[since as keyof typeof spans] : undefined;
  return { state, workload, alert, text, since: span === undefined ? undefined : new Date(now.getTime() - span) };
}

/** The incidents, open ones first, then newest first, with the filters of the address as links. */
export function incidentsPage(view: IncidentsView): Promise<string> {
  const { asked: given, page: shown, counts } = view;
  const open = shown.lines.filter(({ ending }) => ending === undefined);
  const ended = shown.lines.filter(({ ending }) => ending !== undefined);
  const isFiltered = Object.keys(given).some((name) => name !== "after");
  if (shown.lines.length === 0 && !isFiltered) return page("Incidents", nothingYet());
  const next =
    shown.next === undefined
      ? ""
      : html`<p><a rel="next" href="${addressOf({ ...given, after: shown.next })}">Next page</a></p>`;
  const first =
    given.after === undefined ? "" : html`<p><a href="${addressOf(without(given, "after"))}">First page</a></p>`;
  const body = html`${statesPart(given, counts)}${timesPart(given)}${chosenPart(given)}${searchPart(given)}
    ${open.length === 0 ? "" : html`<h2>Open</h2>${listOf(open, view)}`}
    ${ended.length === 0 ? "" : html`<h2>Ended</h2>${listOf(ended, view)}`}
    ${shown.lines.length === 0 ? html`<p>No incident fits. <a href="/">Show all</a></p>` : ""}
    ${first}${next}`;
  return page("Incidents", body);
}

function nothingYet(): Part {
  return html`<p>No incident yet.</p>
    <p class="dim">
      Alertmanager sends its alerts to <code>POST /alerts</code>; each workload that hurts becomes one incident here,
      with its evidence, causes and pull request. <code>rectify doctor</code> checks the way of an alert.
    </p>`;
}

function listOf(lines: readonly IncidentLine[], view: IncidentsView): Part {
  return table(
    ["State", "Opened", "Alert", "Workload", "Pull request", "Because"],
    lines.map((line) => rowOf(line, view)),
    "",
  );
}

function rowOf(line: IncidentLine, { asked: given, links, now }: IncidentsView): TableRow {
  const { uid, workload, alert, severity, openedAt, endedAt, ending, because, pull } = line;
  const address = pull === undefined ? undefined : pullLink(links, pull);
  const lasted = endedAt === undefined ? "" : `, for ${lasting(Date.parse(endedAt) - Date.parse(openedAt))}`;
  const only = (name: "alert" | "workload", value: string) =>
    given[name] === value
      ? ""
      : html` <a class="dim" href="${addressOf({ ...without(given, "after"), [name]: value })}" aria-label="only ${value}">only</a>`;
  return {
    cells: [
      mark(ending ?? "open", endingClass(ending)),
      {
        show: html`<time datetime="${openedAt}">${clock(openedAt)} UTC</time><br /><span class="dim">${ago(openedAt, now)}${lasted}</span>`,
        look: "time",
      },
      html`<a href="/incidents/${uid}">${alert}</a> <span class="dim">${severity}</span>${only("alert", alert)}`,
      html`${workload}${only("workload", workload)}`,
      pull === undefined ? "" : address === undefined ? `#${pull}` : html`<a href="${address}">#${pull}</a>`,
      { show: because ?? "", look: "long" },
    ],
  };
}

function statesPart(given: Asked, counts: ReadonlyMap<string, number>): Part {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const names = ["open", ...[...counts.keys()].filter((name) => name !== "open")];
  const rest = without(given, "state", "after");
  const links = [
    linkTo(rest, `all ${all}`, given.state === undefined),
    ...names.map((name) => linkTo({ ...rest, state: name }, `${name} ${counts.get(name) ?? 0}`, given.state === name)),
  ];
  return html`<ul class="filters"><li>State</li>${links}</ul>`;
}

function timesPart(given: Asked): Part {
  const rest = without(given, "since", "after");
  const links = [
    linkTo(rest, "any time", given.since === undefined),
    ...Object.keys(spans).map((span) => linkTo({ ...rest, since: span }, `last ${span}`, given.since === span)),
  ];
  return html`<ul class="filters"><li>Opened</li>${links}</ul>`;
}

/** What else is asked for, each with the link that drops it. */
function chosenPart(given: Asked): Part | "" {
  const chosen = (["workload", "alert", "text"] as const).filter((name) => given[name] !== undefined);
  if (chosen.length === 0) return "";
  const links = chosen.map(
    (name) =>
      html`<li>${name} <strong>${given[name] ?? ""}</strong> <a href="${addressOf(without(given, name, "after"))}" aria-label="drop the filter ${name}">drop</a></li>`,
  );
  return html`<ul class="filters"><li>Only</li>${links}</ul>`;
}

function searchPart(given: Asked): Part {
  const kept = (["state", "since", "workload", "alert"] as const).flatMap((name) => {
    const value = given[name];
    return value === undefined ? [] : [html`<input type="hidden" name="${name}" value="${value}" />`];
  });
  return html`<form action="/" method="get" role="search">
    ${kept}<label for="text">Text</label>
    <input id="text" name="text" type="search" value="${given.text ?? ""}" maxlength="${longestValue}" />
    <button type="submit">Search</button>
  </form>`;
}

function linkTo(given: Asked, words: string, isHere: boolean): Part {
  return isHere
    ? html`<li><a href="${addressOf(given)}" aria-current="true">${words}</a></li>`
    : html`<li><a href="${addressOf(given)}">${words}</a></li>`;
}

function addressOf(given: Asked): string {
  const query = new URLSearchParams(given);
  return query.size === 0 ? "/" : `/?${query}`;
}

function without(given: Asked, ...names: readonly (keyof Asked)[]): Asked {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.includes(name as keyof Asked)));
}
