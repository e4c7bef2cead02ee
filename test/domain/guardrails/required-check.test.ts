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
  expect(trustedChecks([check], { requiredChecks: [{ name: "ci", app: 8 }] })).toMatchObject([check]);
});

test.each([
  ["the App of the guardrails said success", 7, "passed"],
  ["the App of the guardrails said failure", 8, "failed"],
  ["only other Apps spoke", 9, "pending"],
])("where the protection names no App: %s", (_, app, state) => {
  expect(trustedChecks([anyApp], { requiredChecks: [{ name: "ci", app }] })).toMatchObject([{ name: "ci", state }]);
});

test("a check for which nobody names an App never passes, and says what to do", () => {
  const [check] = trustedChecks([anyApp], { requiredChecks: [{ name: "other", app: 7 }] });
  expect(check).toMatchObject({ name: "ci", state: "pending", because: expect.stringMatching(/^name its App/) });
});

const skipped: RequiredCheck = { name: "ci", state: "failed", counted: "passed" };

test.each([
  ["what GitHub counts is enough for a person's merge", "ci", [], "passed"],
  ["not for a check that the guardrails name", "ci", [{ name: "ci", app: 7 }], "pending"],
  ["not for our own policy gate", "rectify-policy", [], "pending"],
] as const)("a skipped check: %s", (_, name, requiredChecks, counted) => {
  expect(trustedChecks([{ ...skipped, name }], { requiredChecks: [...requiredChecks] })).toMatchObject([{ counted }]);
});

test("what the guardrails name must be there for a person's merge too", () => {
  const missing: RequiredCheck = { name: "ci", state: "pending", counted: "passed" };
  const [check] = trustedChecks([missing], { requiredChecks: [{ name: "ci", app: 7 }] });
  expect(check).toMatchObject({ state: "pending", counted: "pending" });
});
