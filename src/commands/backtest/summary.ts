import { adviceOf } from "../../domain/backtest/advice.ts";
import type { PastRecord } from "../../domain/backtest/record.ts";
import type { BacktestReport } from "../../domain/backtest/report.ts";
import { renderDuration } from "../../domain/text/duration.ts";
import { oneLine } from "../../domain/text/one-line.ts";

const most = 8;

/** The report for a terminal. */
export function summaryLines(report: BacktestReport, records: readonly PastRecord[]): readonly string[] {
  const { verdicts, leadMs, savedMs, classes, calibration, gaps, unanswered, notes } = report;
  const counted = Object.entries(verdicts).flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : []));
  const lead = leadMs === undefined ? "" : `, ${renderDuration(leadMs)} before people in the middle`;
  return [
    `${report.incidents} incidents from ${report.from} to ${report.to}; nothing was written`,
    `${counted.join(", ")}${lead}${savedMs === 0 ? "" : `, ${(savedMs / 3_600_000).toFixed(1)} h of on-call`}`,
    ...(unanswered === 0 ? [] : [`${unanswered} incidents found no answer and are not in it: run it again`]),
    ...notes.map((note) => oneLine(note, 200)),
    ...section(
      "By alert and workload",
      classes.slice(0, most).map((row) => {
        const same = row.verdicts.agreed + row.verdicts.earlier;
        const about = `${row.incidents} times, ${row.proposed} proposed, ${same} as people, ${row.verdicts.different} different`;
        return `${row.alert} ${row.workload}: ${about}`;
      }),
    ),
    ...section(
      "How sure it was",
      calibration.map(({ from, to, compared, right }) => {
        const share = `${Math.round(right * 100)} % as people`;
        return `${Math.round(from * 100)} to ${Math.round(to * 100)} %: ${compared} incidents, ${share}`;
      }),
    ),
    ...section(
      "What stood in the way",
      gaps
        .slice(0, most)
        .map(
          ({ times, what, line }) =>
            `${times} times ${oneLine(what, 160)}${line === "" ? "" : `\n      helps: ${line}`}`,
        ),
    ),
    ...section(
      "Guardrails to begin with",
      adviceOf(report, records).map(({ line, because }) => `${line}  # ${oneLine(because, 160)}`),
    ),
  ];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}
