import type { Series } from "./evidence.ts";

/** One past firing of an alert for one workload. */
export interface Firing {
  /** RFC 3339. */
  readonly startedAt: string;
  /** Undefined = it still fires. */
  readonly endedAt: string | undefined;
  /** Something was changed while it fired: a merged proposal, a command, a deployment. */
  readonly touched: boolean;
}

/** Would it have healed anyway? */
export type SelfHealing =
  | {
      readonly kind: "known";
      /** Share of untouched firings that cleared in time, 0 to 1. */
      readonly share: number;
      /** The share that these few firings prove at least: lower end of the 95 % interval (Wilson, 1927). */
      readonly atLeast: number;
      readonly firings: number;
      readonly because: string;
    }
  | { readonly kind: "unknown"; readonly because: string };

/** Fewer firings than this say nothing. */
const leastFirings = 3;

/**
 * The share of past firings that cleared within `withinMs` untouched. A firing that was touched before it could show
 * that, or that is too young to tell, is left out; one that was touched later counts as not healed. `now` is RFC 3339.
 */
export function selfHealingOf(
  history: readonly Firing[],
  { withinMs, now }: { readonly withinMs: number; readonly now: string },
): SelfHealing {
  const verdicts = history.map((firing) => verdictOf(firing, withinMs, Date.parse(now)));
  const firings = verdicts.filter((verdict) => verdict !== "unclear").length;
  if (firings < leastFirings) {
    return { kind: "unknown", because: `${firings} untouched past firings, ${leastFirings} are needed to tell` };
  }
  const healed = verdicts.filter((verdict) => verdict === "healed").length;
  const minutes = Number((withinMs / 60_000).toPrecision(3));
  const because = `${healed} of ${firings} untouched past firings cleared by themselves within ${minutes} min`;
  return { kind: "known", share: healed / firings, atLeast: wilson(healed, firings), firings, because };
}

/** Below this share, as far as these firings prove it, a firing is no likelier to clear than to stay. */
const oftenAtLeast = 0.5;
/** A severity that is not on this list may be urgent, whatever it is called. */
const patientSeverities = ["warning", "info", "low", "minor", "notice"];

/** Why a proposal waits, and until when (RFC 3339). */
export interface HoldBack {
  readonly until: string;
  readonly because: string;
}

/** Such firings mostly clear by themselves: a change for a low severity waits until this one had its time. */
export function holdBackOf(
  healing: SelfHealing,
  firing: { readonly severity: string; readonly startedAt: string; readonly withinMs: number },
): HoldBack | undefined {
  if (!clearsOften(healing) || !patientSeverities.includes(firing.severity.toLowerCase())) return undefined;
  const until = new Date(Date.parse(firing.startedAt) + firing.withinMs).toISOString();
  return { until, because: `${healing.because}: proposed at ${until} if the alert still fires then` };
}

/**
 * What a recovery proves less than it seems to, or undefined. `proves` is false when it came within the time in which
 * such firings mostly clear by themselves; later the history only deserves to be told.
 */
export function doubtOf(
  healing: SelfHealing,
  recovery: { readonly startedAt: string; readonly recoveredAt: string; readonly withinMs: number },
): { readonly because: string; readonly proves: boolean } | undefined {
  if (!clearsOften(healing)) return undefined;
  const lastedMs = Date.parse(recovery.recoveredAt) - Date.parse(recovery.startedAt);
  return { because: healing.because, proves: lastedMs > recovery.withinMs };
}

function clearsOften(healing: SelfHealing): healing is Extract<SelfHealing, { kind: "known" }> {
  return healing.kind === "known" && healing.atLeast >= oftenAtLeast;
}

function verdictOf(firing: Firing, withinMs: number, now: number): "healed" | "stayed" | "unclear" {
  const started = Date.parse(firing.startedAt);
  const lasted = (firing.endedAt === undefined ? now : Date.parse(firing.endedAt)) - started;
  if (!Number.isFinite(lasted) || lasted < 0) return "unclear";
  if (lasted > withinMs) return "stayed";
  return firing.touched || firing.endedAt === undefined ? "unclear" : "healed";
}

function wilson(successes: number, count: number): number {
  const z = 1.96;
  const share = successes / count;
  const centre = share + z ** 2 / (2 * count);
  const spread = z * Math.sqrt((share * (1 - share)) / count + z ** 2 / (4 * count ** 2));
  return Math.max(0, (centre - spread) / (1 + z ** 2 / count));
}

/**
 * Firings from the series `ALERTS{alertstate="firing"}` at a fixed step: a gap of more than two steps ends one. A firing
 * that reaches the end of the window still fires. `touches` are times of changes, RFC 3339.
 */
export function firingsOf(
  series: Series,
  {
    stepSeconds,
    endsAt,
    touches,
  }: { readonly stepSeconds: number; readonly endsAt: string; readonly touches: readonly string[] },
): Firing[] {
  const runs: { first: number; last: number }[] = [];
  for (const [at, value] of series.points) {
    if (!(value > 0)) continue;
    const run = runs.at(-1);
    if (run && at - run.last <= 2 * stepSeconds) run.last = at;
    else runs.push({ first: at, last: at });
  }
  const end = Date.parse(endsAt) / 1000;
  return runs.map(({ first, last }) => {
    const open = end - last <= 2 * stepSeconds;
    const until = open ? end : last + stepSeconds;
    const touched = touches
      .map((time) => Date.parse(time) / 1000)
      .some((time) => time >= first - stepSeconds && time <= until);
    return { startedAt: instant(first), endedAt: open ? undefined : instant(until), touched };
  });
}

function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}
