/** How long the waiting verbs wait, in milliseconds. */
export interface Timings {
  /** Between two looks while waiting for a person, a sync or a recovery. */
  readonly pollMs: number;
  /** How far back collection looks. */
  readonly lookbackMs: number;
  /** The window of rate() in our own queries, as Prometheus writes durations. */
  readonly rateWindow: string;
  /** A recovery must hold this long before it counts. */
  readonly settleMs: number;
  /** After a merged change its workload is left alone this long: not shorter than an autoscaler's own window of 300 s. */
  readonly coolDownMs: number;
  /** An alert that resolved before the merge and comes back within this time is the same incident. */
  readonly lingerMs: number;
  readonly decideTimeoutMs: number;
  readonly syncTimeoutMs: number;
  readonly verifyTimeoutMs: number;
  readonly modelDeadlineMs: number;
  /** How far back the firings of an alert are counted, and within which time one has healed by itself. */
  readonly historyMs: number;
  readonly selfHealMs: number;
  /** No question asks for a finer step; `finestStepMs` where it is not set. */
  readonly leastStepMs?: number;
}

/** The finest step of a question that nothing says more about, in milliseconds. */
export const finestStepMs = 250;
