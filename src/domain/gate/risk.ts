import type { Trust } from "../records/autonomy.ts";
import type { RemediationKind } from "../kubernetes/remediation.ts";

type RiskLevel = "low" | "medium" | "high";

/** Low, medium, high, with reasons. */
export interface Risk {
  readonly level: RiskLevel;
  readonly reasons: readonly string[];
}

/** Everything that makes a change dangerous. Undefined = nobody could say, which never lowers the risk. */
export interface RiskInput {
  readonly kind: RemediationKind;
  /** The number before and after, for a change of scale or of resources (in one unit); undefined otherwise. */
  readonly amount: { readonly from: number; readonly to: number; readonly ceiling: number | undefined } | undefined;
  /** True when people listed the workload as critical. */
  readonly critical: boolean;
  /** Rendered objects that the change touches. */
  readonly objectsChanged: number;
  /** What this remedy has earned for this alert and workload. */
  readonly trust: Pick<Trust, "successes" | "needed" | "lastFailed">;
  /** Model and ranker: do they name the same cause? `one` = only one of them answered. */
  readonly witnesses: "agree" | "disagree" | "one";
  /** True when every cited item is text that users can write. */
  readonly taintedOnly: boolean;
  /** Changes of this workload by us in the last hour. */
  readonly recentChanges: number | undefined;
  /** How often the alert began to fire in the last hour. */
  readonly cycles: number | undefined;
  readonly insideWindow: boolean;
  /** What a reversal may loosen, one sentence each. */
  readonly loosens?: readonly string[] | undefined;
  /** How the effect is known: see `Effect.proof`. */
  readonly proof: "rendered" | "static";
}

interface Factor {
  readonly level: RiskLevel;
  readonly reason: string;
}

const order: readonly RiskLevel[] = ["low", "medium", "high"];

/** Judges a change: the level is that of its worst factor, and every factor above low is a reason. */
export function assessRisk(input: RiskInput): Risk {
  const factors = [
    ...amountFactors(input),
    ...scopeFactors(input),
    ...knowledgeFactors(input),
    ...momentFactors(input),
  ].sort((a, b) => order.indexOf(b.level) - order.indexOf(a.level));
  const level = factors[0]?.level ?? "low";
  const reasons = factors.map((factor) => `${factor.level}: ${factor.reason}`);
  return { level, reasons: reasons.length > 0 ? reasons : ["low: no factor raises it"] };
}

function amountFactors({ kind, amount }: RiskInput): Factor[] {
  if (amount === undefined) {
    return kind === "scale" || kind === "resources"
      ? [{ level: "high", reason: "the size of the change is unknown" }]
      : [{ level: "medium", reason: "the change alters what runs, not how much of it" }];
  }
  const { from, to, ceiling } = amount;
  const growth = from > 0 ? to / from : Number.POSITIVE_INFINITY;
  return [
    ...(growth > 3 ? [{ level: "high", reason: `grows ${shown(growth)} times` } as const] : []),
    ...(growth > 2 && growth <= 3 ? [{ level: "medium", reason: `grows ${shown(growth)} times` } as const] : []),
    ...(growth < 1 ? [{ level: "medium", reason: `takes capacity away (${from} to ${to})` } as const] : []),
    ...(ceiling !== undefined && to > ceiling
      ? [{ level: "high", reason: `${to} is above the ceiling of ${ceiling}` } as const]
      : []),
    ...(ceiling !== undefined && to > ceiling * 0.8 && to <= ceiling
      ? [{ level: "medium", reason: `${to} is near the ceiling of ${ceiling}` } as const]
      : []),
  ];
}

function scopeFactors({ critical, objectsChanged, proof, loosens = [] }: RiskInput): Factor[] {
  return [
    ...loosens.map((reason) => ({ level: "high", reason }) as const),
    ...(critical ? [{ level: "medium", reason: "the workload is listed as critical" } as const] : []),
    ...(objectsChanged > 1 ? [{ level: "high", reason: `changes ${objectsChanged} rendered objects` } as const] : []),
    ...(objectsChanged < 1 ? [{ level: "high", reason: "changes no rendered object" } as const] : []),
    ...(proof === "static"
      ? [{ level: "medium", reason: "the effect is argued from the source, not rendered" } as const]
      : []),
  ];
}

function knowledgeFactors({ trust, witnesses, taintedOnly }: RiskInput): Factor[] {
  const { successes, needed, lastFailed } = trust;
  return [
    ...(lastFailed ? [{ level: "high", reason: "the last such change did not help" } as const] : []),
    ...(successes < needed
      ? [{ level: "medium", reason: `unproven here: ${successes} of ${needed} verified successes` } as const]
      : []),
    ...(witnesses === "disagree" ? [{ level: "high", reason: "model and ranker name different causes" } as const] : []),
    ...(witnesses === "one" ? [{ level: "medium", reason: "only one of two opinions names the cause" } as const] : []),
    ...(taintedOnly ? [{ level: "high", reason: "only text that users can write supports it" } as const] : []),
  ];
}

/** An alert that comes and goes this often within an hour swings: what fixes it is not another number. */
const flapping = 3;

/** Why an alert that began to fire so often within the hour keeps a change from auto-merge; undefined = it does not. */
export function flappingOf(cycles: number): string | undefined {
  return cycles >= flapping ? `flapping: the alert began to fire ${cycles} times within the hour` : undefined;
}

function momentFactors({ recentChanges, cycles, insideWindow }: RiskInput): Factor[] {
  const swings = cycles === undefined ? undefined : flappingOf(cycles);
  return [
    ...(recentChanges === undefined ? [{ level: "medium", reason: "recent changes are unknown" } as const] : []),
    ...(recentChanges !== undefined && recentChanges > 0
      ? [
          {
            level: recentChanges > 1 ? "high" : "medium",
            reason: `${recentChanges} earlier ${recentChanges === 1 ? "change" : "changes"} of the workload within the hour`,
          } as const,
        ]
      : []),
    ...(cycles === undefined ? [{ level: "medium", reason: "how often the alert fired is unknown" } as const] : []),
    ...(swings === undefined ? [] : [{ level: "high", reason: swings } as const]),
    ...(insideWindow ? [] : [{ level: "medium", reason: "outside the change windows" } as const]),
  ];
}

function shown(growth: number): string {
  return Number.isFinite(growth) ? String(Number(growth.toPrecision(2))) : "without bound";
}
