import { nearestWord } from "../domain/text/nearest-word.ts";
import { readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { discardPostgres, runningPostgres } from "../adapters/postgres/server.ts";
import { preflight } from "../settings/preflight.ts";
import { readFault } from "./faults/fault-file.ts";
import { faultScenario } from "./faults/fault-scenario.ts";
import type { Scenario } from "./scenario.ts";
import type { LabResult } from "./run.ts";
import { pastScenario, scenarioNames } from "./scenarios/names.ts";
import { labPrinter } from "./printer.ts";

interface LabOptions {
  readonly scenario: string;
  /** A fault file to run instead of a scenario. */
  readonly fault?: string | undefined;
  /** One JSON object as the last line of stdout; what happens goes to stderr. */
  readonly json: boolean;
  /** Keep the world up until the process is told to stop. */
  readonly keep: boolean;
  /** Where the records of the last run stay; undefined = nowhere. */
  readonly data?: string | undefined;
}

/** The same as the command line gives it. */
export type LabAsked = Pick<LabOptions, "scenario" | "fault"> & Partial<Pick<LabOptions, "json" | "keep">>;

/** How long the lab may say nothing. */
const longestSilenceMs = 5_000;

/** Runs one scenario. The answer is the exit code: 0 only when the scenario ended as it should. */
export async function runLab(options: LabOptions): Promise<number> {
  // A library's note to its own developers has no place in what it prints.
  process.noDeprecation = true;
  const out = (line: string) => process.stdout.write(`${line}\n`);
  const print = options.json ? (line: string) => process.stderr.write(`${line}\n`) : out;
  if (isPast(options)) return runPast(print, out, options.json);
  const asked = await askedFor(options);
  const scenario = asked.kind === "scenario" ? asked.scenario : undefined;
  const problems = [...(asked.kind === "problems" ? asked.problems : []), ...(await preflight(undefined))];
  if (!scenario || problems.length > 0) {
    process.stderr.write(`The lab could not start:\n${problems.map((problem) => `  - ${problem}\n`).join("")}`);
    return scenario ? 1 : 2;
  }
  const { Interrupted, runScenario } = await import("./run.ts");
  const printer = labPrinter(print, !options.json && process.stdout.isTTY === true);
  const data = options.data === undefined ? undefined : emptied(options.data);
  const stillWaiting = setInterval(printer.stillThere, longestSilenceMs / 2);
  const ran = await runScenario(options.fault ?? options.scenario, scenario, { printer, keep: options.keep, data })
    .catch((error: Error) => error)
    .finally(() => clearInterval(stillWaiting));
  if (ran instanceof Error) {
    const stopped = ran instanceof Interrupted;
    process.stderr.write(stopped ? "Stopped; everything was taken down.\n" : `The lab failed: ${ran.message}\n`);
    return stopped ? 130 : 1;
  }
  if (options.json) out(JSON.stringify(ran.result));
  else summary(ran.result, ran.wrong).forEach(out);
  if (!options.json && data !== undefined) whatNext(ran.result, data).forEach(out);
  for (const problem of options.json ? ran.wrong : []) process.stderr.write(`not as it should be: ${problem}\n`);
  return ran.wrong.length === 0 ? 0 : 1;
}

function isPast({ scenario, fault }: LabOptions): boolean {
  return fault === undefined && scenario === pastScenario;
}

/** The past has no Rectify that runs: only its history is answered. */
async function runPast(print: Write, out: Write, json: boolean): Promise<number> {
  const printer = labPrinter(print, !json && process.stdout.isTTY === true);
  printer.say("lab", "two weeks of history, and what Rectify would have done: it only reads");
  const { runBacktest } = await import("./scenarios/backtest/scenario.ts");
  const wrong = await runBacktest(printer);
  if (json) out(JSON.stringify({ scenario: pastScenario, wrong }));
  else out(wrong.length === 0 ? "Every verdict is true." : `Not as it should be: ${wrong.join("; ")}`);
  for (const problem of json ? wrong : []) process.stderr.write(`not as it should be: ${problem}\n`);
  return wrong.length === 0 ? 0 : 1;
}

type Write = (line: string) => void;

type AskedFor =
  | { readonly kind: "scenario"; readonly scenario: Scenario }
  | { readonly kind: "problems"; readonly problems: readonly string[] };

/** Names below a problem, as many in a line as a terminal has room for. */
function inLines(names: readonly string[]): string {
  const lines: string[] = [];
  for (const name of names) {
    const last = lines.at(-1);
    if (last === undefined || last.length + name.length > 74) lines.push(`    ${name}`);
    else lines[lines.length - 1] = `${last}, ${name}`;
  }
  return lines.join(",\n");
}

/** A name that is none is told before the product, and every scenario, is loaded. */
async function askedFor({ scenario, fault }: LabOptions): Promise<AskedFor> {
  if (fault === undefined) {
    const isOne = scenarioNames.includes(scenario);
    const found = isOne ? (await import("./scenarios/catalogue.ts")).scenarioOf(scenario) : undefined;
    if (found) return { kind: "scenario", scenario: found };
    const meant = nearestWord(scenario, scenarioNames);
    const instead = meant === undefined ? "" : `did you mean ${meant}? Or `;
    return {
      kind: "problems",
      problems: [`no scenario ${scenario}: ${instead}choose one of\n${inLines(scenarioNames)}`],
    };
  }
  const source = textOf(fault);
  if (source === undefined) return { kind: "problems", problems: [`${fault} cannot be read`] };
  const read = readFault(source);
  if (!read.ok) return { kind: "problems", problems: read.problems.map((problem) => `${fault}: ${problem}`) };
  try {
    return { kind: "scenario", scenario: faultScenario(read.fault) };
  } catch (error) {
    return { kind: "problems", problems: [`${fault}: ${error instanceof Error ? error.message : String(error)}`] };
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** The place for the records of this run, without those of the one before; undefined while that one still runs. */
function emptied(data: string): string | undefined {
  const postgres = join(data, "postgres");
  if (runningPostgres(postgres) !== undefined) return undefined;
  discardPostgres(postgres);
  rmSync(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return data;
}

/** Three commands that can be tried on what the lab left. */
function whatNext({ incident, pr }: LabResult, data: string): string[] {
  if (incident === null) return [];
  const env = `RECTIFY_DATA=${relative(process.cwd(), data) || data}`;
  const self = relative(process.cwd(), process.argv[1] ?? "");
  const rectify = `${env} ${self.endsWith(".ts") ? `npx tsx ${self}` : `node ${self}`}`;
  return [
    "",
    "The records stay. Try on them:",
    `  ${rectify} incidents`,
    `  ${rectify} explain ${pr === null ? incident : pr.number}`,
    `  ${rectify} audit --incident ${incident}`,
  ];
}

function summary(result: LabResult, wrong: readonly string[]): string[] {
  const { pr, timings } = result;
  return [
    "",
    `Incident     ${result.incident ?? "none"}`,
    ...(pr ? [`Pull request #${pr.number}: ${pr.files.join(", ")} [${pr.labels.join(", ")}]`] : []),
    `Ending       ${result.ending ?? "none"} (merged: ${yes(result.merged)}, synced: ${yes(result.synced)}, recovered: ${yes(result.recovered)})`,
    `Timings      alert to pull request ${seconds(timings.alertToPrMs)}, merge to recovery ${seconds(timings.mergeToRecoveredMs)}`,
    `GitHub calls ${result.githubCalls}`,
    "",
    wrong.length === 0 ? "The scenario ended as it should." : `Not as it should be: ${wrong.join("; ")}`,
  ];
}

const yes = (value: boolean) => (value ? "yes" : "no");
const seconds = (ms: number | null) => (ms === null ? "-" : `${(ms / 1000).toFixed(1)} s`);
