/** A straight line through the points, by least squares, with the end of its 95 % interval. */
interface Slope {
  /** Per unit of x. */
  readonly slope: number;
  /** The true slope is below this with 97.5 %. */
  readonly upper: number;
}

// Student's t at 97.5 %, by degrees of freedom; beyond the list it is near enough to the normal's 1.96.
const student = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11];

/** Undefined for fewer than three points: they lie on any line. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): Slope | undefined {
  if (points.length < 3) return undefined;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const left = points.reduce((sum, [x, y]) => sum + (y - meanY - slope * (x - meanX)) ** 2, 0);
  const freedom = points.length - 2;
  const error = Math.sqrt(left / freedom / spread);
  return { slope, upper: slope + (student[freedom - 1] ?? 2) * error };
}
