import { expect, test } from "vitest";
import { ledgerBreaches, type LedgerRows } from "./ledger.ts";

const clean: LedgerRows = { waiting: 0, unfinished: [], parked: [], problems: [], audit: [] };
const body = "- Incident-UID: `u1`\n- Effect: `e1`";
const merge = { action: "merge", detail: { pull: 1, sha: "gated" } };

function forge({ pulls = [{}], comments = 1, writes = 0 }: { pulls?: object[]; comments?: number; writes?: number }) {
  const whole = pulls.map((pull, index) => ({
    ...{ number: index + 1, state: "closed", merged: false, head: { sha: "gated" }, body },
    ...pull,
  }));
  return {
    pulls: () => whole,
    comments: () => Array.from({ length: comments }, () => ({ body: "<!-- rectify:report -->\nwaiting" })),
    calls: Array.from({ length: writes }, () => ({ method: "POST", path: "/repos/a/b/pulls" })),
  } as unknown as Parameters<typeof ledgerBreaches>[1];
}

test("what is as it should be breaks nothing", () => {
  const rows = { ...clean, audit: [merge], parked: ["u2"], problems: ["nobody is at work on shop/web (u2)"] };
  expect(ledgerBreaches(rows, forge({ pulls: [{ merged: true }], writes: 1 }))).toEqual([]);
});

test.each<[string, Partial<LedgerRows>, Parameters<typeof forge>[0], string]>([
  ["a delivery without an outcome", { waiting: 1 }, {}, "Z1"],
  ["an incident without an ending", { unfinished: ["u1"] }, {}, "Z1"],
  ["two pull requests for one effect", {}, { pulls: [{}, {}] }, "Z2"],
  [
    "two open ones for one incident",
    {},
    { pulls: [{ state: "open" }, { state: "open", body: body.replace("e1", "e2") }] },
    "Z2",
  ],
  ["two sticky comments", {}, { comments: 2 }, "Z2"],
  ["a write without a row", {}, { writes: 1 }, "Z3"],
  ["a merge of another commit", { audit: [merge] }, { pulls: [{ merged: true, head: { sha: "other" } }] }, "Z6"],
  ["a parked incident that nobody is told of", { parked: ["u2"] }, {}, "Z10"],
])("%s is named", (_what, rows, seen, breach) => {
  expect(ledgerBreaches({ ...clean, ...rows }, forge(seen))).toEqual([
    expect.stringMatching(new RegExp(`^${breach}:`)),
  ]);
});
