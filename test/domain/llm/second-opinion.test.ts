import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  assessAgreement,
  isTainted,
  type ModelSaid,
  type Opinion,
  type Opinions,
} from "../../../src/domain/llm/second-opinion.ts";
import { anItem, someEvidence } from "./a-question.ts";

const ranked: Opinion = { causeId: "C1", remedyId: "R1", confidence: 0.8, citing: ["E1"] };
const answered = (change: Partial<Opinion> = {}): ModelSaid => ({
  ...{ kind: "answered", causeId: "C1", remedyId: "R1", confidence: 0.9, citing: ["E1"], explanation: "because" },
  ...change,
});
const weigh = (change: Partial<Opinions> = {}) =>
  assessAgreement({ ranked, said: answered(), rule: "optional", evidence: someEvidence, ...change });

describe("two opinions", () => {
  test("that agree are surer than one, and ask for nobody", () => {
    const together = weigh();
    expect(together).toMatchObject({
      kind: "agree",
      causeId: "C1",
      remedyId: "R1",
      needsPerson: [],
      taintedOnly: false,
    });
    expect(together.confidence).toBeCloseTo(1 - 0.2 * 0.55);
  });

  test.each<[string, Partial<Opinion>, string]>([
    ["cause", { causeId: "C2" }, "ranking and model disagree on the cause: C1 and C2"],
    ["remedy", { remedyId: "R2" }, "ranking and model disagree on the remedy: R1 and R2"],
    ["remedy", { remedyId: "none" }, "ranking and model disagree on the remedy: R1 and none"],
  ])("that disagree on the %s are shown, and a person has to merge the ranking's choice", (_what, change, reason) => {
    const apart = weigh({ said: answered(change) });
    expect(apart).toMatchObject({
      kind: "disagree",
      causeId: "C1",
      remedyId: "R1",
      needsPerson: [reason],
      notes: [reason],
    });
    expect(apart.confidence).toBeLessThan(0.8);
  });
});

describe("one opinion", () => {
  test.each<[string, Partial<Opinions>, readonly string[]]>([
    ["the model is off", { rule: "off", said: { kind: "absent", because: "off" } }, []],
    [
      "the model was not there",
      { said: { kind: "absent", because: "no answer in time" } },
      ["the model gave no answer: no answer in time"],
    ],
    [
      "its answer was unusable",
      { said: { kind: "unusable", because: "the answer is empty" } },
      ["the model's answer was not used: the answer is empty"],
    ],
    ["it knows no cause", { said: answered({ causeId: "unknown" }) }, ["the model found no cause"]],
  ])("%s: the ranking stands", (_what, change, needsPerson) => {
    expect(weigh(change)).toMatchObject({ kind: "one", causeId: "C1", confidence: 0.8, needsPerson });
  });

  test.each<[string, Partial<Opinions>, string | undefined]>([
    [
      "silent",
      { said: { kind: "absent", because: "busy" } },
      "the guardrails require the model, and the model gave no answer: busy",
    ],
    [
      "not to be understood",
      { said: { kind: "unusable", because: "the answer is empty" } },
      "the guardrails require the model, and the model's answer was not used: the answer is empty",
    ],
    ["of no opinion", { said: answered({ causeId: "unknown" }) }, undefined],
    ["of the same opinion", {}, undefined],
  ])("a required model that is %s", (_what, change, blocked) => {
    expect(weigh({ rule: "required", ...change }).blocked).toBe(blocked);
    expect(weigh({ rule: "optional", ...change }).blocked).toBeUndefined();
  });

  test("the model alone is believed half, and never without a person", () => {
    expect(weigh({ ranked: undefined })).toMatchObject({
      ...{ kind: "one", causeId: "C1", confidence: 0.45 },
      needsPerson: ["only the model names a cause, the ranking found none"],
    });
  });

  test("nobody: no cause, no remedy", () => {
    expect(weigh({ ranked: undefined, said: { kind: "absent", because: "off" } })).toMatchObject({
      ...{ kind: "none", causeId: "unknown", remedyId: "none", confidence: 0 },
    });
  });
});

describe("text that others can write", () => {
  const logs = anItem("L1", "loki", { kind: "text", lines: ["x"], notes: [] });
  const missing = anItem("M1", "prometheus", { kind: "missing", because: "down" });
  const alert = anItem("A1", "alertmanager", { kind: "facts", facts: { team: "x" }, notes: [] });
  const past = anItem("P1", "memory", { kind: "facts", facts: { outcome: "verified" }, notes: [] });
  const series = someEvidence[0];

  test.each([
    ["a log line alone", ["L1"], true],
    ["a label of the alert", ["A1"], true],
    ["a precedent", ["P1"], true],
    ["a source without answer", ["M1"], true],
    ["nothing", [], true],
    ["a measurement", ["E1"], false],
    ["a measurement beside a log line", ["L1", "E1"], false],
    ["an id that does not exist", ["E9"], true],
  ])("%s: tainted %s", (_what, citing, tainted) => {
    expect(isTainted(citing, [logs, missing, alert, past, ...(series ? [series] : [])])).toBe(tainted);
  });

  test("is never auto-merged, also when both opinions believe it", () => {
    const evidence = [logs];
    const believed = weigh({ ranked: { ...ranked, citing: ["L1"] }, said: answered({ citing: ["L1"] }), evidence });
    expect(believed).toMatchObject({ kind: "agree", taintedOnly: true });
    expect(believed.needsPerson).toEqual([
      "no measurement or object state supports the cause, only text that others can write",
    ]);
  });

  test("is not washed by what the model cites", () => {
    const believed = weigh({
      ranked: { ...ranked, citing: ["L1"] },
      said: answered({ citing: ["E1"] }),
      evidence: [logs, ...someEvidence],
    });
    expect(believed.taintedOnly).toBe(true);
  });
});

test("whatever the model says, the ranking's choice stays and confidence stays below certainty", () => {
  const said = fc.record({
    causeId: fc.constantFrom("C1", "C2", "unknown"),
    remedyId: fc.constantFrom("R1", "R2", "none"),
    confidence: fc.double(),
    citing: fc.array(fc.constantFrom("E1", "E3", "E9")),
  });
  fc.assert(
    fc.property(said, (change) => {
      const together = weigh({ said: answered(change) });
      expect(together).toMatchObject({ causeId: "C1", remedyId: "R1", citing: ["E1"] });
      expect(together.confidence).toBeGreaterThanOrEqual(0);
      expect(together.confidence).toBeLessThanOrEqual(0.95);
      if (change.causeId !== "C1" || change.remedyId !== "R1") expect(together.needsPerson).not.toEqual([]);
    }),
  );
});
