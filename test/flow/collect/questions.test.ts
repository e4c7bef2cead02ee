import { expect, test } from "vitest";
import { type CollectSources, questionsFor } from "../../../src/flow/collect/questions.ts";
import { anIncident } from "../../builders.ts";

const now = new Date("2026-11-24T03:00:00Z");

test("containers killed for memory are counted by their time in the window", async () => {
  const killed = (at: string) => ({ pod: "p", container: "c", reason: "OOMKilled", exitCode: 137, restarts: 1, at });
  const terminations = [killed("2026-11-24T02:50:00Z"), killed("2026-11-20T02:50:00Z")];
  const sources = {
    cluster: { surroundings: async () => ({ terminations }) },
    clock: { now: () => now },
    timings: { lookbackMs: 1_800_000, rateWindow: "5m" },
  } as unknown as CollectSources;
  const span = { from: new Date(now.getTime() - 1_800_000), to: now };
  const question = questionsFor(anIncident(), undefined, sources, span).find(({ key }) => key === "oom-kills");
  expect(await question?.ask()).toMatchObject({ series: [{ points: [[now.getTime() / 1000, 1]] }] });
});

test("of a namespace with more workloads than are shown, the one that hurts is shown", async () => {
  const series = Array.from({ length: 201 }, (_, at) => ({
    labels: { namespace: "shop-production", deployment: at === 200 ? "web" : `other-${at}` },
    points: [[now.getTime() / 1000, at]] as const,
  }));
  const sources = {
    metrics: { range: async () => ({ series, notes: [] }) },
    timings: { lookbackMs: 1_800_000, rateWindow: "5m" },
  } as unknown as CollectSources;
  const span = { from: new Date(now.getTime() - 1_800_000), to: now };
  const question = questionsFor(anIncident(), undefined, sources, span).find(({ key }) => key === "requests");
  const answer = await question?.ask();
  const shown = answer?.kind === "series" ? answer.series : [];
  expect(shown.map(({ labels }) => labels.deployment)).toContain("web");
  expect(shown).toHaveLength(200);
  expect(answer).toMatchObject({ notes: expect.arrayContaining(["1 more series were left out"]) });
});
