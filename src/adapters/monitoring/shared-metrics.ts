import type { Metrics } from "../../ports/monitoring.ts";

type Answer = ReturnType<Metrics["range"]>;

interface Kept {
  readonly answer: Answer;
  /** Until it has come, or failed. */
  isComing: boolean;
  /** The end of the range that was asked for, Unix milliseconds. */
  readonly to: number;
  readonly freshMs: number;
}

const lifeOf = ({ isComing, freshMs }: Kept) => (isComing ? 5 : 1) * freshMs;

// Of what the answer covers: 12 s of an hour and nothing of a look at this moment; never more than a usual scrape is old.
const freshShare = 1 / 300;
const mostFreshMs = 15_000;

/**
 * The same metrics; the same range query is asked once for everybody who wants it within `freshMs` of the first one's
 * range, or within a three-hundredth of a long range. In a storm the incidents of a namespace ask mostly the same. While
 * the answer is on its way it is waited for five times as long: a server that is slow already is asked less. An answer
 * that failed is not kept, and one that ends before what is asked about began is nobody's who asks about that.
 */
export function sharedMetrics(metrics: Metrics, freshMs = 1_000): Metrics {
  const kept = new Map<string, Kept>();
  return {
    ...metrics,
    range: (query, from, to, { points, notBefore } = {}) => {
      const end = to.getTime();
      const key = JSON.stringify([query, end - from.getTime(), points ?? null]);
      const known = kept.get(key);
      const isLate = known !== undefined && known.to >= (notBefore?.getTime() ?? 0);
      if (isLate && Math.abs(end - known.to) < lifeOf(known)) return known.answer;
      for (const [other, one] of kept) if (end - one.to >= lifeOf(one)) kept.delete(other);
      const answer = metrics
        .range(query, from, to, points === undefined ? {} : { points })
        .then((given) => ({ ...given, until: to }));
      const share = Math.min(mostFreshMs, (end - from.getTime()) * freshShare);
      const entry = { answer, to: end, isComing: true, freshMs: Math.max(freshMs, share) };
      kept.set(key, entry);
      answer.then(
        () => (entry.isComing = false),
        () => kept.get(key) === entry && kept.delete(key),
      );
      return answer;
    },
  };
}
