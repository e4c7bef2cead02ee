import { expect, test } from "vitest";
import {
  budgetProblem,
  costOf,
  renderBudget,
  renderCost,
  reservedMore,
  runningCost,
} from "../../../src/domain/remedy/cost.ts";

const prices = { cpuHour: 0.04, memoryGiBHour: 0.005, currency: "EUR" };
const pod = { cpuCores: 0.25, memoryBytes: 2 ** 28 };

test("three more replicas cost their requests", () => {
  const cost = costOf(reservedMore({ replicas: 2, ...pod }, { replicas: 5, ...pod }), prices);
  // 0.75 cores × 0.04 + 0.75 GiB × 0.005 = 0.03375 per hour; × 730.5 = 24.65 per month.
  expect(cost).toMatchObject({ perHour: 0.0338, perMonth: 24.65, currency: "EUR" });
  expect(cost && renderCost(cost)).toBe("+0.0338 EUR per hour, +24.65 EUR per month");
  expect(cost?.because).toBe("+0.75 cores × 0.04, +0.75 GiB × 0.005 EUR per hour");
});

test("fewer replicas save", () => {
  expect(costOf(reservedMore({ replicas: 5, ...pod }, { replicas: 2, ...pod }), prices)?.perMonth).toBe(-24.65);
});

test("without a price book no cost is stated", () => {
  expect(costOf(reservedMore({ replicas: 2, ...pod }, { replicas: 5, ...pod }), undefined)).toBeUndefined();
});

const budgets = { shop: 100 };
const cost = (perMonth: number) => ({ perHour: 0, perMonth, currency: "EUR", because: "" });

test.each([
  ["within the budget", { running: 50, cost: cost(50) }, undefined],
  [
    "above the budget",
    { running: 50, cost: cost(50.01) },
    /budget of shop is 100 EUR per month, this change makes it 100.01/,
  ],
  ["a saving above the budget", { running: 500, cost: cost(-5) }, undefined],
  ["an unknown cost", { running: 0, cost: undefined }, /unknown/],
  ["unknown running costs", { running: undefined, cost: cost(1) }, /unknown/],
])("%s", (_, facts, problem) => {
  const said = budgetProblem({ namespace: "shop", budgets, ...facts });
  if (problem === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(problem);
});

test("a namespace without a budget is not held back", () => {
  expect(budgetProblem({ namespace: "constructor", budgets, running: 9e9, cost: cost(9e9) })).toBeUndefined();
});

test("the budget is printed with its arithmetic", () => {
  expect(renderBudget({ namespace: "shop", budgets, running: 50, cost: cost(24.65) })).toBe(
    "budget of shop: 100 EUR per month; changes that nobody reverted use 50, +24.65 = 74.65",
  );
  expect(renderBudget({ namespace: "shop", budgets, running: undefined, cost: cost(1) })).toMatch(
    /its use is unknown$/,
  );
  expect(renderBudget({ namespace: "other", budgets, running: 1, cost: cost(1) })).toBeUndefined();
});

const core = { cpuCores: 1, memoryBytes: 0 };
const less = { cpuCores: -1, memoryBytes: 0 };

test.each<[string, Parameters<typeof runningCost>[0], number | undefined]>([
  ["nothing merged", [], 0],
  ["two that stand", [core, core], 58.44],
  ["one that was reverted by its own revert", [core, less, core], 29.22],
  ["one that nobody can read", [core, undefined], undefined],
  ["more taken away than was added", [less], 0],
])("what runs already costs: %s", (_, reserved, sum) => {
  expect(runningCost(reserved, prices)).toBe(sum);
  expect(runningCost(reserved, undefined)).toBeUndefined();
});
