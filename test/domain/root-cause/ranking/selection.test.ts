import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { select, sortPart } from "../../../../src/domain/root-cause/ranking/selection.ts";

// Without -0: which of two equal numbers stands first is nobody's business.
const numbers = fc.array(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  { minLength: 1, maxLength: 80 },
);
const sortedOf = (values: readonly number[]) => Float64Array.from(values).sort();

describe("select", () => {
  it("finds what stands at a place of the sorted values, many equal ones too", () => {
    fc.assert(
      fc.property(
        fc.oneof(numbers, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1 })),
        fc.nat(),
        (all, at) => {
          const nth = at % all.length;
          const values = Float64Array.from(all);
          const sorted = sortedOf(all);
          expect(select(values, nth)).toBe(sorted[nth]);
          const behind = values.subarray(nth).slice().sort();
          expect(behind).toEqual(sorted.subarray(nth));
        },
      ),
    );
  });

  it("goes on in the part that is behind an earlier place", () => {
    const values = Float64Array.of(9, 1, 8, 2, 7, 3, 6, 4, 5);
    expect(select(values, 4)).toBe(5);
    expect(select(values, 6, 4)).toBe(7);
  });

  it("has no answer for no values", () => {
    expect(select(new Float64Array(0), 0)).toBeNaN();
  });
});

describe("sortPart", () => {
  it("sorts the first values and leaves the others", () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (all, at) => {
        const count = at % (all.length + 1);
        const values = Float64Array.from(all);
        sortPart(values, count);
        expect(values.slice(0, count)).toEqual(sortedOf(all.slice(0, count)));
        expect(Array.from(values.slice(count))).toEqual(all.slice(count));
      }),
    );
  });
});
