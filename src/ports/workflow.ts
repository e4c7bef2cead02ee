import type { Ports } from "./ports.ts";
import type { Timings } from "./timings.ts";

/** What a durable workflow may do: take a step once, wait for a message, let time pass. */
export interface Run {
  /** Runs the work and records its answer. `Unavailable` waits (durably) and repeats; `Refused` ends the workflow. */
  step<T>(name: string, work: (ports: Ports) => Promise<T>): Promise<T>;
  /**
   * Runs the work, some steps of this workflow, when its turn comes: of works like it only a few run at once in this
   * process, the most severe incident first.
   */
  few<T>(severity: string, work: () => Promise<T>): Promise<T>;
  /** The next message to this incident, or undefined after the time-out. */
  message(timeoutMs: number): Promise<Message | undefined>;
  readonly timings: Timings;
}

/** What wakes a waiting workflow. Only a command carries content; for the rest the state is read from its source. */
export type Message =
  | { readonly kind: "command"; readonly comment: number; readonly bodyHash: string }
  | { readonly kind: "alert" }
  | { readonly kind: "pull-request" }
  | { readonly kind: "turn" }
  /** Its process is gone, and another one goes on: what was told meanwhile was told to nobody. No news by itself. */
  | { readonly kind: "taken-over" };
