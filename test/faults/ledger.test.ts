import { expect, test } from "vitest";
import { ledgerBreaches, type LedgerRows, type Seen } from "./ledger.ts";

const clean: LedgerRows = { waiting: 0, unfinished: [], parked: [], problems: [], audit: [] };
const body = "- Incident-UID: `u1`\n- Effect: `e1`";
const merge = { action: "merge", detail: { pull: 1, sha: "gated" } };

interface Wanted {
  readonly pulls?: object[];
  readonly comments?: number;
  readonly said?: string;
  readonly writes?: number;
  readonly calls?: object[];
  readonly pushes?: object[];
}

const bot = { type: "Bot" };

function forge({ pulls = [{}], comments = 1, said = "", writes = 0, calls = [], pushes = [] }: Wanted): Seen {
  const whole = pulls.map((pull, index) => ({
    ...{ number: index + 1, state: "closed", merged: false, head: { sha: "gated", ref: "rectify/web" }, body },
    ...{ user: bot, title: "Scale web" },
    ...pull,
  }));
  return {
    pulls: () => whole,
    comments: () =>
      Array.from({ length: comments }, () => ({ user: bot, body: `<!-- rectify:report -->\nwaiting ${said}` })),
    ...{ issues: () => [], checks: () => [], gitCalls: pushes, cloneUrl: "http://127.0.0.1/a/b.git" },
    calls: [...Array.from({ length: writes }, () => ({ method: "POST", path: "/repos/a/b/pulls", at: 0 })), ...calls],
  } as unknown as Seen;
}

test("what is as it should be breaks nothing", () => {
  const rows = { ...clean, audit: [merge], parked: ["u2"], problems: ["nobody is at work on shop/web (u2)"] };
  expect(ledgerBreaches(rows, forge({ pulls: [{ merged: true }], writes: 1 }))).toEqual([]);
});

const judged = (title: string, level: string) => ({ title, body: `${body}\n**Risk:** ${level}: no factor raises it.` });
const alone = { audit: [{ action: "merge", detail: { pull: 1, sha: "gated", approvedBy: [] } }] };

test.each([
  ["Scale web from 2 to 4 replicas (HighRequestLatency)", "Low"],
  ["Change limits.memory of web from 64Mi to 128Mi (OOMKilled)", "Low"],
  ["Change limits.memory of web from 512Mi to 1Gi (OOMKilled)", "Low"],
  ["Revert #1: scale web from 4 to 2 replicas (worse)", "Medium"],
  ['Revert commit 29d23b7 "from 1 to 9" (#4)', "Medium"],
  ["Set the image of web from 1 to 2", "Medium"],
  ["Scale web from 2 to 9 replicas (HighRequestLatency)", "High"],
])("%s may be of %s risk", (title, level) => {
  expect(ledgerBreaches(clean, forge({ pulls: [judged(title, level)] }))).toEqual([]);
});

/** So many writes, one after the other with this gap (ms). */
const writesAt = (count: number, gap: number) =>
  Array.from({ length: count }, (_, n) => ({ method: "POST", path: "/repos/a/b/pulls", at: n * gap }));
const manyRows = { audit: Array.from({ length: 161 }, () => ({ action: "write", detail: {} })) };

test("as many writes as GitHub lets are no hurry", () => {
  expect(ledgerBreaches({ ...clean, ...manyRows }, forge({ calls: writesAt(161, 751) }))).toEqual([]);
});

/** A write that has its row. */
const call = (method: string, path: string) => ({ calls: [{ method, path }] });
const row = { audit: [{ action: "write", detail: {} }] };

test.each([
  ["POST", "/repos/a/b/git/refs"],
  ["DELETE", "/repos/a/b/git/refs/heads/rectify/shop-web"],
  ["PATCH", "/repos/a/b/git/refs/heads%2Frectify%2Fshop-web"],
  ["PUT", "/repos/a/b/pulls/7/merge"],
  ["POST", "/repos/a/b/issues/comments/7/reactions"],
])("%s %s may be written", (method, path) => {
  expect(ledgerBreaches({ ...clean, ...row }, forge(call(method, path)))).toEqual([]);
});

test.each<[string, Partial<LedgerRows>, Parameters<typeof forge>[0], string]>([
  ["another repository", row, call("POST", "/repos/a/c/pulls"), "Z4"],
  ["a branch of people", row, call("DELETE", "/repos/a/b/git/refs/heads/main"), "Z4"],
  ["a branch of people that moves", row, call("PATCH", "/repos/a/b/git/refs/heads%2Fmain"), "Z4"],
  ["a branch that leads out of ours", row, call("DELETE", "/repos/a/b/git/refs/heads/rectify/../main"), "Z4"],
  ["a setting of the repository", row, call("PATCH", "/repos/a/b"), "Z4"],
  ["a file by its own call", row, call("PUT", "/repos/a/b/contents/x"), "Z4"],
  ["a push", {}, { pushes: [{ method: "POST", path: "/a/b.git/git-receive-pack" }] }, "Z4"],
  ["a pull request from elsewhere", {}, { pulls: [{ head: { sha: "gated", ref: "main" } }] }, "Z4"],
  ["a secret in a comment", {}, { said: "canary-4711" }, "Z5"],
  ["a secret in a title", {}, { pulls: [{ title: "canary-4711" }] }, "Z5"],
  ["a secret on record", { audit: [{ action: "write", detail: { why: "canary-4711" } }] }, {}, "Z5"],
  ["a delivery without an outcome", { waiting: 1 }, {}, "Z1"],
  ["an incident without an ending", { unfinished: ["u1"] }, {}, "Z1"],
  ["a scale-up to more than twice at low risk", {}, { pulls: [judged("Scale web from 2 to 5 replicas", "Low")] }, "Z7"],
  [
    "a limit raised to more than twice at low risk",
    {},
    { pulls: [judged("Change limits.cpu of web from 100m to 250m", "Low")] },
    "Z7",
  ],
  ["to more than three times at medium", {}, { pulls: [judged("Scale web from 2 to 7 replicas", "Medium")] }, "Z7"],
  ["capacity taken away at low risk", {}, { pulls: [judged("Scale web from 4 to 2 replicas", "Low")] }, "Z7"],
  ["what is no number at low risk", {}, { pulls: [judged("Set the image of web from 1 to 2", "Low")] }, "Z7"],
  ["a merge by nobody at medium risk", alone, { pulls: [judged("Scale web from 2 to 4 replicas", "Medium")] }, "Z7"],
  ["more writes than GitHub lets", manyRows, { calls: writesAt(161, 740) }, "Z8"],
  ["two pull requests for one effect", {}, { pulls: [{}, {}] }, "Z2"],
  [
    "two open ones for one incident",
    {},
    { pulls: [{ state: "open" }, { state: "open", body: body.replace("e1", "e2") }] },
    "Z2",
  ],
  ["two sticky comments", {}, { comments: 2 }, "Z2"],
  ["a write without a row", {}, { writes: 1 }, "Z3"],
  [
    "a merge of another commit",
    { audit: [merge] },
    { pulls: [{ merged: true, head: { sha: "other", ref: "rectify/web" } }] },
    "Z6",
  ],
  ["a parked incident that nobody is told of", { parked: ["u2"] }, {}, "Z10"],
])("%s is named", (_what, rows, seen, breach) => {
  expect(ledgerBreaches({ ...clean, ...rows }, forge(seen), ["canary-4711"])).toEqual([
    expect.stringMatching(new RegExp(`^${breach}:`)),
  ]);
});
