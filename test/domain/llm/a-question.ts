import { type Question, type QuestionInput, questionOf } from "../../../src/domain/llm/question.ts";
import { type Evidence, evidenceOf, type Finding } from "../../../src/domain/evidence/evidence.ts";
import { anIncident } from "../../builders.ts";

export function anItem(id: string, source: Evidence["source"], finding: Finding, title = `${source} of web`): Evidence {
  const range = { from: "2026-01-01T00:00:00Z", to: "2026-01-01T01:00:00Z" };
  return evidenceOf(id, { source, title, query: "q", ...range, finding });
}

export const someEvidence: readonly Evidence[] = [
  anItem("E1", "prometheus", {
    kind: "series",
    unit: "s",
    series: [
      {
        labels: { service: "web" },
        points: [
          [0, 0.1],
          [60, 0.4],
          [120, 2.5],
        ],
      },
    ],
    notes: [],
  }),
  anItem("E2", "kubernetes", { kind: "facts", facts: { replicas: 3, ready: 3 }, notes: [] }),
  anItem("E3", "loki", { kind: "text", lines: ["upstream timeout 1", "upstream timeout 2"], notes: [] }),
  anItem("E4", "gitops", { kind: "missing", because: "no answer in time" }),
];

/** A question with two causes and two remedies. */
export function aQuestion(change: Partial<QuestionInput> = {}): Question {
  return questionOf({
    incident: anIncident(),
    evidence: someEvidence,
    causes: [
      { id: "C1", sentence: "web is saturated" },
      { id: "C2", sentence: "the database behind web is slow" },
    ],
    remedies: [
      { id: "R1", sentence: "scale web from 3 replicas", min: 4, max: 6 },
      { id: "R2", sentence: "set the image of web back to 1.2" },
    ],
    delimiter: "d41d8cd98f00",
    ...change,
  });
}
