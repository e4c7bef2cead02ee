import { expect, test } from "vitest";
import { type RequiredCheck, trustedChecks } from "../../../src/domain/guardrails/required-check.ts";

const anyApp: RequiredCheck = {
  name: "ci",
  state: "pending",
  byApp: [
    { app: 7, state: "passed" },
    { app: 8, state: "failed" },
  ],
};

test("a check whose App the protection names is taken as it is", () => {
  const check = { name: "ci", state: "passed" } as const;
  expect(trustedChecks([check], { requiredChecks: [{ name: "ci", app: 8 }] })).toEqual([check]);
});

test.each([
  ["the App of the guardrails said success", 7, "passed"],
  ["the App of the guardrails said failure", 8, "failed"],
  ["only other Apps spoke", 9, "pending"],
])("where the protection names no App: %s", (_, app, state) => {
  expect(trustedChecks([anyApp], { requiredChecks: [{ name: "ci", app }] })).toEqual([{ name: "ci", state }]);
});

test("a check for which nobody names an App never passes, and says what to do", () => {
  const [check] = trustedChecks([anyApp], { requiredChecks: [{ name: "other", app: 7 }] });
  expect(check).toEqual({ name: expect.stringMatching(/^ci: name its App/), state: "pending" });
});
