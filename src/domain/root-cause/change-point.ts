import type { Series } from "../evidence/evidence.ts";

/** A lasting step of a series: when it began, and the means before and after. */
interface Step {
  /** Unix seconds of the first point after the step. */
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

const shortestSide = 2;

/**
 * The step that splits a series best into two level parts (least squares, one change point); undefined when it has too
 * few points or the two parts differ by less than twice the spread that remains within them.
 */
export function stepOf({ points }: Series): Step | undefined {
  const finite = points.filter(([, value]) => Number.isFinite(value));
  if (finite.length < 2 * shortestSide + 1) return undefined;
  const sums = [0];
  for (const [, value] of finite) sums.push((sums.at(-1) ?? 0) + value);
  const total = sums.at(-1) ?? 0;
  const count = finite.length;

  let best = { gain: 0, split: 0 };
  for (let split = shortestSide; split <= count - shortestSide; split += 1) {
    const before = (sums[split] ?? 0) / split;
    const after = (total - (sums[split] ?? 0)) / (count - split);
    const gain = ((split * (count - split)) / count) * (after - before) ** 2;
    if (gain > best.gain) best = { gain, split };
  }
  return best.split === 0 ? undefined : clearStep(finite, best.split);
}

function clearStep(points: Series["points"], split: number): Step | undefined {
  const early = points.slice(0, split).map(([, value]) => value);
  const late = points.slice(split).map(([, value]) => value);
  const [before, after] = [meanOf(early), meanOf(late)];
  const squares = [...early.map((value) => (value - before) ** 2), ...late.map((value) => (value - after) ** 2)];
  const spread = Math.sqrt(meanOf(squares));
  const first = points[split];
  return first && Math.abs(after - before) > 2 * spread ? { at: first[0], before, after } : undefined;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
