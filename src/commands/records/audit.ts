import { auditProblems } from "../../domain/records/audit.ts";
import type { Told } from "../told.ts";
import { type Env, noRecords, openRecords } from "./records.ts";

export interface AuditQuestion {
  /** Only the rows of this incident; the chain is checked as a whole all the same. */
  readonly incident?: string | undefined;
  /** The hash of a row of an earlier export, which must still be there: rows cut off the end leave a whole chain. */
  readonly known?: string | undefined;
}

/**
 * The append-only log as JSON lines, oldest first, and what is wrong with its chain: code 1 with the row when one was
 * removed or changed.
 */
export async function exportAudit(
  { incident, known }: AuditQuestion,
  env: Env,
): Promise<Told & { readonly notes: readonly string[] }> {
  const store = await openRecords(env);
  if (store === undefined) return { lines: [], notes: [noRecords], code: 1 };
  try {
    const rows = await store.auditRows();
    // A log in which nothing ever was proves nothing: most likely it is another one's database.
    if (rows.length === 0) return { lines: [], notes: ["nothing was ever written to this log"], code: 1 };
    const lost = known !== undefined && !rows.some((row) => row.hash === known);
    const problems = [...auditProblems(rows), ...(lost ? [`no row has the hash ${known}: it was removed`] : [])];
    const state = problems.length === 0 ? "the chain is whole" : "the chain is broken";
    const newest = rows.at(-1);
    return {
      lines: rows
        .filter((row) => incident === undefined || row.incident === incident)
        .map((row) => JSON.stringify(row)),
      notes: [...problems, `${rows.length} rows, ${state}${newest ? `, the newest hash is ${newest.hash}` : ""}`],
      code: problems.length === 0 ? 0 : 1,
    };
  } finally {
    await store.close();
  }
}
