import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ShownElsewhere } from "../faults/elsewhere.ts";

/** What became of one row; `notRun` says which part of it nobody ran, and why. */
export interface RowOutcome {
  readonly id: string;
  readonly ok: boolean;
  readonly cases: number;
  readonly failed?: readonly string[];
  readonly notRun?: string;
}

/** Runs the test files that the rows name, once, and judges each row by the tests of its titles. */
export function runElsewhere(rows: readonly ShownElsewhere[], slow: boolean): readonly RowOutcome[] {
  const files = [...new Set(rows.flatMap(({ shown }) => shown.map(([file]) => file)))];
  const ran = files.filter((file) => slow || !file.includes(".slow."));
  const results = resultsOf(ran, slow);
  return rows.map((row) => outcomeOf(row, results, slow));
}

interface Result {
  readonly file: string;
  readonly name: string;
  readonly passed: boolean;
}

function resultsOf(files: readonly string[], slow: boolean): readonly Result[] {
  if (files.length === 0) return [];
  const directory = mkdtempSync(join(tmpdir(), "rectify-bench-faults-"));
  const output = join(directory, "results.json");
  const argv = ["node_modules/vitest/vitest.mjs", "run", ...files, "--reporter=json", `--outputFile=${output}`];
  const env = { ...process.env, ...(slow ? { RECTIFY_SLOW: "1" } : {}) };
  spawnSync(process.execPath, argv, { env, stdio: ["ignore", "ignore", "inherit"] });
  try {
    const { testResults } = JSON.parse(readFileSync(output, "utf8")) as VitestReport;
    return testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map(({ fullName, status }) => ({ file: name, name: fullName, passed: status === "passed" })),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The part of vitest's JSON report that we use. */
interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

function outcomeOf({ id, shown, cannot }: ShownElsewhere, results: readonly Result[], slow: boolean): RowOutcome {
  const left = shown.filter(([file]) => !slow && file.includes(".slow."));
  const run = shown.filter((one) => !left.includes(one));
  const found = run.map(([file, title]) => ({
    title,
    tests: results.filter((result) => result.file.endsWith(file) && result.name.includes(title)),
  }));
  const failed = found.flatMap(({ title, tests }) =>
    tests.length === 0 ? [`${title}: no such test`] : tests.filter(({ passed }) => !passed).map(({ name }) => name),
  );
  const notRun = [cannot, ...(left.length > 0 ? ["slow tests: run with --slow"] : [])].filter(
    (why) => why !== undefined,
  );
  const cases = found.reduce((sum, { tests }) => sum + tests.length, 0);
  return {
    ...{ id, ok: cases > 0 && failed.length === 0, cases },
    ...(failed.length > 0 ? { failed } : {}),
    ...(notRun.length > 0 ? { notRun: notRun.join("; ") } : {}),
  };
}
