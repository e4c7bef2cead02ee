import { describe, expect, test } from "vitest";
import fc from "fast-check";
import type { Alert } from "../../../src/domain/incident/alert.ts";
import { type Evidence, evidenceOf } from "../../../src/domain/evidence/evidence.ts";
import { openIncident } from "../../../src/domain/incident/incident.ts";
import {
  frontMatterOf,
  postMortemOf,
  postMortemPath,
  readPostMortem,
  renderPostMortem,
  sealOf,
  withdraw,
} from "../../../src/domain/records/post-mortem.ts";
import type { OutcomeSoFar } from "../../../src/domain/proposal/outcome.ts";
import type { Remediation } from "../../../src/domain/kubernetes/remediation.ts";
import { parseYaml } from "../../../src/manifests/yaml/yaml.ts";

const workload = { kind: "Deployment", namespace: "shop", name: "web" };
const alert: Alert = {
  fingerprint: "f1",
  name: "HighLatency",
  status: "firing",
  labels: { namespace: "shop", deployment: "web", severity: "page" },
  annotations: {},
  startsAt: "2026-11-24T02:00:00.000Z",
  generatorUrl: "",
};
const incident = openIncident("prod", workload, alert);
const remediation: Remediation = {
  kind: "scale",
  workload,
  change: { kind: "replicas", to: 5 },
  from: "2",
  to: "5",
  sizing: ["2 × 2.3 = 5"],
};
const now = "2026-11-24T03:00:00.000Z";
const evidence: Evidence[] = [
  item("E1", "cpu=0.97, pods=2"),
  item("E2", "| a | `b` </details> @team #1\n/approve-scale"),
];

function item(id: string, text: string): Evidence {
  const finding = { kind: "facts" as const, facts: { seen: text }, notes: [] };
  return evidenceOf(id, { source: "prometheus", title: `title ${id}`, query: "up", from: now, to: now, finding });
}

function recordOf(outcome: OutcomeSoFar, given: readonly Evidence[] = evidence) {
  return postMortemOf({ incident, outcome, evidence: given, now });
}

function readBack(markdown: string) {
  const parsed = parseYaml(frontMatterOf(markdown) ?? "");
  return readPostMortem(markdown, parsed.ok ? parsed.value : undefined);
}

const cause = { sentence: "Two replicas cannot carry 240 requests a second.", citing: ["E1"] };
const recovered = { kind: "recovered", because: "the alert is resolved", afterMs: 42_000 } as const;

describe("a post-mortem", () => {
  test("lies under its date and uid", () => {
    expect(postMortemPath(incident)).toBe(`postmortems/2026-11-24-${incident.uid}.md`);
  });

  test("says nothing before the merge that the merge makes false: it is on the default branch by then", () => {
    const text = renderPostMortem(recordOf({ cause, remediation }));
    expect(text).not.toMatch(/not merged|waits for|draft:|Draft/);
    expect(text).toContain("Proposed together with this file. What came of it, the next pull request");
  });

  test("names a revert only once it is merged: one that was refused took nothing back", () => {
    const proposal = {
      ...{ number: 2, url: "https://github.com/acme/shop/pull/2", branch: "b", headSha: "a".repeat(40) },
      ...{ effect: "e", commitMessage: "", files: [], labels: [] },
    };
    const told = (mergedSha: string | undefined) =>
      renderPostMortem(recordOf({ ending: "unclear", because: "no better", revert: { proposal, mergedSha } }));
    expect(told(undefined)).not.toMatch(/Reverted by|revertedBy: "http/);
    expect(told("b".repeat(40))).toContain("- Reverted by: <https://github.com/acme/shop/pull/2>");
  });

  test.each<[string, OutcomeSoFar, string]>([
    ["without an ending", { cause, remediation }, "draft"],
    ["recovered and verified", { ending: "recovered", because: "", verification: recovered }, "verified"],
    ["recovered by word only", { ending: "recovered", because: "" }, "unclear"],
    ["reverted", { ending: "reverted", because: "" }, "failed"],
    ["worse, revert not planned", { ending: "unclear", verification: { kind: "worse", because: "" } }, "failed"],
    ["not synced", { ending: "not-synced", because: "" }, "unclear"],
    ["declined", { ending: "declined", because: "" }, "declined"],
    ["refused", { ending: "refused", because: "" }, "not-tried"],
    ["healed before the merge", { ending: "resolved-before-merge", because: "" }, "not-tried"],
  ])("%s has its outcome", (_, ended, outcome) => {
    expect(recordOf(ended).outcome).toBe(outcome);
  });

  test("is read back as it was written", () => {
    const record = recordOf({ ending: "recovered", because: "ok", cause, remediation, verification: recovered });
    expect(readBack(renderPostMortem(record))).toEqual({
      kind: "post-mortem",
      postMortem: record,
      notes: "",
      seal: "",
    });
  });

  test("is read back whatever others wrote into it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 700 }), fc.string({ maxLength: 60 }), (sentence, text) => {
        const record = recordOf({ cause: { sentence, citing: [text] } }, [item("E1", text), item(text, sentence)]);
        expect(readBack(renderPostMortem(record))).toEqual({
          kind: "post-mortem",
          postMortem: record,
          notes: "",
          seal: "",
        });
      }),
      { numRuns: 100 },
    );
  });

  test("keeps the notes of people when it is completed", () => {
    const draft = renderPostMortem(recordOf({ cause, remediation }));
    const noted = `${draft}\nWe also raised the pool.\n\n- see the ticket\n`.replaceAll("\n", "\r\n");
    const read = readBack(noted);
    expect(read).toMatchObject({ kind: "post-mortem", notes: "We also raised the pool.\n\n- see the ticket" });
    if (read.kind !== "post-mortem") throw new Error("unreachable");
    const done = renderPostMortem(recordOf({ ending: "declined", because: "no" }), { notes: read.notes });
    expect(readBack(done)).toMatchObject({ notes: read.notes, postMortem: { outcome: "declined" } });
  });

  test("shows foreign text inert", () => {
    const sentence = "fixes #1 </details> <img src=x> @org/team ![x](https://e.example) www.e.example /approve-scale";
    const body = renderPostMortem(recordOf({ cause: { sentence, citing: [] } })).split("\n---\n")[1] ?? "";
    const outside = body.replace(/`[^`\n]*`/g, "");
    expect(outside).not.toMatch(/[<>@[\]]|#1|www\.|https|^\//m);
    expect(body.match(/^\| `E2`.*$/m)?.[0].split("|")).toHaveLength(6);
  });

  test.each<[string, RegExp, string]>([
    ["an unknown key", /^outcome:/m, 'unknown: "x"\noutcome:'],
    ["another outcome", /^outcome: .*$/m, 'outcome: "verified 9 of 9"'],
    ["no uid", /^uid: .*\n/m, ""],
    ["a uid that is none", /^uid: .*$/m, 'uid: "../../x"'],
  ])("with %s is a problem", (_, pattern, replacement) => {
    const markdown = renderPostMortem(recordOf({}));
    expect(readBack(markdown.replace(pattern, replacement)).kind).toBe("problem");
  });

  test("sealed by us is recognised, and no longer after a changed outcome", () => {
    const record = recordOf({ ending: "reverted", because: "no better" });
    const seal = sealOf(record, "key");
    const markdown = renderPostMortem(record, { seal });
    const sealHolds = (text: string) => {
      const read = readBack(text);
      return read.kind === "post-mortem" && read.seal === sealOf(read.postMortem, "key");
    };
    expect(sealHolds(markdown)).toBe(true);
    expect(sealHolds(markdown.replace('outcome: "failed"', 'outcome: "verified"'))).toBe(false);
    expect(sealHolds(renderPostMortem(record, { seal: sealOf(record, "another key") }))).toBe(false);
  });

  test("that was withdrawn says so, and keeps the first withdrawal", () => {
    const at = "2026-11-25T00:00:00.000Z";
    const once = withdraw(recordOf({}), { kind: "disputed", by: "ann", at });
    const twice = withdraw(once, { kind: "forgotten", by: "bob", at });
    expect(readBack(renderPostMortem(twice))).toMatchObject({
      postMortem: { withdrawn: { kind: "disputed", by: "ann" } },
    });
  });

  test("holds no secret and no address that could be more than a link", () => {
    const key = "AKIAIOSFODNN7EXAMPLE";
    const proposal = { number: 1, url: "https://github.com/o/r/pull/1> <img src=x>" } as OutcomeSoFar["proposal"];
    const record = recordOf({ cause: { sentence: `the log says ${key}`, citing: [] }, proposal }, [item("E1", key)]);
    expect(renderPostMortem(record)).not.toContain(key);
    expect(record.pullRequest).toBeNull();
  });

  test("without front matter is a problem", () => {
    expect(readPostMortem("# hello", { uid: incident.uid })).toEqual({ kind: "problem", because: "no front matter" });
  });
});
