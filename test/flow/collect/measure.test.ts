import { expect, test } from "vitest";
import { conditionOf } from "../../../src/domain/incident/condition.ts";
import { parsePromql } from "../../../src/adapters/monitoring/promql.ts";
import { measure } from "../../../src/flow/collect/measure.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { concernsIn } from "../../concerns.ts";

const now = new Date("2026-11-24T03:10:00Z");
const { alert, workload } = anIncident();

/** What Prometheus holds of the workload: a value now for each query, or one that ended; of others, it holds nothing. */
function holding(values: Readonly<Record<string, number | "ended">>, labels = alert.labels) {
  const range: Ports["metrics"]["range"] = async (query) => {
    const value = values[query];
    const point: [number, number] =
      value === "ended" ? [now.getTime() / 1000 - 600, 1] : [now.getTime() / 1000, value ?? 0];
    return { series: value === undefined ? [] : [{ labels, points: [point] }], notes: [] };
  };
  const metrics = { range } as Ports["metrics"];
  return {
    metrics,
    concerns: concernsIn({}),
    clock: { now: () => now },
    timings: { pollMs: 1000 } as Ports["timings"],
  };
}

async function measured(query: string, ports: ReturnType<typeof holding>) {
  const condition = conditionOf({ query, expression: parsePromql(query) });
  return (await measure(condition, { workload, alerts: [alert] }, ports)).holds;
}

const trend = "(a and b > 1) > 5";
const share = "failed / all > 0.05";

test.each<[string, string, Readonly<Record<string, number | "ended">>, boolean | undefined]>([
  ["the rule has a series of it: it holds", trend, { [trend]: 7, a: 7, b: 2 }, true],
  ["the rule has none, and all that it combines has: it does not hold", trend, { a: 7, b: 0 }, false],
  ["a part that is not there is not measured", trend, { a: 7 }, undefined],
  ["a part that ended is not measured", trend, { a: 7, b: "ended" }, undefined],
  ["of an exclusion only what it excludes from is needed", "a > 1 unless b > 1", { a: 1 }, false],
  ["a line that is the whole condition is measured by its metric", "a > 5", { a: 3 }, false],
  ["without its metric such a line is not measured", "a > 5", {}, undefined],
  ["a share without failures is none while there is what it is a share of", share, { all: 10 }, false],
  ["a share of nothing is not measured", share, {}, undefined],
  ["nor does a share in percent need failures", "100 * (failed / all) > 5", { all: 10 }, false],
  ["a share by a number is a number of its numerator", "failed / all / 60 > 5", { all: 10 }, false],
  ["a number by a number is no share", "failed / 60 > 5", { "60": 1 }, undefined],
  [
    "a share beyond its line beside a part that is not there is not measured",
    `${share} and rate > 1`,
    { "failed / all": 0.2, all: 10 },
    undefined,
  ],
])("%s", async (_, query, values, holds) => {
  expect(await measured(query, holding(values))).toBe(holds);
});

test("a shared answer that ends earlier than the question is as current as it was", async () => {
  const earlier = new Date(now.getTime() - 900);
  const ports = holding({ "a > 5": 7, a: 7 });
  const range: Ports["metrics"]["range"] = async () => ({
    series: [{ labels: alert.labels, points: [[earlier.getTime() / 1000, 7]] }],
    ...{ notes: [], until: earlier },
  });
  expect(await measured("a > 5", { ...ports, metrics: { ...ports.metrics, range } })).toBe(true);
});

test("what belongs to another workload says nothing of this one", async () => {
  const other = { ...alert.labels, namespace: "elsewhere" };
  expect(await measured(trend, holding({ a: 7, b: 0 }, other))).toBeUndefined();
});

test("an answer that somebody else got before the alert began is nobody's here", async () => {
  const ports = holding({ a: 7, b: 0 });
  const asked = new Set<string | undefined>();
  const range: Ports["metrics"]["range"] = async (...question) => {
    asked.add(question[3]?.notBefore?.toISOString());
    return ports.metrics.range(...question);
  };
  await measured(trend, { ...ports, metrics: { ...ports.metrics, range } });
  expect([...asked]).toEqual([new Date(alert.startsAt).toISOString()]);
});
