import { html } from "hono/html";
import type { Evidence } from "../../../domain/evidence/evidence.ts";
import { findingOf } from "../../../domain/evidence/finding-text.ts";
import type { Part } from "../parts/layout.ts";
import { queryLinks } from "../parts/links.ts";
import { table, type TableRow } from "../parts/table.ts";
import type { IncidentView } from "./view.ts";

/** What was seen, with the query that gave it and where it can be repeated. */
export function evidencePart(evidence: readonly Evidence[], view: IncidentView): Part {
  const { uid } = view.record.incident;
  const capsule =
    view.capsule === undefined
      ? ""
      : html`<p><a href="/incidents/${uid}/capsule">Download the capsule</a>: <code>rectify replay</code> repeats the diagnosis from it, offline.</p>`;
  const rows = evidence.map((item) => rowOf(item, view));
  return html`${capsule}${table(["Id", "Source", "Seen", "Query"], rows, "Nothing was collected yet.")}`;
}

function rowOf(item: Evidence, { links }: IncidentView): TableRow {
  const { id, source, title, query, finding } = item;
  const elsewhere = queryLinks(links, source, query, item).map(
    ([name, address]) => html` <a href="${address}">${name}</a>`,
  );
  return {
    id,
    cells: [
      { show: id, look: "head" },
      source,
      {
        show: html`${title}<br /><span class="${finding.kind === "missing" ? "bad" : "dim"}">${findingOf(item)}</span>${linesOf(item)}`,
        look: "long",
      },
      { show: html`<code>${query}</code>${elsewhere}`, look: "long" },
    ],
  };
}

const mostLines = 20;

/** Text of others, closed until somebody opens it. */
function linesOf({ finding }: Evidence): Part | "" {
  if (finding.kind !== "text" || finding.lines.length === 0) return "";
  const more = finding.lines.length - mostLines;
  return html`<details>
    <summary>Lines</summary>
    <pre tabindex="0">${finding.lines.slice(0, mostLines).join("\n")}${more > 0 ? `\n… ${more} more in the capsule` : ""}</pre>
  </details>`;
}
