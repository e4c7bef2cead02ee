import { expect, test } from "vitest";
import {
  emptyLedger,
  isUnlocked,
  type Ledger,
  parseLedger,
  recordOutcome,
  trustOf,
} from "../../src/domain/autonomy.ts";

const key = {
  alert: "HighRequestLatency",
  workload: { kind: "Deployment", namespace: "shop", name: "web" },
  remedy: "scale",
} as const;
const uid = (number: number) => `5b0c1f4e-9a3d-5c7e-8f21-${String(number).padStart(12, "0")}`;
const after = (outcomes: readonly ("recovered" | "worse" | "unclear")[], from: Ledger = emptyLedger) =>
  outcomes.reduce((ledger, outcome, index) => recordOutcome(ledger, key, uid(index), outcome), from);

test.each([
  ["nothing yet", [], false],
  ["two of three", ["recovered", "recovered"], false],
  ["three in a row", ["recovered", "recovered", "recovered"], true],
  ["one failure after ten successes", [...Array(10).fill("recovered"), "worse"], false],
  ["three successes after a failure", ["worse", "recovered", "recovered", "recovered"], true],
  ["unclear outcomes earn nothing", ["recovered", "unclear", "recovered", "unclear"], false],
  ["unclear outcomes cost nothing", ["recovered", "unclear", "recovered", "recovered"], true],
] as [string, ("recovered" | "worse" | "unclear")[], boolean][])("%s", (_, outcomes, unlocked) => {
  expect(isUnlocked(after(outcomes), key, { successes: 3 })).toBe(unlocked);
});

test("an incident counts once, however often its lesson is repeated", () => {
  let ledger = emptyLedger;
  for (let turn = 0; turn < 5; turn += 1) ledger = recordOutcome(ledger, key, uid(1), "recovered");
  expect(trustOf(ledger, key).successes).toBe(1);
});

test("trust for one workload, alert or remedy is no trust for another", () => {
  const ledger = after(["recovered", "recovered", "recovered"]);
  for (const other of [
    { ...key, alert: "Other" },
    { ...key, workload: { ...key.workload, namespace: "other" } },
    { ...key, remedy: "resources" as const },
  ]) {
    expect(isUnlocked(ledger, other, { successes: 1 })).toBe(false);
  }
});

test("what is written is read back", () => {
  const ledger = after(["recovered", "worse", "recovered"]);
  expect(parseLedger(JSON.parse(JSON.stringify(ledger)))).toEqual({ ok: true, value: ledger });
  expect(parseLedger(null)).toEqual({ ok: true, value: emptyLedger });
});

test.each([
  ["an unknown field", { entries: [], extra: 1 }],
  ["a negative count", { entries: [{ ...row(), successes: -1 }] }],
  ["an unknown remedy", { entries: [{ ...row(), remedy: "delete" }] }],
  ["the same key twice", { entries: [row(), row()] }],
])("a ledger with %s earns nothing", (_, document) => {
  expect(parseLedger(document).ok).toBe(false);
});

function row() {
  return { alert: "A", workload: "shop/Deployment/web", remedy: "scale", successes: 9, failures: 0, incidents: [] };
}
