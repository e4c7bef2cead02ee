import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { IncidentRecord } from "../../src/adapters/postgres/store.ts";
import type { LabPrinter } from "../../src/lab/printer.ts";
import type { Settings } from "../../src/settings/settings.ts";

/** What the process of Rectify says of itself. */
export type Report =
  | { readonly kind: "ready"; readonly webhookPort: number; readonly internalPort: number }
  | { readonly kind: "told"; readonly incident: string; readonly verb: string; readonly text: string }
  | { readonly kind: "failed"; readonly because: string };

export interface Question {
  readonly id: number;
  readonly ask: "incident" | "workflowOfPull" | "pendingFiles" | "close";
  readonly about?: string | number;
}

export interface Answer {
  readonly kind: "answer";
  readonly id: number;
  readonly value: unknown;
}

/** A Rectify that runs in a process of its own. */
export interface RealRectify {
  readonly webhookPort: number;
  readonly internalPort: number;
  incident(uid: string): Promise<IncidentRecord | undefined>;
  workflowOfPull(pull: number): Promise<string | undefined>;
  pendingFiles(): Promise<readonly { readonly path: string; readonly content: string }[]>;
  /** It stands still, and hears nothing, until it may go on. */
  pause(): void;
  goOn(): void;
  close(): Promise<void>;
}

const program = fileURLToPath(new URL("./rectify-process.ts", import.meta.url));
const closeMs = 20_000;

/** Starts Rectify with these settings; what it tells goes to the printer. Throws why it cannot start. */
export async function launchRectify(settings: Settings, printer: LabPrinter): Promise<RealRectify> {
  const child = fork(program, { execArgv: ["--import", "tsx"], serialization: "advanced" });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const last = () => child.kill("SIGKILL");
  const waiting = new Map<number, (value: unknown) => void>();
  let asked = 0;
  const ask = (question: Omit<Question, "id">): Promise<unknown> => {
    asked += 1;
    const id = asked;
    return Promise.race([
      new Promise((resolve) => {
        waiting.set(id, resolve);
        child.send({ ...question, id });
      }),
      ended.then(() => {
        throw new Error("the process of Rectify has ended");
      }),
    ]);
  };
  const close = async () => {
    const late = setTimeout(last, closeMs);
    await ask({ ask: "close" }).catch(() => undefined);
    await ended;
    clearTimeout(late);
  };
  const ready = new Promise<Extract<Report, { kind: "ready" }>>((resolve, reject) => {
    child.on("message", (message: Report | Answer) => {
      if (message.kind === "ready") resolve(message);
      else if (message.kind === "answer") waiting.get(message.id)?.(message.value);
      else if (message.kind === "told") printer.log(message.incident, message.verb, message.text);
      else reject(new Error(message.because));
    });
    child.once("exit", (code) => reject(new Error(`the process of Rectify ended with ${code}`)));
  });
  child.send(settings);
  const { webhookPort, internalPort } = await ready.catch(async (error: Error) => {
    await close();
    throw error;
  });
  return {
    ...{ webhookPort, internalPort, close },
    pause: () => void child.kill("SIGSTOP"),
    goOn: () => void child.kill("SIGCONT"),
    incident: async (uid) => (await ask({ ask: "incident", about: uid })) as IncidentRecord | undefined,
    workflowOfPull: async (pull) => (await ask({ ask: "workflowOfPull", about: pull })) as string | undefined,
    pendingFiles: async () => (await ask({ ask: "pendingFiles" })) as { path: string; content: string }[],
  };
}
