import { createHash } from "node:crypto";

/** What has to be on record before a mutating call leaves. */
export interface AuditEntry {
  readonly incident: string;
  readonly actor: string;
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** One row of the append-only log. Its hash covers the row before it, so that a removed or changed row shows. */
export interface AuditRow extends AuditEntry {
  /** RFC 3339. */
  readonly at: string;
  readonly previous: string;
  readonly hash: string;
}

/** Hex SHA-256 over the hash before and the row; the empty text stands before the first row. */
export function auditHash(
  previous: string,
  { at, incident, actor, action, detail }: Omit<AuditRow, "hash" | "previous">,
): string {
  const row = JSON.stringify([previous, at, incident, actor, action, JSON.stringify(detail)]);
  return createHash("sha256").update(row).digest("hex");
}

/** What is wrong with the chain, oldest first; empty when it is whole. */
export function auditProblems(rows: readonly AuditRow[]): readonly string[] {
  const problems: string[] = [];
  let previous = "";
  for (const [index, row] of rows.entries()) {
    if (row.previous !== previous) problems.push(`a row is missing before row ${index + 1} (${row.at} ${row.action})`);
    if (auditHash(row.previous, row) !== row.hash)
      problems.push(`row ${index + 1} (${row.at} ${row.action}) was changed`);
    previous = row.hash;
  }
  return problems;
}
