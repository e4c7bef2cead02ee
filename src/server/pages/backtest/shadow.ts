import { html } from "hono/html";
import { earnedIn, liveLines } from "../../../domain/backtest/advice.ts";
import type { PastRecord } from "../../../domain/backtest/record.ts";
import { unnamedOf } from "../../../domain/backtest/switching.ts";
import { type ClassRow, reportOf } from "../../../domain/backtest/report.ts";
import type { VerdictKind } from "../../../domain/backtest/verdict.ts";
import { renderDuration } from "../../../domain/text/duration.ts";
import { table, type TableRow } from "../parts/table.ts";
import { verdictMark } from "./report.ts";

/** What shadow mode came to, by class, and which classes have earned being switched on. */
export interface ShadowView {
  /** RFC 3339. */
  readonly since: string;
  readonly records: readonly PastRecord[];
  /** Where people edit the guardrails. */
  readonly editor: string | undefined;
  /** What is switched on already. */
  readonly isLive?: (row: ClassRow) => boolean;
  /** Those that the guardrails name; undefined where that is not known. */
  readonly namespaces?: readonly string[];
}

const number = (show: string | number) => ({ show, look: "number" as const });

/** Empty while nothing was in shadow mode. */
export function shadowPart({ since, records, editor, isLive = () => false, namespaces }: ShadowView) {
  if (records.length === 0) return "";
  const { classes, verdicts } = reportOf({ records, from: since, to: since });
  const unnamed = unnamedOf(classes, { isLive, ...(namespaces === undefined ? {} : { namespaces }) });
  const kinds = (Object.keys(verdicts) as VerdictKind[]).filter((kind) => verdicts[kind] > 0);
  const rows = earnedIn(classes).map(({ row, lacks }): TableRow => {
    const live = isLive(row) ? "live by now" : undefined;
    const earned = html`earned: ${liveLines(row).map((line) => html`<code>${line}</code> `)}${linkTo(editor)}`;
    return {
      cells: [
        html`${row.alert}<br /><span class="dim">${row.workload}</span>`,
        ...[number(row.incidents), number(row.verdicts.agreed + row.verdicts.earlier), number(row.verdicts.different)],
        number(row.leadMs === undefined ? "" : renderDuration(row.leadMs)),
        { show: live ?? lacks ?? earned, look: "long" },
      ],
    };
  });
  const heads = ["Alert and workload", "Times", "As people", "Different", "Lead", "To be switched on"];
  return html`<h2>Shadow mode (${records.length})</h2>
    <p>Since ${since.slice(0, 10)}: ${kinds.map((kind) => html`${verdictMark(kind, verdicts[kind])} `)}</p>
    ${table(heads, rows, "None.")}${unnamed === undefined ? "" : html`<p>${unnamed}.</p>`}`;
}

function linkTo(editor: string | undefined) {
  return editor === undefined ? "" : html`<a href="${editor}">edit the guardrails</a>`;
}
