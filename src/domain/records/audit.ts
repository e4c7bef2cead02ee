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

/** How far a chain was read: so many rows, the last of which has this hash. */
interface AuditPlace {
  readonly rows: number;
  readonly hash: string;
}

/** What is wrong with the chain from there on, oldest first; empty when it is whole. */
export function auditProblems(rows: readonly AuditRow[], from: AuditPlace = { rows: 0, hash: "" }): readonly string[] {
  const problems: string[] = [];
  let previous = from.hash;
  for (const [index, row] of rows.entries()) {
    const number = from.rows + index + 1;
    if (row.previous !== previous) problems.push(`a row is missing before row ${number} (${row.at} ${row.action})`);
    if (auditHash(row.previous, row) !== row.hash) problems.push(`row ${number} (${row.at} ${row.action}) was changed`);
    previous = row.hash;
  }
  return problems;
}
