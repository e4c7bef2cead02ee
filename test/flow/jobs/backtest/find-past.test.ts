import { expect, test } from "vitest";
import { spanOf } from "../../../../src/commands/backtest/options.ts";
import { findPast } from "../../../../src/flow/jobs/backtest/backtest.ts";
import type { Metrics, WholeHistory } from "../../../../src/ports/monitoring.ts";

const fired = { from: Date.parse("2026-11-19T03:00:07.123Z"), to: Date.parse("2026-11-19T03:35:00.000Z") };

/** A Prometheus with one firing, sampled where it is asked: from the start of the question, step by step. */
const everyStep: WholeHistory["everyStep"] = async (_, from, to, points) => {
  const stepMs = (to.getTime() - from.getTime()) / points;
  const moments = Array.from({ length: points + 1 }, (_, index) => from.getTime() + index * stepMs);
  const seen = moments.filter((at) => at >= fired.from && at <= fired.to).map((at) => [at / 1_000, 1] as const);
  const labels = { __name__: "ALERTS", alertstate: "firing", alertname: "HighLatency", namespace: "shop" };
  return { series: seen.length === 0 ? [] : [{ labels, points: seen }], notes: [] };
};

const range: Metrics["range"] = async () => ({ series: [], notes: [] });

const workload = { kind: "Deployment", namespace: "shop", name: "web" };

async function foundAt(now: string, asked: { readonly step: string; readonly until?: string }) {
  const span = spanOf({ days: "3", rate: "0", ...asked }, new Date(now));
  const concernAt = async () => ({ kind: "workload", workload, way: "by name" }) as const;
  const found = await findPast({
    cluster: "production",
    ...span,
    metrics: { range, everyStep },
    concernAt,
    lingerMs: 300_000,
  });
  return found.incidents.map(({ incident }) => incident.uid);
}

test.each(["30", "15", "60", "45"])(
  "a run that begins at another moment finds the same incident, step %s",
  async (step) => {
    const first = await foundAt("2026-11-20T09:00:00.417Z", { step });
    expect(first).toHaveLength(1);
    for (const now of ["2026-11-20T09:00:13.002Z", "2026-11-20T11:41:59.999Z"])
      expect(await foundAt(now, { step })).toEqual(first);
    expect(await foundAt("2026-11-20T09:00:00.000Z", { step, until: "2026-11-20T08:00:01.500Z" })).toEqual(first);
  },
);

test("an answer that had to be asked for in parts is one firing still, and never one of a coarser step", async () => {
  const span = spanOf({ days: "1", rate: "0", step: "30" }, new Date("2026-11-20T00:00:00Z"));
  const halves: WholeHistory["everyStep"] = async (query, from, to, points) => {
    const middle = new Date((from.getTime() + to.getTime()) / 2);
    const parts = [await everyStep(query, from, middle, points / 2), await everyStep(query, middle, to, points / 2)];
    return { series: parts.flatMap(({ series }) => series), notes: [] };
  };
  const concernAt = async () => ({ kind: "workload", workload, way: "by name" }) as const;
  const about = { cluster: "production", ...span, concernAt, lingerMs: 0 };
  const whole = await findPast({ ...about, metrics: { range, everyStep } });
  expect(whole.incidents).toHaveLength(1);
  expect(await findPast({ ...about, metrics: { range, everyStep: halves } })).toEqual(whole);
});
