import { describe, expect, test } from "vitest";
import { ledgerPath } from "../../../src/domain/records/autonomy.ts";
import { postMortemOf, renderPostMortem, renderSealed } from "../../../src/domain/records/post-mortem.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { ledgerWith, loadLedger, sealedAmong, sealedIn } from "../../../src/flow/collect/load-trust.ts";
import { pastFiles } from "../../../src/lab/forge/git/past.ts";
import { anIncident } from "../../builders.ts";

const sealKey = "a key for tests only";
const past = pastFiles(2, new Date("2026-11-24T00:00:00Z"), sealKey);
const [older = ""] = Object.keys(past).filter((path) => path !== ledgerPath);

function completed(ending: "recovered" | "reverted") {
  const workload = anIncident().workload;
  const kind = ending === "recovered" ? ("recovered" as const) : ("worse" as const);
  const remediation = {
    ...({ kind: "scale", workload, change: { kind: "replicas", to: 3 } } as const),
    ...{ from: "2", to: "3", sizing: [] },
  };
  const outcome = { ending, because: "seen", remediation, verification: { kind, because: "seen", afterMs: 1 } };
  return postMortemOf({ incident: anIncident(), outcome, evidence: [], now: "2026-11-24T03:00:00Z" });
}

describe("the ledger in Git", () => {
  test("a missing file is an empty ledger, a broken one is none", () => {
    expect(loadLedger(treeOf({}))).toEqual({ ok: true, value: { entries: [] } });
    for (const text of ["entries: [", "entries: 3\n", "rows: []\n"])
      expect(loadLedger(treeOf({ [ledgerPath]: text })).ok).toBe(false);
  });

  test("a pull request counts exactly the verifications whose post-mortems it carries", () => {
    const grown = ledgerWith(treeOf(past), [completed("recovered")]);
    expect(loadLedger(treeOf({ [ledgerPath]: grown?.content ?? "" }))).toMatchObject({
      value: { entries: [{ successes: 3, failures: 0 }] },
    });
    const locked = ledgerWith(treeOf(past), [completed("reverted")]);
    expect(locked?.content).toContain('"successes":0,"failures":1');
    expect(ledgerWith(treeOf(past), [])).toBeUndefined();
  });

  test("an unreadable ledger is left to people", () => {
    expect(ledgerWith(treeOf({ [ledgerPath]: "entries: [" }), [completed("recovered")])).toBeUndefined();
  });
});

describe("the seal", () => {
  test("is what tells our records from those that others wrote", async () => {
    const spaced = (past[older] ?? "").replace("outcome: ", "outcome:   ");
    const edited = (past[older] ?? "").replace('alert: "HighRequestLatency"', 'alert: "HighErrorRate"');
    const tree = treeOf({ ...past, [older]: edited, "postmortems/notes.md": "# by hand\n" });
    const { records, unsealed } = await sealedIn(tree, sealKey);
    expect(records).toHaveLength(1);
    expect(unsealed).toEqual([
      { path: older, because: "unsealed: it does not carry our seal" },
      { path: "postmortems/notes.md", because: "no front matter" },
    ]);
    // White space is not content.
    expect(sealedAmong([spaced], sealKey)).toHaveLength(1);
    expect((await sealedIn(treeOf(past), "another key")).records).toEqual([]);
    expect(sealedAmong([renderPostMortem(completed("recovered"))], sealKey)).toEqual([]);
  });

  test("survives what people write below the record", () => {
    const text = renderSealed(completed("recovered"), sealKey, "we also restarted the cache");
    expect(sealedAmong([text], sealKey)).toHaveLength(1);
  });

  test("files that do not name what is asked about are passed over", async () => {
    expect(await sealedIn(treeOf(past), sealKey, "HighErrorRate")).toEqual({ records: [], unsealed: [] });
    expect((await sealedIn(treeOf(past), sealKey, "HighRequestLatency")).records).toHaveLength(2);
  });

  test("is looked for a few files at a time: others have their turn many times meanwhile", async () => {
    const many = Array.from({ length: 400 }, (_, place) => [`postmortems/${place}.md`, "# by hand\n"] as const);
    let turns = 0;
    const reading = sealedIn(treeOf(Object.fromEntries(many)), sealKey).finally(() => clearImmediate(next));
    const take = () => {
      turns += 1;
      next = setImmediate(take);
    };
    let next = setImmediate(take);
    expect((await reading).unsealed).toHaveLength(400);
    expect(turns).toBeGreaterThan(30);
  });
});
