/**
 * The share of right answers by score, fitted on the incidents of `bench:rca` (logistic in the logarithms of the best
 * score and of its lead over the second; `test/README.md` has the reliability table and what each application says of
 * the others). No measurement is certain.
 */
const weights = { bias: -1.2, score: 3.1, lead: 0.5 };
const most = 0.95;
const leastScore = 0.05;
/** Of the cases in which the first answer is wrong, how often the truth is among the next. */
const othersRight = 0.5;

/** An answer that is right less often than this is not given. */
export const leastConfidence = 0.3;

/** How often each answer of a ranked list is right, from the scores of the list, best first. */
export function confidencesOf(scores: readonly number[]): readonly number[] {
  const [first = 0, second = 0] = scores.map((score) => Math.max(leastScore, score));
  if (scores.length === 0) return [];
  const lead = Math.log(first / Math.max(leastScore, second));
  const odds = weights.bias + weights.score * Math.log(first) + weights.lead * lead;
  const best = Math.min(most, 1 / (1 + Math.exp(-odds)));
  const rest = scores.slice(1).reduce((sum, score) => sum + score, 0);
  const others = scores.slice(1).map((score) => (rest > 0 ? ((1 - best) * othersRight * score) / rest : 0));
  return [best, ...others].map((share) => Math.round(share * 1000) / 1000);
}
