import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { discardPostgres } from "../adapters/postgres/server.ts";
import { findKyverno } from "../adapters/cli-tools/kyverno.ts";
import { type Rectify, startRectify } from "../main.ts";
import { kyvernoPlaces } from "../server/policy-engine.ts";
import { openWorld } from "./world.ts";
import type { Expected, Scenario } from "./scenario.ts";
import { type LabRun, type LabWorld, until } from "./start.ts";
import type { LabPrinter } from "./printer.ts";

/** What one scenario came to, for people and for machines. */
export interface LabResult {
  readonly scenario: string;
  readonly incident: string | null;
  readonly pr: {
    readonly number: number;
    readonly files: readonly string[];
    readonly labels: readonly string[];
  } | null;
  readonly ending: string | null;
  readonly merged: boolean;
  readonly synced: boolean;
  readonly recovered: boolean;
  readonly timings: { readonly alertToPrMs: number | null; readonly mergeToRecoveredMs: number | null };
  readonly githubCalls: number;
  /** True when the scenario was not run, because a tool that it needs is missing here. */
  readonly skipped?: true;
}

interface ScenarioRun {
  readonly result: LabResult;
  /** What differs from the scenario's expectation; empty = it ended as it should. */
  readonly wrong: readonly string[];
}

/** How a run is told, and what stays of it. */
interface LabStay {
  readonly printer: LabPrinter;
  /** Everything stays up until Ctrl-C. */
  readonly keep: boolean;
  /** Where the records stay when all is taken down; undefined = nowhere. */
  readonly data?: string | undefined;
  /** Looks at the world once the scenario is over, before it is taken down. */
  readonly look?: ((run: LabRun) => Promise<void>) | undefined;
}

/** Builds the embedded world, runs the scenario in it, and takes everything down again. */
export async function runScenario(
  name: string,
  scenario: Scenario,
  { printer, keep, data, look }: LabStay,
): Promise<ScenarioRun> {
  const missing = await missingTool(scenario);
  if (missing !== undefined) {
    printer.say("lab", `skipped: ${missing}`);
    return { result: skipped(name), wrong: [] };
  }
  const directory = mkdtempSync(join(tmpdir(), "rectify-lab-"));
  const ending = endOfRun();
  let world: LabWorld | undefined;
  let rectify: Rectify | undefined;
  try {
    printer.say("lab", scenario.about);
    const { world: open = openWorld, rectify: start = startRectify } = scenario.opens ?? {};
    const opened = await open(directory, scenario);
    world = opened;
    rectify = await start({ ...opened.settings, dataDirectory: data ?? directory }, printer);
    await opened.join(rectify);
    const run: LabRun = { ...opened, rectify, say: printer.say };
    printer.say("lab", `pages on http://127.0.0.1:${rectify.pagesPort}/, the forge on ${opened.forge.apiUrl}`);
    const ran = await Promise.race([ending.interrupted, toItsEnd(name, scenario, run, printer)]);
    await look?.(run);
    if (keep) await stayUp(run, printer, ending);
    return ran;
  } finally {
    const steps = [
      () => rectify?.close(),
      () => world?.close(),
      () => (data === undefined ? discardPostgres(join(directory, "postgres")) : undefined),
      // git may still write into the directory while it goes.
      () => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
    ];
    await tidyUp(steps, (problem) => printer.say("lab", problem));
    ending.forget();
  }
}

async function toItsEnd(name: string, scenario: Scenario, run: LabRun, printer: LabPrinter): Promise<ScenarioRun> {
  const { cluster } = run;
  await until("a quiet shop", () => cluster.firing().length === 0 && cluster.isSynced());
  await scenario.run(run);
  return outcome(name, scenario, run, printer);
}

interface EndOfRun {
  /** Rejects when the process is told to stop: servers that a run started must not outlive it. */
  readonly interrupted: Promise<never>;
  /** From here on the signals do again what they do. */
  forget(): void;
}

function endOfRun(): EndOfRun {
  let stop: () => void = () => undefined;
  const interrupted = new Promise<never>((_, reject) => {
    stop = () => reject(new Interrupted("the run was stopped"));
  });
  interrupted.catch(() => undefined);
  process.once("SIGINT", stop).once("SIGTERM", stop);
  return { interrupted, forget: () => void process.off("SIGINT", stop).off("SIGTERM", stop) };
}

/** Somebody stopped the run. */
export class Interrupted extends Error {}

/** What is up, and how it ends. */
async function stayUp(
  { rectify, forge, cluster }: LabRun,
  { say, rest }: LabPrinter,
  { interrupted }: EndOfRun,
): Promise<void> {
  const up = [
    ["pages", `http://127.0.0.1:${rectify.pagesPort}/`],
    ["metrics", `http://127.0.0.1:${rectify.internalPort}/metrics`],
    ["GitHub", `${forge.apiUrl} (clone ${forge.cloneUrl})`],
    ["Prometheus", cluster.urls.prometheus],
    ["Loki", cluster.urls.loki],
    ["Kubernetes", cluster.urls.kubernetes],
  ] as const;
  say("lab", "everything stays up until you press Ctrl-C:");
  for (const [what, where] of up) say("lab", `  ${what.padEnd(11)} ${where}`);
  rest();
  await interrupted.catch(() => undefined);
}

/** Takes every step, whatever one of them throws: how a scenario ended does not depend on its cleaning up. */
export async function tidyUp(steps: readonly (() => unknown)[], tell: (problem: string) => void): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      tell(`cleaning up failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function missingTool({ needs }: Scenario): Promise<string | undefined> {
  if (needs === undefined) return undefined;
  const found = await findKyverno({ ...kyvernoPlaces({}), timeoutMs: 60_000 });
  return found.kind === "absent" ? found.because : undefined;
}

function skipped(scenario: string): LabResult {
  const nothing = { incident: null, pr: null, ending: null, merged: false, synced: false, recovered: false };
  return {
    ...{ scenario, ...nothing, timings: { alertToPrMs: null, mergeToRecoveredMs: null }, githubCalls: 0 },
    skipped: true,
  };
}

async function outcome(name: string, scenario: Scenario, run: LabRun, printer: LabPrinter): Promise<ScenarioRun> {
  const { forge, rectify, cluster } = run;
  const pull = forge.pulls()[0];
  const incident = await until("the first incident", async () => {
    const workflow = pull && (await rectify.store.workflowOfPull(pull.number));
    const known = workflow === undefined ? undefined : await rectify.store.incident(workflow);
    return known ?? (await rectify.store.incidents(100)).at(-1);
  });
  const { uid } = incident.incident;
  await until(
    "the end of the incident",
    async () => (await rectify.store.incident(uid))?.ending !== undefined,
    180_000,
  );
  const record = await rectify.store.incident(uid);
  const files = record?.outcome?.proposal?.files ?? [];
  const recovered = !cluster.firing().some((alert) => alert.labels.deployment === incident.incident.workload.name);
  const result: LabResult = {
    scenario: name,
    incident: uid,
    pr: pull ? { number: pull.number, files, labels: pull.labels.map((label) => label.name) } : null,
    ending: record?.ending ?? null,
    merged: forge.pulls()[0]?.merged ?? false,
    synced: record?.outcome?.syncedSha !== undefined,
    recovered,
    timings: timingsOf(printer),
    githubCalls: forge.calls.length,
  };
  const { expected } = scenario;
  if (typeof expected === "function") return { result, wrong: await expected(run, uid) };
  return { result, wrong: differences(result, expected, { pulls: forge.pulls().length, because: record?.because }) };
}

function timingsOf({ told }: LabPrinter): LabResult["timings"] {
  const first = (verb: string, part = "") => told.find((item) => item.verb === verb && item.text.includes(part))?.at;
  const between = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? null : to - from;
  return {
    alertToPrMs: between(first("intake", "opened"), first("propose")),
    mergeToRecoveredMs: between(first("decide", "merged"), first("verify", "recovered")),
  };
}

interface Seen {
  readonly pulls: number;
  readonly because: string | undefined;
}

function differences(result: LabResult, expected: Expected, { pulls, because }: Seen): string[] {
  const named = expected.because ?? "";
  const rows: [string, unknown, unknown][] = [
    ["ending", result.ending, expected.ending],
    ["merged", result.merged, expected.merged],
    ["recovered", result.recovered, expected.recovered],
    ["pull requests", pulls, expected.pulls],
    [`that "${because ?? ""}" names "${named}"`, because?.includes(named) ?? named === "", true],
  ];
  return rows
    .filter(([, seen, wanted]) => seen !== wanted)
    .map(([what, seen, wanted]) => `${what} is ${String(seen)}, not ${String(wanted)}`);
}
