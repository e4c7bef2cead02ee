import { adviceOf } from "../../domain/backtest/advice.ts";
import type { PastRecord } from "../../domain/backtest/record.ts";
import type { BacktestReport } from "../../domain/backtest/report.ts";
import { renderDuration } from "../../domain/text/duration.ts";
import { incidentsOf, timesOf } from "../../domain/text/how-many.ts";
import { oneLine } from "../../domain/text/one-line.ts";

const most = 8;
const width = 80;

/** The report for a terminal of 80 columns. */
export function summaryLines(report: BacktestReport, records: readonly PastRecord[]): readonly string[] {
  const { verdicts, leadMs, savedMs, classes, calibration, gaps, unanswered, notes } = report;
  const counted = Object.entries(verdicts).flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : []));
  const lead = leadMs === undefined ? [] : [`${renderDuration(leadMs)} before people in the middle`];
  const saved = savedMs === 0 ? [] : [`${(savedMs / 3_600_000).toFixed(1)} h of on-call`];
  const left =
    unanswered === 1 ? "1 incident found no answer and is" : `${unanswered} incidents found no answer and are`;
  return [
    ...wrapped(`${incidentsOf(report.incidents)} from ${report.from} to ${report.to}; nothing was written`),
    ...(counted.length === 0 ? [] : wrapped([...counted, ...lead, ...saved].join(", "))),
    ...(unanswered === 0 ? [] : wrapped(`${left} not in it: run it again`)),
    ...notes.flatMap((note) => wrapped(oneLine(note, 300))),
    ...section(
      "By alert and workload",
      classes.slice(0, most).flatMap((row) => {
        const same = row.verdicts.agreed + row.verdicts.earlier;
        const { different } = row.verdicts;
        const about = `${timesOf(row.incidents)}, ${row.proposed} proposed, ${same} as people, ${different} different`;
        return wrapped(`${row.alert} ${row.workload}: ${about}`, "  ", "    ");
      }),
    ),
    ...section(
      "How sure it was",
      calibration.flatMap(({ from, to, compared, right }) => {
        const share = `${Math.round(right * 100)} % as people`;
        return wrapped(
          `${Math.round(from * 100)} to ${Math.round(to * 100)} %: ${incidentsOf(compared)}, ${share}`,
          "  ",
        );
      }),
    ),
    ...section(
      "What stood in the way",
      gaps
        .slice(0, most)
        .flatMap(({ times, what, line }) => [
          ...wrapped(`${timesOf(times)} ${oneLine(what, 160)}`, "  ", "    "),
          ...(line === "" ? [] : wrapped(`helps: ${line}`, "      ", "        ")),
        ]),
    ),
    // The reason above its line, so that all of it can be copied into the file.
    ...section(
      "Guardrails to begin with",
      adviceOf(report, records).flatMap(({ line, because }) => [
        ...wrapped(oneLine(because, 300), "  # ", "  # "),
        ...wrapped(line, "  ", line.startsWith("#") ? "  #   " : "    "),
      ]),
    ),
  ];
}

/** Broken between words, so that no line is longer than a terminal where a word is not. */
function wrapped(text: string, first = "", next = "  "): readonly string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of text.split(" ")) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      [line, isEmpty] = [next, true];
    }
    line = isEmpty ? line + word : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines];
}
