import fc from "fast-check";
import { expect, test } from "vitest";
import { assessRisk, type RiskInput } from "../../../src/domain/gate/risk.ts";

const proven: RiskInput = {
  kind: "scale",
  amount: { from: 3, to: 5, ceiling: 10 },
  critical: false,
  objectsChanged: 1,
  trust: { successes: 3, needed: 3, lastFailed: false },
  witnesses: "agree",
  taintedOnly: false,
  recentChanges: 0,
  cycles: 1,
  insideWindow: true,
  proof: "rendered",
};

test.each<[string, Partial<RiskInput>, string, RegExp]>([
  ["a proven small step", {}, "low", /no factor/],
  ["more than double", { amount: { from: 2, to: 5, ceiling: 10 } }, "medium", /grows 2.5 times/],
  ["more than three times", { amount: { from: 2, to: 7, ceiling: 10 } }, "high", /grows 3.5 times/],
  ["from nothing", { amount: { from: 0, to: 1, ceiling: 10 } }, "high", /without bound/],
  ["near the ceiling", { amount: { from: 8, to: 9, ceiling: 10 } }, "medium", /near the ceiling/],
  ["above the ceiling", { amount: { from: 9, to: 11, ceiling: 10 } }, "high", /above the ceiling/],
  ["less capacity", { amount: { from: 5, to: 4, ceiling: 10 } }, "medium", /takes capacity away/],
  ["an unknown size", { amount: undefined }, "high", /size of the change is unknown/],
  ["another image", { kind: "image-rollback", amount: undefined }, "medium", /what runs/],
  ["a critical workload", { critical: true }, "medium", /critical/],
  ["two objects", { objectsChanged: 2 }, "high", /2 rendered objects/],
  ["no object", { objectsChanged: 0 }, "high", /no rendered object/],
  ["an unproven remedy", { trust: { successes: 2, needed: 3, lastFailed: false } }, "medium", /2 of 3/],
  ["a remedy that failed", { trust: { successes: 9, needed: 3, lastFailed: true } }, "high", /did not help/],
  ["opinions that disagree", { witnesses: "disagree" }, "high", /different causes/],
  ["one opinion", { witnesses: "one" }, "medium", /only one of two opinions/],
  ["users' text alone", { taintedOnly: true }, "high", /users can write/],
  ["a change within the hour", { recentChanges: 1 }, "medium", /1 earlier change of the workload/],
  ["changes within the hour", { recentChanges: 3 }, "high", /3 earlier changes of the workload/],
  ["an alert that came back once", { cycles: 2 }, "low", /no factor/],
  ["A13: an alert of 12 cycles in 60 minutes", { cycles: 12 }, "high", /flapping: .* 12 times within the hour/],
  ["unknown cycles", { cycles: undefined }, "medium", /how often the alert fired is unknown/],
  ["unknown history", { recentChanges: undefined }, "medium", /unknown/],
  ["outside the windows", { insideWindow: false }, "medium", /windows/],
  ["an effect that was not rendered", { proof: "static" }, "medium", /not rendered/],
])("%s", (_, change, level, reason) => {
  const risk = assessRisk({ ...proven, ...change });
  expect(risk.level).toBe(level);
  expect(risk.reasons.join("; ")).toMatch(reason);
});

test("the worst reason comes first, and none is lost", () => {
  const risk = assessRisk({ ...proven, insideWindow: false, taintedOnly: true });
  expect(risk.reasons).toEqual([
    "high: only text that users can write supports it",
    "medium: outside the change windows",
  ]);
});

test("no word of the model lowers the risk below what the rest of the situation makes of it", () => {
  const order = ["low", "medium", "high"];
  const situation = fc.record({
    critical: fc.boolean(),
    taintedOnly: fc.boolean(),
    objectsChanged: fc.nat(3),
    recentChanges: fc.nat(3),
  });
  fc.assert(
    fc.property(situation, fc.constantFrom("agree", "disagree", "one"), (change, witnesses) => {
      const floor = assessRisk({ ...proven, ...change, witnesses: "agree" });
      const told = assessRisk({ ...proven, ...change, witnesses });
      expect(order.indexOf(told.level)).toBeGreaterThanOrEqual(order.indexOf(floor.level));
    }),
  );
});
