import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { closeSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** One program that runs beside the scenarios. */
export interface Program {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Asked again and again until it holds. An error counts as "not yet". */
  readonly ready?: () => Promise<boolean>;
  readonly readyMs?: number;
}

export interface Running {
  readonly name: string;
  readonly pid: number;
  readonly logPath: string;
  /** Ends the process and whatever it started, and waits for its end. */
  stop(): Promise<void>;
  /** The same at once, as a crash does it. */
  kill(): Promise<void>;
}

/** Starts programs in process groups of their own and knows how to end every one of them. */
export interface Processes {
  start(program: Program): Promise<Running>;
  stopAll(): Promise<void>;
  /** The last resort, for an exit that cannot wait. */
  killAll(): void;
}

const graceMs = 8_000;

/** The programs write their logs into this directory. */
export function openProcesses(directory: string): Processes {
  const children = new Map<ChildProcess, Running>();
  const starts = new Map<string, number>();
  return {
    start: async (program) => {
      const count = (starts.get(program.name) ?? 0) + 1;
      starts.set(program.name, count);
      const logPath = join(directory, `${program.name}${count === 1 ? "" : `-${count}`}.log`);
      const child = launch(program, logPath);
      const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      const running: Running = {
        name: program.name,
        pid: child.pid ?? 0,
        logPath,
        stop: async () => {
          await endGroup(child, ended, graceMs);
          children.delete(child);
        },
        kill: async () => {
          await endGroup(child, ended, 0);
          children.delete(child);
        },
      };
      children.set(child, running);
      await readiness(program, child, logPath);
      return running;
    },
    stopAll: async () => {
      await Promise.all([...children.values()].map((running) => running.stop()));
    },
    killAll: () => {
      for (const child of children.keys()) signalGroup(child, "SIGKILL");
    },
  };
}

function launch({ name, command, args, env, cwd }: Program, logPath: string): ChildProcess {
  const log = openSync(logPath, "a");
  const child = spawn(command, args, {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  closeSync(log);
  child.on("error", (error) => process.stderr.write(`${name} cannot be started: ${error.message}\n`));
  return child;
}

async function readiness({ name, ready, readyMs = 60_000 }: Program, child: ChildProcess, logPath: string) {
  const end = Date.now() + readyMs;
  for (;;) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${name} ended at once:\n${tailOf(logPath)}`);
    if (ready === undefined || (await ready().catch(() => false))) return;
    if (Date.now() > end) throw new Error(`${name} is not ready after ${readyMs / 1000} s:\n${tailOf(logPath)}`);
    await pause(100);
  }
}

async function endGroup(child: ChildProcess, ended: Promise<void>, patienceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  signalGroup(child, "SIGTERM");
  const late = setTimeout(() => signalGroup(child, "SIGKILL"), patienceMs);
  await ended;
  clearTimeout(late);
}

function signalGroup({ pid }: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It is gone already.
  }
}

/** The last lines of a log. */
function tailOf(path: string, lines = 15): string {
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}

export function pause(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}

// Below the range from which the system takes the ports of outgoing connections (32768 on Linux).
const lowestPort = 20_000;
const portCount = 12_000;

/** A port of 127.0.0.1 that nobody holds now, and that no outgoing connection will take before it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowestPort + randomInt(portCount);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** True when `GET url` is answered with success. */
export async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  return response.ok;
}

/** Does it again and again, one at a time, whatever it throws; answers how to stop and wait for the one under way. */
export function every(ms: number, work: () => Promise<void>): () => Promise<void> {
  let current: Promise<void> | undefined;
  const timer = setInterval(() => {
    current ??= work()
      .catch(() => undefined)
      .finally(() => {
        current = undefined;
      });
  }, ms);
  return async () => {
    clearInterval(timer);
    await current;
  };
}
