import { renderValue } from "../evidence/unit.ts";

/** One look at the workload after the sync. Undefined = the source gave no answer. */
export interface Observation {
  /** Milliseconds since the sync was seen. */
  readonly atMs: number;
  readonly rolledOut: boolean | undefined;
  readonly alertFiring: boolean | undefined;
  /** The alert's metric now, and whether it is on the alerting side. */
  readonly value: number | undefined;
  readonly crossing: boolean | undefined;
  /** There was nothing to measure: what the rule asks is not known. */
  readonly unmeasured?: boolean;
}

/** Recovered, no better, or unclear, against the state before. Silence is never a success. */
export type Verification = Judged & {
  /** The alert's metric before the merge and at the last look; absent in what an older version put on record. */
  readonly measured?: MeasuredChange;
  /** The alert's metric at the looks: milliseconds since the sync was seen, and its value. */
  readonly watched?: readonly (readonly [number, number])[];
};

interface MeasuredChange {
  readonly before?: number;
  readonly after?: number;
  readonly unit: string;
}

type Judged =
  | {
      readonly kind: "recovered";
      readonly because: string;
      readonly afterMs: number;
      /** False where such alerts mostly clear in that time by themselves: the change may have had no part in it. */
      readonly proves?: boolean;
    }
  | { readonly kind: "worse"; readonly because: string }
  | { readonly kind: "unclear"; readonly because: string };

interface VerificationLimits {
  /** A recovery must hold this long. */
  readonly settleMs: number;
  readonly timeoutMs: number;
  /** The metric before the merge, and what it is counted in. */
  readonly before: number | undefined;
  readonly unit?: string;
}

/** Judges the looks so far, oldest first; undefined = keep looking. */
export function verificationOf(looks: readonly Observation[], limits: VerificationLimits): Verification | undefined {
  const last = looks.at(-1);
  if (!last) return undefined;
  const judged = judgedNow(looks, last, limits);
  return judged && { ...judged, measured: measuredChange(last, limits), watched: watchedIn(looks) };
}

// As many as a chart can show.
const mostWatched = 60;

/** The values at the looks, the last one always among them. */
function watchedIn(looks: readonly Observation[]): readonly (readonly [number, number])[] {
  const known = looks.flatMap(({ atMs, value }) => (value === undefined ? [] : [[atMs, value] as const]));
  const every = Math.ceil(known.length / mostWatched);
  return known.filter((_, index) => (known.length - 1 - index) % every === 0);
}

function measuredChange({ value }: Observation, { before, unit = "" }: VerificationLimits): MeasuredChange {
  return { unit, ...(before === undefined ? {} : { before }), ...(value === undefined ? {} : { after: value }) };
}

function judgedNow(looks: readonly Observation[], last: Observation, limits: VerificationLimits): Judged | undefined {
  const since = firstOfGoodRun(looks);
  if (since !== undefined && last.atMs - since.atMs >= limits.settleMs) {
    const because = `the rollout is complete, no alert of the incident fires, and ${measuredIn(last, limits)}`;
    // What only the alerts say earns no trust: they are silent as well when nobody measures any more.
    return { kind: "recovered", because, afterMs: since.atMs, ...(last.unmeasured ? { proves: false } : {}) };
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

function judgedLate(last: Observation, limits: VerificationLimits): Judged {
  if (last.alertFiring === undefined || last.rolledOut === undefined) {
    return { kind: "unclear", because: "a source that must confirm the recovery gave no answer" };
  }
  if (!last.rolledOut) return { kind: "worse", because: "the rollout did not complete" };
  if (last.alertFiring) {
    return {
      kind: "worse",
      because: `the alert still fires${last.value === undefined ? "" : ` (metric ${valuesIn(last.value, limits)})`}`,
    };
  }
  const doubt = last.crossing === undefined ? "was not measured" : "does not confirm it";
  return { kind: "unclear", because: `the alert is resolved but the metric ${doubt}` };
}

/** Only what was measured is claimed. */
function measuredIn({ value, unmeasured }: Observation, limits: VerificationLimits): string {
  if (unmeasured) return "nothing else could be measured: what the alert's rule asks is not known";
  if (value === undefined) return "the query of the alert's rule returns nothing for it any more";
  return `the metric is back (${valuesIn(value, limits)})`;
}

function valuesIn(value: number, { before, unit = "" }: VerificationLimits): string {
  const shown = (one: number) => renderValue(one, unit);
  return before === undefined ? shown(value) : `${shown(value)}, was ${shown(before)}`;
}
