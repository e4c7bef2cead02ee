import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkBacktest } from "./backtest.ts";
import { installDebianPackages } from "./debian.ts";
import { vendors } from "./definitions.ts";
import type { GitOpsEngine } from "./engine.ts";
import { engines } from "./engines.ts";
import type { Finding } from "./finding.ts";
import { checkGit } from "./git-clients.ts";
import { checkManifests } from "./manifests.ts";
import { type Outcome, runScenario } from "./run-scenario.ts";
import { checkOwnMetrics } from "./own-metrics.ts";
import { openProcesses, type Processes } from "./processes.ts";
import { checkLogs, checkQueries } from "./queries.ts";
import { checkRbac } from "./rbac.ts";
import { findingLines, scenarioTable, versionLines } from "./report.ts";
import type { RealWorld } from "./real-run.ts";
import { type RealScenario, scenarios } from "./scenarios.ts";
import { openRealWorld } from "./world.ts";
import { clearPostgres } from "../temporary-postgres.ts";

/*
 * npm run e2e [-- --only NAME]: the scenarios against real servers on loopback. NAME is a scenario, or one of `checks` below.
 * The last line is one JSON object; the exit code is 0 only when everything passed.
 */

const checks = ["git", "rbac", "manifests", "queries", "backtest"];

interface Results {
  readonly versions: Record<string, string>;
  readonly outcomes: Outcome[];
  readonly findings: Finding[];
  readonly broken: string[];
}

const print = (line: string) => void process.stdout.write(`${line}\n`);

async function main(): Promise<number> {
  process.noDeprecation = true;
  const only = readOnly(process.argv.slice(2));
  const begun = Date.now();
  const scratch = mkdtempSync(join(tmpdir(), "rectify-e2e-"));
  const processes = openProcesses(scratch);
  const results: Results = { versions: {}, outcomes: [], findings: [], broken: [] };
  const stop = stopOnSignals(processes, scratch);
  try {
    installDebianPackages();
    await runAll(only, { scratch, processes, results });
  } catch (error) {
    results.broken.push(error instanceof Error ? error.message : String(error));
  } finally {
    await processes.stopAll();
    stop();
  }
  const passed = isPassed(results);
  // What a failure left behind is what explains it.
  if (passed) await clear(scratch);
  else print(`\nthe logs are in ${scratch}`);
  report(results, passed, Date.now() - begun);
  return passed ? 0 : 1;
}

function readOnly(args: readonly string[]): string | undefined {
  const [flag, name, ...rest] = args;
  if (flag === undefined) return undefined;
  const names = [...Object.keys(scenarios), ...checks];
  if (flag === "--only" && name !== undefined && names.includes(name) && rest.length === 0) return name;
  process.stderr.write(`usage: npm run e2e [-- --only ${names.join("|")}]\n`);
  process.exit(2);
}

function stopOnSignals(processes: Processes, scratch: string): () => void {
  const last = () => processes.killAll();
  const stop = () => {
    processes.killAll();
    void clear(scratch).finally(() => process.exit(130));
  };
  process.once("exit", last);
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  return () => {
    process.off("exit", last);
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  };
}

interface Running {
  readonly scratch: string;
  readonly processes: Processes;
  readonly results: Results;
}

async function runAll(only: string | undefined, { scratch, processes, results }: Running): Promise<void> {
  if (isAsked("git", only)) results.findings.push(...(await timed("git clients", () => checkGit(scratch))));
  if (only === "git") return;
  const defined = isAsked("rbac", only) || isAsked("manifests", only) ? vendors : [];
  const { world, versions, close } = await timed("start of the servers", () =>
    openRealWorld(scratch, processes, defined),
  );
  Object.assign(results.versions, versions);
  try {
    // Before the engines: both checks make objects that the engines would take for theirs.
    if (isAsked("rbac", only)) results.findings.push(...(await timed("RBAC", () => checkRbac(world.plane))));
    if (isAsked("manifests", only))
      results.findings.push(...(await timed("manifests", () => checkManifests(world.plane))));
    const since = new Date();
    const turns = engines()
      .map((engine) => ({ engine, ran: scenariosOf(engine, only) }))
      .filter(({ ran }) => ran.length > 0);
    for (const [index, { engine, ran }] of turns.entries()) {
      await runEngine(engine, ran, {
        world,
        processes,
        results,
        asksQueries: index === 0 && isAsked("queries", only),
      });
      // Before another one begins; behind the last the whole cluster goes.
      if (index < turns.length - 1) await timed(`end of ${engine.name}`, () => engine.forget());
      await engine.close();
    }
    if (isAsked("queries", only))
      results.findings.push(...(await timed("own metrics", () => checkOwnMetrics(world.telemetry, since))));
    if (results.outcomes.some(({ ran }) => ran !== undefined))
      results.findings.push(...(await timed("backtest", () => checkBacktest(world, results.outcomes))));
  } finally {
    await close();
  }
}

function isAsked(name: string, only: string | undefined): boolean {
  return only === undefined || only === name;
}

interface Turn {
  readonly world: RealWorld;
  readonly processes: Processes;
  readonly results: Results;
  /** After the first scenario every series that there can be has data. */
  readonly asksQueries: boolean;
}

type ScenariosToRun = readonly (readonly [name: string, scenario: RealScenario])[];

function scenariosOf({ name: engine }: GitOpsEngine, only: string | undefined): ScenariosToRun {
  if (only === "queries" || only === "backtest") return engine === "flux" ? Object.entries(scenarios).slice(0, 1) : [];
  return Object.entries(scenarios).filter(
    ([name, { engines: through }]) => through.includes(engine) && isAsked(name, only),
  );
}

async function runEngine(engine: GitOpsEngine, toRun: ScenariosToRun, turn: Turn): Promise<void> {
  const { world, processes, results, asksQueries } = turn;
  const scratch = join(world.scratch, engine.name);
  mkdirSync(scratch);
  await timed(`start of ${engine.name}`, () => engine.start({ plane: world.plane, processes, scratch }));
  Object.assign(results.versions, engine.versions());
  for (const [index, [name, scenario]] of toRun.entries()) {
    results.outcomes.push(await runScenario(name, scenario, { world, engine, print }));
    if (asksQueries && index === 0) {
      results.findings.push(...(await timed("queries", () => checkQueries(world.telemetry))));
      results.findings.push(...(await timed("log queries", () => checkLogs(world.telemetry))));
    }
  }
}

/** Databases lie elsewhere, and outlive whoever began them. */
async function clear(scratch: string): Promise<void> {
  const scenarios = join(scratch, "scenarios");
  for (const scenario of existsSync(scenarios) ? readdirSync(scenarios) : [])
    for (const place of ["postgres", "database"])
      await clearPostgres(join(scenarios, scenario, place)).catch(() => undefined);
  rmSync(scratch, { recursive: true, force: true });
}

/** Says how long it took. */
async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const begun = Date.now();
  const answer = await work();
  print(`${((Date.now() - begun) / 1000).toFixed(1).padStart(5)}s  took      ${what}`);
  return answer;
}

function isPassed({ outcomes, findings, broken }: Results): boolean {
  const bad = [...outcomes.flatMap(({ wrong }) => wrong), ...findings.flatMap(({ wrong }) => wrong ?? []), ...broken];
  return bad.length === 0;
}

function report({ versions, outcomes, findings, broken }: Results, passed: boolean, tookMs: number): void {
  for (const line of [
    ...findingLines("Tried against the real servers", findings),
    ...versionLines(versions),
    ...scenarioTable(outcomes),
    ...outcomes.flatMap(({ scenario, engine, wrong }) =>
      wrong.map((problem) => `  ${scenario} (${engine}): ${problem}`),
    ),
    ...broken.map((problem) => `BROKEN: ${problem}`),
    `\n${passed ? "Everything passed" : "Not everything passed"} in ${(tookMs / 1000).toFixed(0)} s.`,
  ]) {
    print(line);
  }
  print(JSON.stringify({ passed, seconds: Math.round(tookMs / 1000), versions, outcomes, findings, broken }));
}

process.exit(await main());
