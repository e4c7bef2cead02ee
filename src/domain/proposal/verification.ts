/** One look at the workload after the sync. Undefined = the source gave no answer. */
export interface Observation {
  /** Milliseconds since the sync was seen. */
  readonly atMs: number;
  readonly rolledOut: boolean | undefined;
  readonly alertFiring: boolean | undefined;
  /** The alert's metric now, and whether it is on the alerting side. */
  readonly value: number | undefined;
  readonly crossing: boolean | undefined;
}

/** Recovered, no better, or unclear, against the state before. Silence is never a success. */
export type Verification =
  | {
      readonly kind: "recovered";
      readonly because: string;
      readonly afterMs: number;
      /** False where such alerts mostly clear in that time by themselves: the change may have had no part in it. */
      readonly proves?: boolean;
    }
  | { readonly kind: "worse"; readonly because: string }
  | { readonly kind: "unclear"; readonly because: string };

export interface VerificationLimits {
  /** A recovery must hold this long. */
  readonly settleMs: number;
  readonly timeoutMs: number;
  /** The metric before the merge. */
  readonly before: number | undefined;
}

/** Judges the looks so far, oldest first; undefined = keep looking. */
export function verificationOf(looks: readonly Observation[], limits: VerificationLimits): Verification | undefined {
  const last = looks.at(-1);
  if (!last) return undefined;
  const since = firstOfGoodRun(looks);
  if (since !== undefined && last.atMs - since.atMs >= limits.settleMs) {
    const because = `the rollout is complete, the alert is resolved and the metric is back (${shown(last.value)}, was ${shown(limits.before)})`;
    return { kind: "recovered", because, afterMs: since.atMs };
  }
  if (last.atMs < limits.timeoutMs) return undefined;
  return judgedLate(last, limits);
}

/** The oldest look of the unbroken run of good looks at the end. */
function firstOfGoodRun(looks: readonly Observation[]): Observation | undefined {
  const lastBad = looks.findLastIndex((look) => !isGood(look));
  return looks[lastBad + 1];
}

function isGood(look: Observation): boolean {
  return look.rolledOut === true && look.alertFiring === false && look.crossing === false;
}

function judgedLate(last: Observation, limits: VerificationLimits): Verification {
  if (last.alertFiring === undefined || last.rolledOut === undefined) {
    return { kind: "unclear", because: "a source that must confirm the recovery gave no answer" };
  }
  if (!last.rolledOut) return { kind: "worse", because: "the rollout did not complete" };
  if (last.alertFiring) {
    return {
      kind: "worse",
      because: `the alert still fires (metric ${shown(last.value)}, was ${shown(limits.before)})`,
    };
  }
  return { kind: "unclear", because: "the alert is resolved but the metric does not confirm it" };
}

function shown(value: number | undefined): string {
  return value === undefined ? "unknown" : String(Number(value.toPrecision(4)));
}
