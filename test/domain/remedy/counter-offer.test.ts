import fc from "fast-check";
import { expect, test } from "vitest";
import { findCounterOffer, renderCounterOffer } from "../../../src/domain/remedy/counter-offer.ts";

function allows(least: number, most: number) {
  return async (value: number) => {
    if (value > most) return { passes: false as const, rule: `at most ${most}` };
    if (value < least) return { passes: false as const, rule: `at least ${least}` };
    return { passes: true as const };
  };
}

test.each([
  { wanted: 12, present: 2, allowed: [1, 10], offer: { value: 10, rule: "at most 10" } },
  { wanted: 11, present: 10, allowed: [1, 10], offer: undefined },
  { wanted: 0, present: 6, allowed: [2, 10], offer: { value: 2, rule: "at least 2" } },
  { wanted: 5, present: 2, allowed: [1, 10], offer: undefined },
  { wanted: 12, present: 11, allowed: [1, 10], offer: undefined },
])(
  "from $present to $wanted, allowed $allowed: $offer",
  async ({ wanted, present, allowed: [least = 0, most = 0], offer }) => {
    expect(await findCounterOffer(wanted, present, allows(least, most))).toEqual(offer);
  },
);

test("the offer is the nearest to what was wanted, and few checks find it", async () => {
  const span = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 52, max: 1000 }));
  await fc.assert(
    fc.asyncProperty(span, fc.integer({ min: 51, max: 999 }), async ([present, wanted], most) => {
      let checks = 0;
      const offer = await findCounterOffer(wanted, present, (value) => {
        checks += 1;
        return allows(1, most)(value);
      });
      expect(offer?.value).toBe(wanted <= most ? undefined : most);
      expect(checks).toBeLessThanOrEqual(12);
    }),
  );
});

test("says what was refused, why, and what to write instead", () => {
  expect(renderCounterOffer(12, { value: 6, rule: "rectify-growth" })).toBe(
    "12 is refused (rectify-growth); 6 is the nearest that passes: /approve-scale 6",
  );
});
