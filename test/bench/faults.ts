import { faultIds, faultRows } from "../faults/rows.ts";
import type { FaultRow } from "../faults/row.ts";
import { realKyverno } from "../policies.ts";

/**
 * Runs the rows of the fault catalogue by family and prints one JSON object for each: an id is ok when all of its cases
 * passed. The last object is the total; each case that fails has a line on stderr. Ends with 1 when one is not.
 */
const families = process.argv.slice(2).map((letter) => letter.toUpperCase());
const wanted = families.length > 0 ? families : Object.keys(faultRows);
const kyverno = await realKyverno();
const rows: Outcome[] = [];

for (const letter of wanted) {
  for (const id of faultIds[letter] ?? []) {
    const row = await outcomeOf(id, faultRows[letter] ?? []);
    console.log(JSON.stringify(row));
    rows.push(row);
  }
}

const passed = rows.filter((row) => row.ok).length;
const cases = rows.reduce((sum, row) => sum + row.cases, 0);
console.log(JSON.stringify({ passed, total: rows.length, cases }));
process.exit(passed === rows.length ? 0 : 1);

interface Outcome {
  readonly id: string;
  readonly ok: boolean;
  readonly cases: number;
  readonly failed?: readonly string[];
}

async function outcomeOf(id: string, all: readonly FaultRow[]): Promise<Outcome> {
  const cases = all.filter((row) => row.id === id);
  const failed: string[] = [];
  for (const row of cases) {
    const because = await problemOf(row);
    if (because === undefined) continue;
    console.error(`${id} ${row.what}: ${because}`);
    failed.push(row.what);
  }
  const ok = cases.length > 0 && failed.length === 0;
  return { id, ok, cases: cases.length, ...(failed.length > 0 ? { failed } : {}) };
}

async function problemOf(row: FaultRow): Promise<string | undefined> {
  if (row.needs === "kyverno" && kyverno.kind === "absent") return kyverno.because;
  try {
    await row.check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n")[0] ?? "failed") : String(error);
  }
}
