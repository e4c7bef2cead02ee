import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { approver, ciApp, scenarioOf } from "../../src/lab/scenarios/catalogue.ts";
import { until } from "../../src/lab/start.ts";
import { type LabWorld, openWorld } from "../../src/lab/world.ts";
import { built } from "../built.ts";
import { clearPostgres } from "../temporary-postgres.ts";

/** One line of what the process says. */
export interface Line {
  readonly incident?: string;
  readonly point?: string;
  readonly verb?: string;
  readonly text?: string;
  /** The workflow that began the step which is told. */
  readonly looked?: string;
  /** Deaths before the process that says it. */
  readonly life?: number;
  readonly webhookPort?: number;
  readonly internalPort?: number;
}

/** A Rectify that is started again whenever its process dies. */
export interface KeptAlive {
  readonly told: readonly Line[];
  deaths(): number;
  /** From each death until the next process listened, in milliseconds. */
  readonly upAgainMs: readonly number[];
  /** True while the process listens. */
  isUp(): boolean;
  kill(): void;
  stop(): Promise<void>;
}

export interface KeepingAlive {
  /** The points that it came past so far: it grows with each death at a new one. */
  readonly survived: Set<string>;
  readonly killAtSteps: boolean;
  /** The only point to die at. */
  readonly only?: string;
  /** The step whose every begin is told. */
  readonly tell?: string;
}

/** Keeps Rectify running: whenever its process dies, the next one starts, and learns which points were survived. */
export async function keepAlive(
  world: LabWorld,
  { survived, killAtSteps, only, tell }: KeepingAlive,
): Promise<KeptAlive> {
  await built();
  let child: ChildProcess;
  let wanted = true;
  let up = false;
  let diedAt: number | undefined;
  const told: Line[] = [];
  const upAgainMs: number[] = [];
  let deaths = 0;
  const hear = (line: Line, life: number) => {
    if (line.point !== undefined) survived.add(line.point);
    else if (line.webhookPort !== undefined) {
      up = true;
      if (diedAt !== undefined) upAgainMs.push(performance.now() - diedAt);
      void world.join({ webhookPort: line.webhookPort, internalPort: line.internalPort ?? 0 });
    } else told.push({ ...line, life });
  };
  const start = () => {
    const life = deaths;
    child = spawn(process.execPath, ["test/crash/child.mjs"], { stdio: ["pipe", "pipe", "inherit"] });
    const wish = { settings: world.settings, survived: [...survived], kill: killAtSteps, only, tell };
    child.stdin?.on("error", () => undefined).end(JSON.stringify(wish));
    createInterface({ input: child.stdout ?? process.stdin }).on("line", (text) =>
      hear(JSON.parse(text) as Line, life),
    );
    child.on("exit", () => {
      up = false;
      if (!wanted) return;
      deaths += 1;
      diedAt = performance.now();
      start();
    });
  };
  start();
  return {
    told,
    upAgainMs,
    deaths: () => deaths,
    isUp: () => up,
    kill: () => child.kill("SIGKILL"),
    stop: async () => {
      wanted = false;
      const gone = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await gone;
    },
  };
}

/** A world for a workflow that is interrupted, its directory, and how both end. */
export async function openPatientWorld(name: string, scenario = scenarioOf("scale")) {
  const directory = mkdtempSync(join(tmpdir(), `rectify-${name}-`));
  if (!scenario) throw new Error("the scenario is gone");
  const world = await openWorld(directory, scenario);
  const close = async () => {
    await world.close();
    // Whoever was killed left it running, and its heir may have ended before it found it.
    await clearPostgres(join(directory, "postgres"));
    rmSync(directory, { recursive: true, force: true });
  };
  return { world: patient(world), directory, close };
}

/** The same world for a workflow that is interrupted all the time: nothing in it gives up waiting. */
export function patient(world: LabWorld): LabWorld {
  const long = 3_600_000;
  const timings = { ...world.settings.timings, decideTimeoutMs: long, syncTimeoutMs: long, verifyTimeoutMs: long };
  return { ...world, settings: { ...world.settings, timings, mostRecoveries: 100 } };
}

/**
 * Kills at each kind of write to GitHub: once before it has an effect, once when it is done and not yet answered. The
 * result grows: "POST /repos/a/b/pulls before".
 */
export function killAtWrites({ forge }: LabWorld, { kill, deaths }: KeptAlive): ReadonlySet<string> {
  const died = new Set<string>();
  let dying: number | undefined;
  forge.faults = ({ method, path }) => {
    if (method === "GET" || path.includes("access_tokens")) return undefined;
    const call = `${method} ${path.replace(/[0-9a-f]{40}|\d+/g, "N")}`;
    const when = (["before", "after"] as const).find((moment) => !died.has(`${call} ${moment}`));
    if (when === undefined) return undefined;
    // Two writes may be on their way at once: the second meets a process that is dead already.
    if (dying === deaths()) return { when: "before", answer: "drop" };
    dying = deaths();
    died.add(`${call} ${when}`);
    kill();
    return { when, answer: "drop" };
  };
  return died;
}

/** What people and CI do, once each, however often the bot dies meanwhile. */
export async function approveOnce({ forge }: LabWorld): Promise<void> {
  const pull = await until("the pull request", () => forge.pulls()[0], 600_000);
  await forge.reportCheck({ sha: pull.head.sha, name: "rectify-policy", appId: ciApp, conclusion: "success" });
  await forge.comment(pull.number, approver, "/approve-scale");
}
