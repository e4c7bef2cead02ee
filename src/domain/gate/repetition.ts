/** What a merged change did, for the question whether it is tried again. */
export interface MergedRemedy {
  readonly kind: string;
  /** One line for people. */
  readonly title: string;
  /** The hash of its effect. */
  readonly effect: string;
  /** The pull request that this one reverted: because it did not help, or because a person wanted it. */
  readonly takesBack?: number | undefined;
}

/** A change of ours that was merged, and then reverted. */
export interface RevertedChange {
  readonly remedy: MergedRemedy;
  readonly pull: number;
  /** RFC 3339. */
  readonly mergedAt: string;
  readonly back: number;
  readonly backAt: string;
}

const hourMs = 3_600_000;
/** How far back a change that was reverted speaks against the same one. */
export const repetitionMs = 24 * hourMs;

/**
 * Why this remedy is not tried again: what was reverted is not done again within a day, and nothing of its kind within
 * an hour, so that a change and its revert do not take turns for as long as somebody approves.
 */
export function repetitionProblem(
  { kind, effect }: Pick<MergedRemedy, "kind" | "effect">,
  attempts: readonly RevertedChange[],
  now: Date,
): string | undefined {
  const since = ({ backAt }: RevertedChange) => now.getTime() - Date.parse(backAt);
  const same = attempts.find((one) => one.remedy.effect === effect && since(one) < repetitionMs);
  const alike = attempts.find((one) => one.remedy.kind === kind && since(one) < hourMs);
  const found = same ?? alike;
  if (found === undefined) return undefined;
  const { remedy, pull, mergedAt, back, backAt } = found;
  const until = new Date(Date.parse(backAt) + (same === undefined ? hourMs : repetitionMs)).toISOString();
  const what = same === undefined ? `no other ${kind} is proposed` : "the same change is not proposed again";
  return `#${pull} (${remedy.title}) was merged ${mergedAt} and reverted by #${back} ${backAt}: ${what} before ${until}, a person decides`;
}
