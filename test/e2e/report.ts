import type { Moments, Outcome } from "./run-scenario.ts";
import type { Finding } from "./finding.ts";

export function versionLines(versions: Readonly<Record<string, string>>): string[] {
  return ["", "Real:", ...Object.entries(versions).map(([name, version]) => `  ${name.padEnd(24)} ${version}`)];
}

export function findingLines(title: string, findings: readonly Finding[]): string[] {
  const rows = findings.map(({ what, wrong, seen }) => {
    const verdict = wrong === undefined ? seen : `WRONG: ${wrong}${seen === "" ? "" : ` (${seen})`}`;
    return `  ${what.padEnd(52)} ${verdict}`;
  });
  return ["", `${title}:`, ...rows];
}

type Span = readonly [title: string, from: keyof Moments, to: keyof Moments];

const spans: readonly Span[] = [
  ["alert→PR", "fired", "proposed"],
  ["PR→merged", "proposed", "merged"],
  ["→synced", "merged", "synced"],
  ["→ready", "merged", "ready"],
  ["→resolved", "merged", "resolved"],
  ["→ended", "merged", "ended"],
];

/** Seconds between the points of each scenario; what follows the merge is counted from there. */
export function scenarioTable(outcomes: readonly Outcome[]): string[] {
  const row = (cells: readonly string[]) =>
    `  ${cells.map((cell, index) => cell.padEnd(index === 0 ? 22 : 11)).join("")}`;
  return [
    "",
    "Scenarios (seconds):",
    row(["scenario", "engine", ...spans.map(([title]) => title), "whole", ""]).trimEnd(),
    ...outcomes.map(({ scenario, engine, moments, seconds, wrong }) =>
      row([
        ...[scenario, engine, ...spans.map(([, from, to]) => between(moments[from], moments[to]))],
        ...[seconds.toFixed(1), wrong.length === 0 ? "passed" : "FAILED"],
      ]).trimEnd(),
    ),
  ];
}

function between(from: number | undefined, to: number | undefined): string {
  return from === undefined || to === undefined ? "-" : ((to - from) / 1000).toFixed(1);
}
