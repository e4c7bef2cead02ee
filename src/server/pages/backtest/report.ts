import { percent } from "../../../domain/text/percent.ts";
import { html } from "hono/html";
import { type AdvisedLine, adviceOf } from "../../../domain/backtest/advice.ts";
import type { PastRecord } from "../../../domain/backtest/record.ts";
import type { BacktestReport, ClassRow, ConfidenceBand, Gap } from "../../../domain/backtest/report.ts";
import type { VerdictKind } from "../../../domain/backtest/verdict.ts";
import { renderDuration } from "../../../domain/text/duration.ts";
import { oneLine } from "../../../domain/text/one-line.ts";
import { mark, standalone } from "../parts/layout.ts";
import { table, type TableRow } from "../parts/table.ts";
import { clock } from "../parts/when.ts";

/** The whole report as one file: no script, nothing from elsewhere. */
export function backtestPage(report: BacktestReport, records: readonly PastRecord[]): Promise<string> {
  const body = html`${summaryPart(report)}
    <h2>Guardrails to begin with</h2>
    ${advicePart(adviceOf(report, records))}
    <h2>By alert and workload</h2>
    ${classTable(report)}
    <h2>How sure it was</h2>
    ${calibrationPart(report.calibration)}
    <h2>What stood in the way</h2>
    ${gapTable(report.gaps)}
    <h2>Incidents (${records.length})</h2>
    ${incidentTable(records)}`;
  return standalone("Backtest", body);
}

const looks = {
  ...{ agreed: "good", earlier: "good", different: "bad", refused: "wait", "no-remedy": "wait" },
  ...{ "healed-by-itself": "dim", "not-known": "dim" },
} as const satisfies Readonly<Record<VerdictKind, "good" | "bad" | "wait" | "dim">>;

const words = {
  ...{ agreed: "agreed", earlier: "earlier", different: "different", refused: "refused", "no-remedy": "no remedy" },
  ...{ "healed-by-itself": "healed by itself", "not-known": "not known" },
} as const satisfies Readonly<Record<VerdictKind, string>>;

/** A verdict as a small mark. */
export function verdictMark(kind: VerdictKind, count?: number) {
  return mark(count === undefined ? words[kind] : `${count} ${words[kind]}`, looks[kind]);
}

function summaryPart(report: BacktestReport) {
  const { from, to, incidents, verdicts, leadMs, savedMs, unanswered, notes } = report;
  const kinds = (Object.keys(words) as VerdictKind[]).filter((kind) => verdicts[kind] > 0);
  return html`<p class="lead">${incidents} incidents from ${clock(from)} to ${clock(to)} UTC. Nothing was written.</p>
    <p>${kinds.map((kind) => html`${verdictMark(kind, verdicts[kind])} `)}</p>
    ${leadMs === undefined ? "" : leadPart(leadMs, savedMs)}
    ${unanswered === 0 ? "" : html`<p class="bad">${unanswered} incidents found no answer and are not in it: run it again.</p>`}
    ${notes.map((note) => html`<p class="wait">${oneLine(note, 300)}.</p>`)}`;
}

function leadPart(leadMs: number, savedMs: number) {
  return html`<p>
    Where it would have done the same sooner, its pull request would have been open ${renderDuration(leadMs)} before
    people's commit (median), ${hours(savedMs)} of on-call in all.
  </p>`;
}

function hours(ms: number): string {
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

const number = (show: string | number) => ({ show, look: "number" as const });
const long = (show: string | ReturnType<typeof html>) => ({ show, look: "long" as const });

function advicePart(lines: readonly AdvisedLine[]) {
  const rows = lines.map(
    ({ line, because }): TableRow => ({ cells: [long(html`<code>${line}</code>`), long(because)] }),
  );
  return table(["Line of .github/rectify.yml", "Because"], rows, "Nothing was seen that would give advice.");
}

function classTable({ classes, currency }: BacktestReport) {
  const rows = classes.map((row): TableRow => {
    const cost = row.perMonth === undefined ? "" : `${row.perMonth.toFixed(2)} ${currency ?? ""}`;
    return {
      cells: [
        html`${row.alert}<br /><span class="dim">${row.workload}</span>`,
        ...[number(row.incidents), number(row.diagnosed), number(row.proposed), verdictsOf(row)],
        number(row.leadMs === undefined ? "" : renderDuration(row.leadMs)),
        number(row.savedMs === 0 ? "" : hours(row.savedMs)),
        number(cost),
      ],
    };
  });
  const heads = ["Alert and workload", "Times", "Diagnosed", "Proposed", "Verdicts", "Lead", "On-call", "Cost/month"];
  return table(heads, rows, "No alert led to a workload.");
}

function verdictsOf({ verdicts }: ClassRow) {
  const kinds = (Object.keys(words) as VerdictKind[]).filter((kind) => verdicts[kind] > 0);
  return html`${kinds.map((kind) => html`<span class="${looks[kind]}">${verdicts[kind]} ${words[kind]}</span><br />`)}`;
}

function calibrationPart(bands: readonly ConfidenceBand[]) {
  const rows = bands.map(({ from, to, compared, said, right }): TableRow => {
    const band = `${percent(from)} to ${percent(to)}`;
    return { cells: [number(band), number(compared), number(percent(said)), number(percent(right))] };
  });
  const about = "Only incidents in which people changed the workload and a change would have been proposed.";
  return html`<p class="dim">${about}</p>
    ${table(["Confidence", "Incidents", "Said (mean)", "As people"], rows, "None could be compared.")}`;
}

const mostGaps = 40;

function gapTable(gaps: readonly Gap[]) {
  const rows = gaps.slice(0, mostGaps).map(({ kind, times, what, line }): TableRow => {
    const helps = line === "" ? html`<span class="dim">a person decides</span>` : html`<code>${line}</code>`;
    return { cells: [number(times), kind, long(oneLine(what, 300)), long(helps)] };
  });
  const more = gaps.length > mostGaps ? html`<p class="dim">${gaps.length - mostGaps} more are not shown.</p>` : "";
  return html`${table(["Times", "Kind", "What", "What helps"], rows, "Nothing.")}${more}`;
}

function incidentTable(records: readonly PastRecord[]) {
  const rows = records.map(({ startedAt, endedAt, alert, workload, would, verdict }): TableRow => {
    const said = would.kind === "proposed" ? html`${would.change}<br />` : "";
    return {
      cells: [
        { show: `${clock(startedAt)}${endedAt === undefined ? " (still fires)" : ""}`, look: "time" },
        html`${alert}<br /><span class="dim">${workload}</span>`,
        verdictMark(verdict.kind),
        long(html`${said}<span class="dim">${oneLine(verdict.because, 400)}</span>`),
      ],
    };
  });
  const heads = ["Began (UTC)", "Alert and workload", "Verdict", "What it would have done, and why so"];
  return table(heads, rows, "None.");
}
