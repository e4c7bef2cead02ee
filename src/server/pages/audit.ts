import { html } from "hono/html";
import { type AuditRow, auditProblems } from "../../domain/records/audit.ts";
import { page, type Part } from "./parts/layout.ts";
import { table } from "./parts/table.ts";
import { clock } from "./parts/when.ts";

const shown = 200;
const longestDetail = 400;

/** The newest rows of the log, all or those of one incident, with the verdict over the whole chain. */
export function auditPage(rows: readonly AuditRow[], incident: string | undefined): Promise<string> {
  const problems = auditProblems(rows);
  const verdict =
    problems.length === 0
      ? html`<p class="good">The chain of ${rows.length} rows is whole.</p>`
      : html`<p class="bad">${problems.join("; ")}</p>`;
  const wanted = incident === undefined ? rows : rows.filter((row) => row.incident === incident);
  const only =
    incident === undefined
      ? ""
      : html`<p>${wanted.length} rows of <a href="/incidents/${incident}">${incident}</a>. <a href="/audit">Show all</a></p>`;
  const older =
    wanted.length > shown
      ? html`<p class="dim">${wanted.length - shown} older rows: <code>rectify audit</code> exports them all.</p>`
      : "";
  return page(
    "Audit",
    html`${verdict}${only}${auditTable(wanted.slice(-shown).reverse(), incident === undefined)}${older}`,
  );
}

/** Rows of the log as people read them. */
export function auditTable(rows: readonly AuditRow[], namesIncident = false): Part {
  const heads = ["Time (UTC)", "Actor", "Action", ...(namesIncident ? ["Incident"] : []), "Detail"];
  const lines = rows.map(({ at, actor, action, incident, detail }) => ({
    cells: [
      { show: clock(at), look: "time" as const },
      actor,
      action,
      ...(namesIncident ? [incidentCell(incident)] : []),
      { show: detailOf(detail), look: "long" as const },
    ],
  }));
  return table(heads, lines, "Nothing was written yet.");
}

function incidentCell(incident: string): Part | string {
  return incident === ""
    ? ""
    : html`<a href="/audit?incident=${incident}" aria-label="only rows of ${incident}">${incident.slice(0, 8)}</a>`;
}

function detailOf(detail: AuditRow["detail"]): Part {
  const parts = Object.entries(detail).map(([name, value]) => {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
    const cut = text.length > longestDetail ? `${text.slice(0, longestDetail)} …` : text;
    return html`<dt>${name}</dt><dd>${cut}</dd>`;
  });
  return parts.length === 0 ? html`<span class="dim">none</span>` : html`<dl class="detail">${parts}</dl>`;
}
