import { expect, test } from "vitest";
import {
  emptyLedger,
  isUnlocked,
  ledgerPath,
  type Ledger,
  parseLedger,
  recordOutcome,
  recordPostMortems,
  renderLedger,
  trustFor,
  trustOf,
  type TrustSources,
} from "../../../src/domain/records/autonomy.ts";
import type { PostMortem } from "../../../src/domain/records/post-mortem.ts";

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
  expect(isUnlocked(trust(after(outcomes), outcomes.flatMap(told)))).toBe(unlocked);
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
    const records = ["recovered", "recovered", "recovered"].flatMap((_, index) => told("recovered", index));
    const sources = { ledger: { ok: true, value: ledger } as const, records, pending: [] };
    expect(isUnlocked(trustFor(other, sources, { successes: 1 }))).toBe(false);
  }
});

test("what is written is read back", () => {
  const ledger = after(["recovered", "worse", "recovered"]);
  expect(parseLedger(JSON.parse(JSON.stringify(ledger)))).toEqual({ ok: true, value: ledger });
  expect(parseLedger(null)).toEqual({ ok: true, value: emptyLedger });
});

const withdrawn = { kind: "disputed", by: "anna", at: "2026-11-24T00:00:00Z" } as const;
const three = ["recovered", "recovered", "recovered"] as const;

test.each<[string, Partial<TrustSources>, number, RegExp]>([
  ["a ledger without post-mortems", { records: [] }, 0, /claims 3 successes, .* prove 0/],
  ["a ledger with one of its post-mortems", { records: told("recovered", 1) }, 1, /prove 1/],
  ["post-mortems without a ledger", { ledger: { ok: true, value: emptyLedger } }, 0, /^$/],
  ["a ledger that nobody can read", { ledger: { ok: false, problems: ["entries: twice"] } }, 0, /is invalid/],
  [
    "a number that was raised by hand",
    { ledger: { ok: true, value: { entries: after(three).entries.map((row) => ({ ...row, successes: 9 })) } } },
    3,
    /claims 9 successes, .* prove 3/,
  ],
  [
    "other incidents than those of the post-mortems",
    { ledger: { ok: true, value: { entries: after(three).entries.map((row) => ({ ...row, incidents: [uid(77)] })) } } },
    0,
    /prove 0/,
  ],
  ["a copied post-mortem", { records: [0, 0, 0].flatMap((index) => told("recovered", index)) }, 1, /prove 1/],
  ["withdrawn post-mortems", { records: three.flatMap(told).map((one) => ({ ...one, withdrawn })) }, 0, /^$/],
])("%s unlocks nothing", (_, change, successes, problem) => {
  const sources = { ledger: { ok: true, value: after(three) } as const, records: three.flatMap(told), pending: [] };
  const found = trustFor(key, { ...sources, ...change }, { successes: 4 });
  expect(found).toMatchObject({ successes, needed: 4 });
  expect(found.problems.join()).toMatch(problem);
  if (successes < 3) expect(isUnlocked({ ...found, needed: 3 })).toBe(false);
});

test.each<[string, Pick<TrustSources, "records" | "pending">]>([
  ["in Git", { records: [...three.flatMap(told), ...told("worse", 8)], pending: [] }],
  ["not in Git yet", { records: three.flatMap(told), pending: told("worse", 8) }],
])("a failure %s locks at once, even where the ledger does not know it", (_, sources) => {
  const found = trustFor(key, { ...sources, ledger: { ok: true, value: after(three) } }, { successes: 3 });
  expect(found).toMatchObject({ successes: 0, lastFailed: true });
  expect(isUnlocked(found)).toBe(false);
});

test("a withdrawn success counts no more, and a withdrawn failure still locks", () => {
  const ledger = { ok: true, value: after(three) } as const;
  const [first, ...rest] = three.flatMap(told);
  if (first === undefined) throw new Error("unreachable");
  const fewer = { ledger, records: [{ ...first, withdrawn }, ...rest], pending: [] };
  expect(trustFor(key, fewer, { successes: 3 })).toMatchObject({ successes: 2, problems: [] });
  const failure = told("worse", 8).map((one) => ({ ...one, withdrawn }));
  const locked = { ledger, records: [...three.flatMap(told), ...failure], pending: [] };
  expect(trustFor(key, locked, { successes: 3 })).toMatchObject({ successes: 0, lastFailed: true });
});

test("a success that is not in Git yet unlocks nothing", () => {
  const ledger = { ok: true, value: after(three) } as const;
  const pending = told("recovered", 2);
  const sources = { ledger, records: [...told("recovered", 0), ...told("recovered", 1)], pending };
  expect(isUnlocked(trustFor(key, sources, { successes: 3 }))).toBe(false);
});

test("post-mortems are counted in the order of their incidents, and once", () => {
  const records = [...told("recovered", 3), ...told("worse", 1), ...told("recovered", 2), ...told("recovered", 3)];
  const ledger = recordPostMortems(emptyLedger, records);
  expect(ledger.entries).toEqual([
    { ...row(), alert: key.alert, successes: 2, failures: 1, incidents: [uid(1), uid(2), uid(3)] },
  ]);
  expect(recordPostMortems(ledger, records)).toBe(ledger);
});

test("the file is YAML that reads back, with a word about itself", () => {
  const text = renderLedger(after(["recovered", "worse"]));
  expect(text).toMatch(/^# What Rectify has earned/);
  expect(text).toContain(`  - {"alert":"HighRequestLatency","workload":"shop/Deployment/web"`);
  expect(renderLedger(emptyLedger)).toMatch(/\nentries: \[\]\n$/);
  expect(ledgerPath).toBe(".rectify/autonomy.yml");
});

test.each([
  ["an unknown field", { entries: [], extra: 1 }],
  ["a negative count", { entries: [{ ...row(), successes: -1 }] }],
  ["an unknown remedy", { entries: [{ ...row(), remedy: "delete" }] }],
  ["the same key twice", { entries: [row(), row()] }],
])("a ledger with %s earns nothing", (_, document) => {
  expect(parseLedger(document).ok).toBe(false);
});

function trust(ledger: Ledger, records: readonly PostMortem[]) {
  return trustFor(key, { ledger: { ok: true, value: ledger }, records, pending: [] }, { successes: 3 });
}

/** What was written about incident `index` of web, one a day. */
function told(outcome: "recovered" | "worse" | "unclear", index: number): PostMortem[] {
  const startedAt = new Date(Date.UTC(2026, 0, 1 + index)).toISOString();
  const remedy = { kind: "scale", sentence: "scale web", from: "2", to: "3" };
  const verdict = { recovered: "verified", worse: "failed", unclear: "unclear" }[outcome];
  const record = { uid: uid(index), alert: key.alert, workload: key.workload, remedy, outcome: verdict };
  return [
    { ...record, severity: "critical", cause: null, evidence: [], startedAt, writtenAt: startedAt, withdrawn: null },
  ] as never;
}

function row() {
  return { alert: "A", workload: "shop/Deployment/web", remedy: "scale", successes: 9, failures: 0, incidents: [] };
}
