import { expect, test } from "vitest";
import { evidenceAtRest } from "../../../src/domain/evidence/at-rest.ts";
import { type EvidenceKey, evidenceOf, type Series } from "../../../src/domain/evidence/evidence.ts";
import { findingOf } from "../../../src/domain/evidence/finding-text.ts";

const points = (to: number) => Array.from({ length: 120 }, (_, at) => [1_800_000_000 + at * 30, to + at / 7] as const);

function anItem(key: EvidenceKey, series: readonly Series[]) {
  const about = { source: "prometheus", title: key, query: "sum(x)", from: "", to: "" } as const;
  return evidenceOf("E1", { ...about, key, finding: { kind: "series", unit: "s", series, notes: ["a warning"] } });
}

const workloads = (count: number): Series[] =>
  Array.from({ length: count }, (_, at) => ({
    labels: { deployment: `w-${at}` },
    points: at % 9 === 4 ? [] : points(at),
  }));

test.each([0, 1, 5, 6, 7, 8, 200])("%i series read at rest as they did before", (count) => {
  const evidence = [anItem("requests", workloads(count)), anItem("alert-metric", workloads(count))];
  const rested = evidenceAtRest(evidence);
  expect(rested.map((item) => findingOf(item))).toEqual(evidence.map((item) => findingOf(item)));
  expect(rested.map(({ hash }) => hash)).toEqual(evidence.map(({ hash }) => hash));
});

test("what the chart is drawn of stays, and of two hundred workloads little else", () => {
  const rested = evidenceAtRest([anItem("alert-metric", workloads(200)), anItem("cpu-used", workloads(200))]);
  const [metric, cpu] = rested.map(({ finding }) => (finding.kind === "series" ? finding.series : []));
  expect(metric?.[0]?.points).toEqual(points(0));
  const kept = new Set([...(metric ?? []), ...(cpu ?? [])].flatMap((series) => series.points));
  expect(kept.size).toBeLessThanOrEqual(120 + 2 * 6);
});

test("facts, texts and what is missing stay as they are", () => {
  const about = { id: "E2", source: "loki", title: "logs", query: "", from: "", to: "", hash: "" } as const;
  const text = { ...about, finding: { kind: "text", lines: ["one", "two"], notes: [] } } as const;
  const missing = { ...about, finding: { kind: "missing", because: "it is away" } } as const;
  expect(evidenceAtRest([text, missing])).toEqual([text, missing]);
});
