import { earnedIn, leastAgreements, liveLine } from "./advice.ts";
import type { PastRecord } from "./record.ts";
import { reportOf } from "./report.ts";

/** What the weeks of shadow mode say, for the dashboard. */
export interface ShadowSummary {
  /** RFC 3339. */
  readonly since: string;
  readonly records: readonly PastRecord[];
  /** Where people edit the guardrails; undefined where that is not known. */
  readonly editor?: string | undefined;
}

/** The week in numbers, what each class still lacks, and the lines that switch on those that lack nothing. */
export function renderShadow({ since, records, editor }: ShadowSummary, code: (text: string) => string): string {
  const { incidents, verdicts, classes } = reportOf({ records, from: since, to: since });
  const counts = Object.entries(verdicts).flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : []));
  const rows = earnedIn(classes).slice(0, mostClasses);
  const lines = rows.map(({ row, lacks }) => {
    const name = `${code(row.alert)} on ${code(row.workload)}`;
    return lacks === undefined
      ? `- ${name} has earned it: ${leastAgreements} times or more the same as people, never something else`
      : `- ${name}: ${lacks}`;
  });
  const earned = rows.flatMap(({ row, lacks }) => (lacks === undefined ? [`  ${liveLine(row)}`] : []));
  const where = editor === undefined ? "`.github/rectify.yml`" : `[\`.github/rectify.yml\`](${editor})`;
  const how =
    earned.length === 0
      ? []
      : [`To switch on what has earned it, add this in ${where}:`, `\`\`\`yaml\nmodes:\n${earned.join("\n")}\n\`\`\``];
  const sum = `Since ${since.slice(0, 10)}: ${incidents} incidents${counts.length > 0 ? `, ${counts.join(", ")}` : ""}. Nothing was written.`;
  return ["## Shadow mode", sum, ...(lines.length === 0 ? [] : [lines.join("\n")]), ...how].join("\n\n");
}

const mostClasses = 40;
