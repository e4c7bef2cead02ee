// The severities that the field uses; any other name comes last.
const severities = ["critical", "page", "error", "warning", "info"];

/** 0 for the highest severity, more for lower ones; the highest number for a name that nobody knows. */
export function severityRank(severity: string): number {
  const known = severities.indexOf(severity);
  return known === -1 ? severities.length : known;
}
