import { fork } from "node:child_process";
import type { Telemetry } from "../../ports/runtime.ts";
import { pausing } from "../../adapters/http/repeat.ts";
import { endWhenSilent } from "./silence.ts";
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
  /** Resolves when it runs for the first time, or with why its first start failed. */
  readonly begun: Promise<string | undefined>;
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
  readonly limits?: Limits;
}

interface Limits {
  /** The pause between two looks whether it answers. */
  readonly watchMs: number;
  /** What has not begun by then will not. */
  readonly startMs: number;
}

const ownLimits: Limits = { watchMs: 10_000, startMs: 180_000 };

/** Starts it, and starts it again whenever it ends, is silent or cannot start, ever more slowly. */
export function keepPart({ settings, program, telemetry, limits = ownLimits }: PartOptions): Part {
  const repository = nameOf(settings.repository);
  const tell = (text: string) => telemetry.log("", "serve", `${repository}: ${text}`);
  const say: Telemetry = {
    log: (incident, verb, text) => telemetry.log(incident, verb, `${repository}: ${text}`),
  };
  // Of the newest process, also while it is starting.
  let newest: Begun | undefined;
  let state: Run | string = "it is starting";
  let closing = false;
  const { pause, wake } = pausing();
  const begin = async (): Promise<string | undefined> => {
    newest = run({ settings, program, telemetry: say, limits });
    state = await newest.ready.catch((error: Error) => error.message);
    if (typeof state !== "string") return undefined;
    if (!closing) tell(`it cannot start: ${state}`);
    return state;
  };
  const keep = async (first: Promise<string | undefined>) => {
    let failures = 0;
    for (let starting = first; !closing; starting = begin()) {
      await starting;
      const since = Date.now();
      if (typeof state !== "string") {
        state = await state.ended;
        if (!closing) tell(`its process has ended and is started again: ${state}`);
      }
      failures = Date.now() - since > steadyMs ? 0 : failures + 1;
      if (!closing) await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, failures - 1)));
      if (closing) return;
    }
  };
  const begun = begin();
  const kept = keep(begun);
  return {
    ...{ repository, begun },
    ports: () => (typeof state === "string" ? undefined : state.ports),
    pid: () => (typeof state === "string" ? undefined : state.pid),
    trouble: () => (typeof state === "string" ? state : undefined),
    close: async () => {
      closing = true;
      wake();
      await newest?.close();
      await kept;
    },
  };
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

function run({ settings, program, telemetry, limits }: Required<PartOptions>): Begun {
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
  const overdue = setTimeout(() => {
    because = `it did not begin within ${limits.startMs / 1_000} s`;
    child.kill("SIGKILL");
  }, limits.startMs);
  void ended.then(() => clearTimeout(overdue));
  const endSilent = (port: number) => {
    const watch = endWhenSilent({ port, everyMs: limits.watchMs }, (why) => {
      telemetry.log("", "serve", `its process is ended: ${why}`);
      child.kill("SIGKILL");
    });
    void ended.then(watch.stop);
  };
  const ready = new Promise<Run>((resolve, reject) => {
    child.on("message", (said: Said) => {
      if (said.kind === "told") telemetry.log(said.incident, said.verb, said.text);
      else if (said.kind === "ready") {
        clearTimeout(overdue);
        endSilent(said.ports.internal);
        resolve({ ports: said.ports, pid: child.pid, ended });
      } else {
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
