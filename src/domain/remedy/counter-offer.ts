/** The answer of a gate for one value: it passes, or the rule that stands in the way. */
type BoundedCheck = (
  value: number,
) => Promise<{ readonly passes: true } | { readonly passes: false; readonly rule: string }>;

/** Where a wanted number is refused: the one nearest to it that passes, and the rule that was hit. */
interface CounterOffer {
  readonly value: number;
  readonly rule: string;
}

/**
 * Searches between the present value and the refused one, both left out, in either direction. The rules must be
 * monotonic (what is refused stays refused further out); the value that is offered has passed the check in any case.
 * Undefined when the wanted value passes after all, or when nothing between does.
 */
export async function findCounterOffer(
  wanted: number,
  present: number,
  check: BoundedCheck,
): Promise<CounterOffer | undefined> {
  const refused = await check(wanted);
  if (refused.passes) return undefined;
  const sign = wanted > present ? 1 : -1;
  let { rule } = refused;
  let passing = 0;
  let refusing = Math.abs(wanted - present);
  while (refusing - passing > 1) {
    const step = Math.floor((passing + refusing) / 2);
    const answer = await check(present + sign * step);
    if (answer.passes) passing = step;
    else {
      refusing = step;
      rule = answer.rule;
    }
  }
  return passing === 0 ? undefined : { value: present + sign * passing, rule };
}

/** One line for people. */
export function renderCounterOffer(wanted: number, offer: CounterOffer): string {
  return `${wanted} is refused (${offer.rule}); ${offer.value} is the nearest that passes: /approve-scale ${offer.value}`;
}
