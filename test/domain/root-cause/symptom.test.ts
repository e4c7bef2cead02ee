import { describe, expect, test } from "vitest";
import { rankSymptom } from "../../../src/domain/root-cause/symptom.ts";
import { evidenceFrom, level, series, step, web } from "../incident/incident-fixture.ts";

const of = (deployment: string, metric: string) => ({ namespace: "shop", deployment, metric });
const call = (deployment: string, callee: string) => ({ namespace: "shop", deployment, dst_deployment: callee });
const calls = series({ labels: call("web", "api"), values: level(9) }, { labels: call("api", "db"), values: level(9) });

describe("the workloads behind the symptom", () => {
  test("come from the service graph and the metrics in the evidence, without the alerting one", () => {
    const metrics = series(
      { labels: of("web", "latency"), values: step(0.1, 0.9) },
      { labels: of("api", "latency"), values: step(0.05, 0.8) },
      { labels: of("db", "latency"), values: step(0.01, 0.5) },
    );
    const ranking = rankSymptom(
      web,
      evidenceFrom([
        ["calls", calls],
        ["node-metrics", metrics],
      ]),
    );
    expect(ranking).toMatchObject({
      kind: "ranked",
      metric: "latency",
      downstream: [{ workload: { name: "db" }, from: ["E1", "E2"] }, { workload: { name: "api" } }],
    });
  });

  test("are found by failures where the latency is as usual", () => {
    const metrics = series(
      { labels: of("web", "latency"), values: level(0.1) },
      { labels: of("web", "availability"), values: step(1, 0.8) },
      { labels: of("api", "availability"), values: step(1, 0.7) },
    );
    const ranking = rankSymptom(
      web,
      evidenceFrom([
        ["calls", calls],
        ["node-metrics", metrics],
      ]),
    );
    expect(ranking).toMatchObject({ metric: "availability", downstream: [{ workload: { name: "api" } }] });
  });

  test.each([
    [
      "no service graph",
      evidenceFrom([["node-metrics", series({ labels: of("web", "latency"), values: step(0.1, 0.9) })]]),
    ],
    [
      "nothing stands out",
      evidenceFrom([
        ["calls", calls],
        ["node-metrics", series({ labels: of("web", "latency"), values: level(1) })],
      ]),
    ],
    [
      "nothing stands out",
      evidenceFrom([
        ["calls", calls],
        ["node-metrics", { kind: "missing", because: "timeout" }],
      ]),
    ],
  ])("are unknown: %s", (because, evidence) => {
    expect(rankSymptom(web, evidence)).toMatchObject({ kind: "abstained", because: expect.stringContaining(because) });
  });
});
