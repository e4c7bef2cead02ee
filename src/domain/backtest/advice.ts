import { workloadOfKey } from "../kubernetes/workload.ts";
import { incidentsOf, timesOf } from "../text/how-many.ts";
import { renderDuration } from "../text/duration.ts";
import type { BacktestReport, ClassRow, Gap } from "./report.ts";
import type { PastRecord } from "./record.ts";

/** One line of the guardrails to begin with, and why. */
export interface AdvisedLine {
  readonly line: string;
  readonly because: string;
}

/** As often the same as people, and never something else: then a class has earned to be live. */
const leastAgreements = 3;

/** The classes that have earned being switched on, by numbers, and what is still lacking for the others. */
export function earnedIn(
  classes: readonly ClassRow[],
): readonly { readonly row: ClassRow; readonly lacks: string | undefined }[] {
  return classes.map((row) => ({ row, lacks: lackOf(row) ?? lackBesides(row, classes) }));
}

/** The lines that switch a class on name no workload: what people did elsewhere in their namespaces counts, too. */
function lackBesides(row: ClassRow, classes: readonly ClassRow[]): string | undefined {
  const switched = namespacesOf(row);
  const other = classes.find(
    (each) => each.alert === row.alert && each.verdicts.different > 0 && switched.some((name) => touches(each, name)),
  );
  return other && `people did something else on ${other.workload}, which the same line would switch on`;
}

function touches(row: ClassRow, namespace: string): boolean {
  return namespacesOf(row).includes(namespace);
}

function lackOf({ verdicts, remedies }: ClassRow): string | undefined {
  const same = verdicts.agreed + verdicts.earlier;
  if (verdicts.different > 0) return `${timesOf(verdicts.different)} people did something else`;
  if (same < leastAgreements) return `${same} of ${leastAgreements} times the same as people`;
  return remedies.length === 1 ? undefined : `it would have proposed ${remedies.length} kinds of remedy`;
}

/** The lines that switch one class on: one for each of its namespaces, because each of them can keep it in shadow mode. */
export function liveLines(row: ClassRow): readonly string[] {
  const { alert, remedies } = row;
  const remedy = remedies[0] === undefined ? "" : `, remedy: ${remedies[0]}`;
  return namespacesOf(row).map(
    (namespace) => `- { namespace: ${namespace}, alert: ${JSON.stringify(alert)}${remedy}, mode: live }`,
  );
}

/** Them all for several classes, as a list on one line. */
export function liveList(rows: readonly ClassRow[]): string {
  const lines = [...new Set(rows.flatMap(liveLines))];
  return `modes: [${lines.map((line) => line.slice(2)).join(", ")}]`;
}

/** Guardrails to begin with, computed from what was seen; every line with its reason. */
export function adviceOf(report: BacktestReport, records: readonly PastRecord[]): readonly AdvisedLine[] {
  const { classes, gaps } = report;
  const helped = classes.filter(({ verdicts }) => verdicts.agreed + verdicts.earlier > 0);
  const namespaces = sorted(helped.flatMap(({ targets }) => targets));
  const largest = largestNumber(records);
  return [
    { line: "mode: shadow", because: "everything runs and nothing is written until a class has earned it" },
    ...namespaceLines(namespaces, helped),
    ...(largest === undefined
      ? []
      : [{ line: `maxReplicas: ${largest}`, because: "the largest number that people and Rectify agreed on" }]),
    ...openPulls(records),
    ...criticalLines(classes),
    { line: "autoMerge: never", because: "a backtest verifies no outcome: trust is earned by merged changes only" },
    ...mappingLines(gaps),
    ...modeLines(classes),
  ];
}

/** For later, so it is a comment: to begin with, everything is looked at only. */
function modeLines(classes: readonly ClassRow[]): readonly AdvisedLine[] {
  const earned = earnedIn(classes).flatMap(({ row, lacks }) => (lacks === undefined ? [row] : []));
  if (earned.length === 0) return [];
  const reasons = earned.map(({ alert, verdicts, incidents, leadMs }) => {
    const lead = leadMs === undefined ? "" : `, ${renderDuration(leadMs)} sooner (median)`;
    return `${alert} ${verdicts.agreed + verdicts.earlier} of ${incidents} times the same as people${lead}`;
  });
  return [{ line: `# ${liveList(earned)}`, because: `for later: ${reasons.join("; ")}, never something else` }];
}

/** One list, as a file has it; names of workloads are for people to fill in. */
function mappingLines(gaps: readonly Gap[]): readonly AdvisedLine[] {
  const found = gaps.flatMap(({ kind, line, times, what }) => {
    const item = kind === "alert without workload" ? /^alerts: \[(\{.*\})\]/.exec(line)?.[1] : undefined;
    return item === undefined ? [] : [{ item, because: `${timesOf(times)} ${what}` }];
  });
  if (found.length === 0) return [];
  const line = `alerts: [${found.map(({ item }) => item).join(", ")}]`;
  return [{ line, because: `or ignore: true instead of workload: ${found.map(({ because }) => because).join("; ")}` }];
}

function namespaceLines(namespaces: readonly string[], helped: readonly ClassRow[]): readonly AdvisedLine[] {
  if (namespaces.length === 0)
    return [{ line: "namespaces: []", because: "nothing that it would have done is what people did" }];
  const same = helped.reduce((sum, { verdicts }) => sum + verdicts.agreed + verdicts.earlier, 0);
  return [
    {
      line: `namespaces: [${namespaces.join(", ")}]`,
      because: `there it would have done what people did, in ${incidentsOf(same)}`,
    },
  ];
}

function largestNumber(records: readonly PastRecord[]): number | undefined {
  const numbers = records.flatMap(({ would, verdict }) => {
    const isSame = verdict.kind === "agreed" || verdict.kind === "earlier";
    if (would.kind !== "proposed" || !isSame || would.remedy !== "scale" || would.to === undefined) return [];
    return [would.to, Number(verdict.theirs)].filter((value) => Number.isInteger(value));
  });
  return numbers.length === 0 ? undefined : Math.max(...numbers);
}

/** As many as were open at once at most, if each stayed open until its alert ended. */
function openPulls(records: readonly PastRecord[]): readonly AdvisedLine[] {
  const spans = records.flatMap(({ would, endedAt }) =>
    would.kind === "proposed" && endedAt !== undefined ? [[Date.parse(would.at), Date.parse(endedAt)] as const] : [],
  );
  const most = Math.max(0, ...spans.map(([at]) => spans.filter(([from, to]) => from <= at && at < to).length));
  if (most === 0) return [];
  const line = `maxOpenPulls: ${Math.min(50, most)}`;
  return [{ line, because: `${most} would have been open at once at most` }];
}

function criticalLines(classes: readonly ClassRow[]): readonly AdvisedLine[] {
  const doubtful = sorted(classes.filter(({ verdicts }) => verdicts.different > 0).map(({ workload }) => workload));
  if (doubtful.length === 0) return [];
  return [
    {
      line: `criticalWorkloads: [${doubtful.join(", ")}]`,
      because: "there people did something else than it would have proposed: a person always decides",
    },
  ];
}

/** That of the alerting workload, and those of what would be changed: the mode of each counts. */
export function namespacesOf({ workload, targets }: ClassRow): readonly string[] {
  return [...new Set([workloadOfKey(workload).namespace, ...targets])];
}

function sorted(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}
