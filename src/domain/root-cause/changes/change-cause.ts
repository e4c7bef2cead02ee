import type { Draft } from "../cause.ts";
import type { Change, ChangedPart, Signals } from "../signal-values.ts";
import { allSymptoms } from "./conditions.ts";
import type { Weighing } from "./suspects.ts";

/** An error that starts later than this after a change has another reason. */
const longestLagMs = 30 * 60_000;
/** More traffic than this explains a symptom that a change would otherwise explain. */
const risingTraffic = 1.3;
/** Clocks differ, and a series has a resolution. */
const slackMs = 2 * 60_000;

/** What suspects are weighed by: the symptoms that texts show, and those that are measured. */
export function weighingOf(signals: Signals): Weighing {
  const { workload, changePoint, alert, traffic, suspects, callees = new Set<string>(), states = [] } = signals;
  return {
    ...{ workload, suspects, symptoms: allSymptoms(signals), callees, states, traffic: traffic?.value },
    changePoint: changePoint ?? { value: alert.value.startedAt, from: alert.from },
    effectiveAt: (suspect) => effectiveTime({ ...suspect, what: "config" }, signals),
  };
}

/** How much a change of this part speaks for it: a number of replicas seldom breaks anything at once. */
const weightOfChange: Readonly<Record<ChangedPart, number>> = {
  image: 0.9,
  config: 0.85,
  resources: 0.8,
  replicas: 0.45,
};

/** The commit that touched the workload last before it began to hurt, where nobody could render what it did. */
export function changeCause(signals: Signals): Draft[] {
  const changePoint = signals.changePoint?.value ?? signals.alert.value.startedAt;
  const changePointFrom = signals.changePoint?.from ?? signals.alert.from;
  const suspects = (signals.changes?.value ?? [])
    .map((change) => ({ change, lagMs: lagBetween(effectiveTime(change, signals), changePoint) }))
    .filter(({ lagMs }) => lagMs >= -slackMs && lagMs <= longestLagMs)
    .sort((a, b) => scoreOf(b) - scoreOf(a));
  const [first, second] = suspects;
  if (!first || !signals.changes) return [];
  // Two changes that fit equally well leave a doubt which of them it was.
  const doubt = second ? 1 - 0.3 * (scoreOf(second) / scoreOf(first)) : 1;
  const surge = (signals.traffic?.value ?? 1) >= risingTraffic ? 0.6 : 1;
  const { sha, what } = first.change;
  const { workload } = signals;
  return [
    {
      kind: "bad-change",
      workload,
      commit: sha,
      sentence: `commit ${sha.slice(0, 7)} changed the ${what} of ${workload.name}, and it began to hurt ${lagText(first.lagMs)}`,
      confidence: scoreOf(first) * doubt * surge,
      citing: [...new Set([...signals.changes.from, ...(signals.rollouts?.from ?? []), ...changePointFrom])],
      remedies: what === "image" ? ["revert-commit", "image-rollback"] : ["revert-commit"],
    },
  ];
}

/** A commit takes effect with its rollout: the first one after it, else (clocks differ) the last one just before. */
function effectiveTime(change: Change, { rollouts }: Signals): string {
  const near = (rollouts?.value ?? []).filter((at) => lagBetween(change.at, at) >= -slackMs).sort();
  return near.find((at) => lagBetween(change.at, at) >= 0) ?? near.at(-1) ?? change.at;
}

function scoreOf({ change, lagMs }: { change: Change; lagMs: number }): number {
  return weightOfChange[change.what] * (1 - 0.5 * Math.max(0, lagMs / longestLagMs));
}

function lagBetween(earlier: string, later: string): number {
  return Date.parse(later) - Date.parse(earlier);
}

function lagText(lagMs: number): string {
  return lagMs < 60_000 ? "at once" : `${Math.round(lagMs / 60_000)} min after it took effect`;
}
