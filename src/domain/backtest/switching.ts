import { isInShadow, type Modes } from "../guardrails/mode.ts";
import { earnedIn, liveLines, namespacesOf } from "./advice.ts";
import { incidentsOf } from "../text/how-many.ts";
import type { PastRecord } from "./record.ts";
import { type ClassRow, reportOf } from "./report.ts";

/** What the weeks of shadow mode say, for the dashboard. */
export interface ShadowSummary {
  /** RFC 3339. */
  readonly since: string;
  readonly records: readonly PastRecord[];
  /** Where people edit the guardrails; undefined where that is not known. */
  readonly editor?: string | undefined;
  /** The file has a list of `modes` already: the first that fits decides, so new lines come first. */
  readonly hasModes?: boolean;
  /** What is switched on already. */
  readonly isLive?: (row: ClassRow) => boolean;
  /** Those that the guardrails name; undefined where that is not known. */
  readonly namespaces?: readonly string[];
}

/** What a class that has earned it, or is live already, still lacks: only in a namespace that is named may it change anything. */
export function unnamedOf(
  classes: readonly ClassRow[],
  { isLive = () => false, namespaces }: NamedIn,
): string | undefined {
  if (namespaces === undefined) return undefined;
  const wanted = earnedIn(classes).flatMap(({ row, lacks }) => (lacks === undefined || isLive(row) ? row.targets : []));
  const unnamed = [...new Set(wanted)].filter((name) => !namespaces.includes(name));
  if (unnamed.length === 0) return undefined;
  return `${unnamed.join(", ")} must stand under namespaces: for that, or every change there is refused`;
}

type NamedIn = Pick<ShadowSummary, "isLive" | "namespaces">;

/** The weeks in numbers, what each class still lacks, and the lines that switch on those that lack nothing. */
export function renderShadow(summary: ShadowSummary, code: (text: string) => string): string {
  const { since, records, isLive = () => false } = summary;
  const { incidents, classes } = reportOf({ records, from: since, to: since });
  const rows = earnedIn(classes).slice(0, mostClasses);
  const byWeek = weeksOf(records).map(
    ([begin, own]) => `- week of ${begin}: ${incidentsOf(own.length)}, ${countsOf(own)}`,
  );
  const lines = rows.map(({ row, lacks }) => {
    const same = row.verdicts.agreed + row.verdicts.earlier;
    const earned = `has earned it: ${same} of ${row.incidents} times the same as people, never something else`;
    return `- ${code(row.alert)} on ${code(row.workload)}${isLive(row) ? " is live by now" : lacks === undefined ? ` ${earned}` : `: ${lacks}`}`;
  });
  const earned = rows.flatMap(({ row, lacks }) => (lacks === undefined && !isLive(row) ? liveLines(row) : []));
  const toAdd = [...new Set(earned)];
  const sum = `Since ${since.slice(0, 10)}: ${incidentsOf(incidents)}${incidents > 0 ? `, ${countsOf(records)}` : ""}. Nothing was written.`;
  const weeks = byWeek.length > 1 ? [byWeek.join("\n")] : [];
  const unnamed = unnamedOf(classes, summary);
  const listed = lines.length === 0 ? [] : [lines.join("\n")];
  const parts = [sum, ...weeks, ...listed, ...howTo(toAdd, summary), ...(unnamed === undefined ? [] : [unnamed])];
  return ["## Shadow mode", ...parts].join("\n\n");
}

function howTo(earned: readonly string[], { editor, hasModes }: ShadowSummary): readonly string[] {
  if (earned.length === 0) return [];
  const where = editor === undefined ? "`.github/rectify.yml`" : `[\`.github/rectify.yml\`](${editor})`;
  const block = hasModes === true ? earned : ["modes:", ...earned.map((line) => `  ${line}`)];
  const what =
    hasModes === true ? "these lines first under `modes:`" : "this (in place of `modes: []`, if it is there)";
  return [`To switch on what has earned it, add ${what} in ${where}:`, `\`\`\`yaml\n${block.join("\n")}\n\`\`\``];
}

const mostClasses = 40;

function countsOf(records: readonly PastRecord[]): string {
  const { verdicts } = reportOf({ records, from: "", to: "" });
  return Object.entries(verdicts)
    .flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : []))
    .join(", ");
}

function weeksOf(records: readonly PastRecord[]): readonly (readonly [string, readonly PastRecord[]])[] {
  const weeks = new Map<string, PastRecord[]>();
  for (const record of records) {
    const begin = new Date(weekOf(Date.parse(record.startedAt))).toISOString().slice(0, 10);
    weeks.set(begin, [...(weeks.get(begin) ?? []), record]);
  }
  return [...weeks].sort(([one], [other]) => (one < other ? 1 : -1));
}

export const weekMs = 7 * 24 * 3_600_000;
const firstMonday = 4 * 24 * 3_600_000;

/** The Monday on which the week of a time began, both in Unix milliseconds. */
export function weekOf(time: number): number {
  return Math.floor((time - firstMonday) / weekMs) * weekMs + firstMonday;
}

/** Whether the guardrails of now have switched a class on, by the remedy that it mostly comes to. */
export function isLiveClass(modes: Modes, row: ClassRow): boolean {
  const [remedy] = row.remedies;
  return remedy !== undefined && !isInShadow(modes, { alert: row.alert, namespaces: namespacesOf(row), remedy });
}
