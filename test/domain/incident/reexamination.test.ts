import { expect, test } from "vitest";
import { reexaminationOf, silentSources, type StillFiring } from "../../../src/domain/incident/reexamination.ts";

const beat = 30 * 60_000;
const endedAt = "2026-11-24T02:00:00.000Z";
const depends = { silent: [] as string[], revision: "a", guardrails: "g" };

function decided(minutes: number, ended: Partial<StillFiring> = {}, present: object = {}): string {
  const now = new Date(Date.parse(endedAt) + minutes * 60_000);
  const known = { now, answering: [] as string[], revision: "a", guardrails: "g", ...present };
  const { kind, because } = reexaminationOf({ endedAt, examination: 1, depends, ...ended }, known, beat);
  return kind === "now" ? because : "later";
}

const silent = { depends: { ...depends, silent: ["prometheus"] } };

test.each([
  ["nothing changed", decided(10), "later"],
  ["nothing changed for a beat", decided(30), "the alert still fires"],
  ["nothing changed for a beat, the third time", decided(119, { examination: 3 }), "later"],
  ["four beats, the third time", decided(120, { examination: 3 }), "the alert still fires"],
  ["it never takes longer than twelve beats", decided(361, { examination: 20 }), "the alert still fires"],
  ["the guardrails changed", decided(6, {}, { guardrails: "h" }), "the guardrails changed"],
  ["a new revision", decided(6, {}, { revision: "b" }), "the repository has a new revision"],
  ["a new revision within a moment", decided(1, {}, { revision: "b" }), "later"],
  ["a silent source is back", decided(1, silent, { answering: ["Prometheus", "Loki"] }), "prometheus answers again"],
  ["a silent source stays silent", decided(1, silent, { answering: ["Loki"] }), "prometheus gave no answer"],
  ["a silent source, the third time", decided(1, { ...silent, examination: 3 }), "later"],
  ["nothing was seen before it ended", decided(10, { depends: undefined }, { revision: "b" }), "later"],
  ["nothing was seen, a beat ago", decided(31, { depends: undefined }), "the alert still fires"],
])("%s", (_what, because, expected) => {
  expect(because).toBe(expected);
});

test("a source is silent when no question to it was answered", () => {
  const missing = { kind: "missing", because: "away" } as const;
  const facts = { kind: "facts", facts: {}, notes: [] } as const;
  expect(
    silentSources([
      { source: "prometheus", finding: missing },
      { source: "prometheus", finding: missing },
      { source: "loki", finding: missing },
      { source: "loki", finding: facts },
    ]),
  ).toEqual(["prometheus"]);
});
