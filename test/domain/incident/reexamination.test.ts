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

const third = { examination: 3 };
const silent = { depends: { ...depends, silent: ["prometheus"] } };

test.each([
  ["evidence was thin a minute ago", decided(1), "later"],
  ["two minutes may show more", decided(2), "the alert still fires"],
  ["the wait doubles", decided(15, { examination: 4 }), "later"],
  ["and is over", decided(16, { examination: 4 }), "the alert still fires"],
  ["up to the beat", decided(29, { examination: 8 }), "later"],
  ["which it keeps for a while", decided(30, { examination: 8 }), "the alert still fires"],
  ["and doubles again", decided(119, { examination: 10 }), "later"],
  ["for what fires for hours", decided(120, { examination: 10 }), "the alert still fires"],
  ["it never takes longer than twelve beats", decided(361, { examination: 2000 }), "the alert still fires"],
  ["the guardrails changed", decided(6, third, { guardrails: "h" }), "the guardrails changed"],
  ["a new revision", decided(6, third, { revision: "b" }), "the repository has a new revision"],
  ["a new revision within a moment", decided(3, third, { revision: "b" }), "later"],
  ["a silent source is back", decided(1, silent, { answering: ["Prometheus", "Loki"] }), "prometheus answers again"],
  ["a silent source stays silent", decided(1, silent, { answering: ["Loki"] }), "prometheus gave no answer"],
  ["a silent source, the third time", decided(1, { ...silent, examination: 3 }), "later"],
  ["nothing was seen before it ended", decided(6, { ...third, depends: undefined }, { revision: "b" }), "later"],
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
