import { faultIds, faultRows } from "../faults/rows.ts";
import type { FaultRow } from "../faults/row.ts";
import { elsewhereIds, shownElsewhere } from "../faults/elsewhere.ts";
import { runElsewhere, type RowOutcome } from "./faults-elsewhere.ts";
import { realKyverno } from "../policies.ts";

/**
 * Runs the rows of the whole fault catalogue and prints one JSON object for each: an id is ok when all of its cases
 * passed; `notRun` says what of it nobody runs. The last object is the total; each case that fails has a line on stderr.
 * Exit code 1 when one failed. `npm run -s bench:faults -- [--slow] [FAMILY…]`: C, P, K and X run here, the others are
 * the tests that show them, with `--slow` those that kill processes, too. A row that has a forge ends with the ledger.
 */
const words = process.argv.slice(2);
const slow = words.includes("--slow");
const families = words.filter((word) => word !== "--slow").map((letter) => letter.toUpperCase());
const every = [...new Set([...elsewhereIds.map((id) => id.charAt(0)), ...Object.keys(faultRows)])];
const wanted = families.length > 0 ? families : every;
const kyverno = await realKyverno();
const rows: RowOutcome[] = [];

for (const letter of wanted) {
  for (const id of faultIds[letter] ?? []) {
    const row = await outcomeOf(id, faultRows[letter] ?? []);
    console.log(JSON.stringify(row));
    rows.push(row);
  }
}

for (const row of runElsewhere(
  shownElsewhere.filter(({ id }) => wanted.includes(id.charAt(0))),
  slow,
)) {
  console.log(JSON.stringify(row));
  for (const what of row.failed ?? []) console.error(`${row.id} ${what}`);
  rows.push(row);
}

const passed = rows.filter((row) => row.ok).length;
const cases = rows.reduce((sum, row) => sum + row.cases, 0);
const failed = rows.filter((row) => row.failed !== undefined).length;
const notRun = rows.filter((row) => row.cases === 0 && row.failed === undefined).length;
const inPart = rows.filter((row) => row.ok && row.notRun !== undefined).length;
console.log(JSON.stringify({ passed, failed, notRun, inPart, total: rows.length, cases }));
process.exit(failed === 0 ? 0 : 1);

async function outcomeOf(id: string, all: readonly FaultRow[]): Promise<RowOutcome> {
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
