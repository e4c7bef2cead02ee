import fc from "fast-check";
import { expect, test } from "vitest";
import { editCases, violation } from "../edit-cases.ts";

test("an edit changes one field and no byte outside of it, in every style of YAML", () => {
  fc.assert(
    fc.property(editCases, (one) => {
      expect(violation(one)).toBe(undefined);
    }),
    { numRuns: 500 },
  );
});
