import { html } from "hono/html";
import type { Store } from "../../adapters/postgres/store.ts";
import { type AuditRow, auditProblems } from "../../domain/records/audit.ts";
import { onceAtATime } from "../../adapters/http/repeat.ts";
import { page, type Part } from "./parts/layout.ts";
import { table } from "./parts/table.ts";
import { clock } from "./parts/when.ts";

const shown = 100;
const longestDetail = 400;
// Few enough that nothing else waits while they are read.
const atOnce = 500;
const mostProblems = 20;

type AuditLog = Pick<Store, "auditAfter" | "auditNewest" | "auditCount">;

interface Verdict {
  readonly rows: number;
  readonly problems: readonly string[];
}

/**
 * The verdict over the whole chain, asked again and again: the first look reads all of it, every later one what came
 * since, piece by piece.
 */
export function auditVerdict(log: Pick<AuditLog, "auditAfter">): () => Promise<Verdict> {
  let place = { id: 0, rows: 0, hash: "" };
  const problems: string[] = [];
  const read = async (): Promise<Verdict> => {
    for (;;) {
      const { rows, last } = await log.auditAfter(place.id, atOnce);
      problems.push(...auditProblems(rows, place).slice(0, mostProblems - problems.length));
      place = { id: last, rows: place.rows + rows.length, hash: rows.at(-1)?.hash ?? place.hash };
      if (rows.length < atOnce) return { rows: place.rows, problems: [...problems] };
    }
  };
  return onceAtATime(read).run;
}

/** The newest rows of the log, all or those of one incident, with the verdict over the whole chain. */
export async function auditPage(
  log: AuditLog,
  verdict: () => Promise<Verdict>,
  incident: string | undefined,
): Promise<string> {
  const { rows: length, problems } = await verdict();
  const rows = await log.auditNewest(incident, shown);
  const all = incident === undefined ? length : await log.auditCount(incident);
  const said =
    problems.length === 0
      ? html`<p class="good">The chain of ${length} rows is whole.</p>
          <p class="dim">Each was checked once since this process started: <code>rectify audit</code> checks all of them now.</p>`
      : html`<p class="bad">${problems.join("; ")}</p>`;
  const only =
    incident === undefined
      ? ""
      : html`<p>${all} rows of <a href="/incidents/${incident}">${incident}</a>. <a href="/audit">Show all</a></p>`;
  const older =
    all > rows.length
      ? html`<p class="dim">${all - rows.length} older rows: <code>rectify audit</code> exports them all.</p>`
      : "";
  return page("Audit", html`${said}${only}${auditTable(rows.reverse(), incident === undefined)}${older}`);
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
