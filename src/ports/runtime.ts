import type { Notice } from "../domain/proposal/notice.ts";

export interface Clock {
  now(): Date;
}

/** The same answer, or `Unavailable`, with what was asked, when it takes longer. The work itself is not stopped. */
export type WithTimeout = <T>(milliseconds: number, work: Promise<T>, asked?: string) => Promise<T>;

/** Tells what happens while it happens: log lines and what the lab prints. */
export interface Telemetry {
  log(incident: string, verb: string, text: string): void;
  /**
   * A step begins, has its answer, has it on record: for durations, and for tests that pull the plug there. `stuck` = no
   * answer came within its deadline, which is then its end.
   */
  step?(workflow: string, name: string, phase: "begin" | "stuck" | "end" | "recorded"): void;
}

/** Tells people outside of GitHub. It returns at once and never throws: nothing depends on whether anybody listens. */
export interface Notifier {
  tell(notice: Notice, channels: readonly ("slack" | "webhook")[]): void;
}

/** Lets other work of this process go first. It waits for no clock: nothing has to be injected for it. */
export function yieldToOthers(): Promise<void> {
  return new Promise((goOn) => setImmediate(goOn));
}
