import { fork } from "node:child_process";
import type { Telemetry } from "../../ports/runtime.ts";
import { nameOf } from "../../settings/repository.ts";
import type { Settings } from "../../settings/settings.ts";

/** What the process of one repository says to the one that started it. */
export type Said =
  | { readonly kind: "ready"; readonly ports: PartPorts }
  | { readonly kind: "told"; readonly incident: string; readonly verb: string; readonly text: string }
  | { readonly kind: "failed"; readonly because: string };

/** Where it listens, on this machine only. */
export interface PartPorts {
  readonly webhooks: number;
  readonly internal: number;
  readonly pages: number;
}

/** The process that serves one of several repositories. */
export interface Part {
  /** As the settings write it. */
  readonly repository: string;
  /** Undefined while it does not run. */
  ports(): PartPorts | undefined;
  pid(): number | undefined;
  /** Why it does not run. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

/** The mark in the environment of such a process. */
export const partMark = "RECTIFY_PART";

// Before the one that started it is given up itself.
const closeMs = 18_000;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
// What ran for so long did not end by its start.
const steadyMs = 60_000;

interface PartOptions {
  readonly settings: Settings;
  /** The command line, which serves one repository where its environment carries the mark. */
  readonly program: string;
  readonly telemetry: Telemetry;
}

/** Starts it; throws why it cannot start. Once it ran it is started again whenever it ends, ever more slowly. */
export async function startPart({ settings, program, telemetry }: PartOptions): Promise<Part> {
  const repository = nameOf(settings.repository);
  const say: Telemetry = {
    log: (incident, verb, text) => telemetry.log(incident, verb, `${repository}: ${text}`),
  };
  // Of the newest process, also while it is starting.
  let closeNewest: () => Promise<void> = async () => undefined;
  const begin = () => {
    const begun = run(settings, program, say);
    closeNewest = begun.close;
    return begun.ready;
  };
  let running = await begin();
  let trouble: string | undefined;
  let closing = false;
  const { pause, wake } = pausing();
  const keep = (async () => {
    let failures = 0;
    for (;;) {
      const begun = Date.now();
      trouble = await running.ended;
      if (closing) return;
      failures = Date.now() - begun > steadyMs ? 0 : failures + 1;
      say.log("", "serve", `its process has ended and is started again: ${trouble}`);
      for (;;) {
        await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, failures - 1)));
        if (closing) return;
        const next = await begin().catch((error: Error) => error.message);
        if (closing) return;
        if (typeof next !== "string") {
          running = next;
          break;
        }
        failures += 1;
        trouble = next;
        say.log("", "serve", `it cannot start: ${next}`);
      }
      trouble = undefined;
    }
  })();
  return {
    repository,
    ports: () => (trouble === undefined ? running.ports : undefined),
    pid: () => (trouble === undefined ? running.pid : undefined),
    trouble: () => trouble,
    close: async () => {
      closing = true;
      wake();
      await closeNewest();
      await keep;
    },
  };
}

function pausing(): { pause(pauseMs: number): Promise<void>; wake(): void } {
  let wake: () => void = () => undefined;
  const pause = (pauseMs: number) =>
    new Promise<void>((resume) => {
      const timer = setTimeout(resume, pauseMs);
      wake = () => {
        clearTimeout(timer);
        resume();
      };
    });
  return { pause, wake: () => wake() };
}

interface Run {
  readonly ports: PartPorts;
  readonly pid: number | undefined;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
}

interface Begun {
  /** Rejects with the reason when it cannot start; then it has ended. */
  readonly ready: Promise<Run>;
  close(): Promise<void>;
}

function run(settings: Settings, program: string, telemetry: Telemetry): Begun {
  const child = fork(program, ["serve"], {
    serialization: "advanced",
    env: { ...process.env, [partMark]: "1" },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = new Promise<string>((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`));
    child.once("error", (error) => resolve(error.message));
  });
  const close = async () => {
    const late = setTimeout(() => child.kill("SIGKILL"), closeMs);
    if (child.connected) child.disconnect();
    await ended;
    clearTimeout(late);
  };
  let because: string | undefined;
  const ready = new Promise<Run>((resolve, reject) => {
    child.on("message", (said: Said) => {
      if (said.kind === "told") telemetry.log(said.incident, said.verb, said.text);
      else if (said.kind === "ready") resolve({ ports: said.ports, pid: child.pid, ended });
      else {
        because = said.because;
        void close();
      }
    });
    void ended.then((how) => reject(new Error(because ?? how)));
    // Where it has ended already, that tells.
    child.send(settings, () => undefined);
  });
  return { ready, close };
}
