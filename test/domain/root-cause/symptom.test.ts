import { describe, expect, test } from "vitest";
import type { EvidenceKey, Finding } from "../../../src/domain/evidence/evidence.ts";
import { rankSymptom } from "../../../src/domain/root-cause/symptom.ts";
import { at, evidenceFrom, facts, level, series, step, web } from "../incident/incident-fixture.ts";

type Item = readonly [EvidenceKey, Finding];
const of = (deployment: string, metric: string) => ({ namespace: "shop", deployment, metric });
const call = (deployment: string, callee: string) => ({ namespace: "shop", deployment, dst_deployment: callee });
const calls: Item = [
  "calls",
  series({ labels: call("web", "api"), values: level(9) }, { labels: call("api", "db"), values: level(9) }),
];
const latency = (web: number[], api: number[], db: number[]): Item => [
  "node-metrics",
  series(
    { labels: of("web", "latency"), values: web },
    { labels: of("api", "latency"), values: api },
    { labels: of("db", "latency"), values: db },
  ),
];
const suspectsIn = (...items: Item[]) =>
  rankSymptom(web, evidenceFrom(items)).suspects.map(({ workload: { name } }) => name);

describe("where the trouble arises", () => {
  test("is the deepest service that is off, by graph and metrics, with the evidence it was read from", () => {
    const ranking = rankSymptom(web, evidenceFrom([calls, latency(step(0.1, 0.9), step(0.05, 0.8), step(0.01, 0.7))]));
    expect(ranking).toMatchObject({ kind: "ranked", suspects: [{ workload: { name: "db" }, from: ["E2"] }, {}, {}] });
    expect(ranking.suspects[0]?.confidence).toBeGreaterThan(ranking.suspects[1]?.confidence ?? 1);
  });

  test.each<[string, Item]>([
    ["failures", ["node-metrics", series({ labels: of("api", "error-share"), values: step(0, 0.3) })]],
    [
      "failures that only its callers see",
      ["node-metrics", series({ labels: of("api", "error-share-seen"), values: step(0, 0.3) })],
    ],
    ["CPU", ["cpu-used", series({ labels: { deployment: "api", namespace: "shop" }, values: step(0.2, 1.4) })]],
    [
      "memory that grows",
      ["memory-used", series({ labels: { deployment: "api", namespace: "shop" }, values: step(2e8, 5e8) })],
    ],
    [
      "throttling",
      ["cpu-throttled", series({ labels: { deployment: "api", namespace: "shop" }, values: step(0, 0.6) })],
    ],
    ["restarts", ["restarts", series({ labels: { deployment: "api", namespace: "shop" }, values: step(0, 3) })]],
    [
      "error lines",
      ["log-errors", series({ labels: { deployment: "api", namespace: "shop" }, values: step(0.01, 4) })],
    ],
    ["another resource", ["resource-use", series({ labels: of("api", "disk"), values: step(10, 90) })]],
  ])("is shown by %s, with no latency measured anywhere", (_, item) => {
    expect(suspectsIn(calls, item)[0]).toBe("api");
  });

  test("is the alerting workload itself where nothing that it calls is off", () => {
    expect(suspectsIn(calls, latency(step(0.1, 0.9), level(0.05), level(0.01)))).toEqual(["web"]);
  });

  test("lies between two services when only the caller sees the callee slow", () => {
    const metrics = series(
      { labels: of("api", "latency-seen"), values: step(0.05, 0.8) },
      { labels: of("api", "latency"), values: level(0.04) },
    );
    const both = series(
      { labels: of("api", "latency-seen"), values: step(0.05, 0.8) },
      { labels: of("api", "latency"), values: step(0.04, 0.7) },
    );
    const linkOf = (finding: Finding) => rankSymptom(web, evidenceFrom([calls, ["node-metrics", finding]])).suspects[0];
    expect(linkOf(metrics)).toMatchObject({ workload: { name: "api" }, link: true });
    expect(linkOf(both)).toMatchObject({ workload: { name: "api" }, link: false });
  });

  test("is found without a clear step and without the alert's time", () => {
    const growing = Array.from({ length: 30 }, (_, minute) => 0.05 + (minute < 18 ? 0 : (minute - 17) * 0.04));
    expect(suspectsIn(calls, latency(level(0.4), growing, level(0.01)))[0]).toBe("api");
  });

  test("is found when the incident lasts as long as the alert's start says", () => {
    const alert: Item = ["alert", facts({ startsAt: at(14) })];
    expect(suspectsIn(alert, calls, latency(level(0.4), step(0.05, 0.6, 13), level(0.01)))[0]).toBe("api");
  });

  test("without a graph a clear sign at the workload itself still counts, for less", () => {
    const metrics = latency(step(0.1, 0.9), level(0.05), level(0.01));
    const [blind] = rankSymptom(web, evidenceFrom([metrics])).suspects;
    const [seeing] = rankSymptom(web, evidenceFrom([calls, metrics])).suspects;
    expect(blind?.workload).toEqual(web);
    expect(blind?.confidence).toBeLessThan(seeing?.confidence ?? 0);
  });

  test("a workload that it was not seen to call is a stranger, and counts for less", () => {
    const others: Item = ["calls", series({ labels: call("api", "db"), values: level(9) })];
    const metrics = latency(level(0.4), step(0.05, 0.8), level(0.01));
    const [stranger] = rankSymptom(web, evidenceFrom([others, metrics])).suspects;
    const [callee] = rankSymptom(web, evidenceFrom([calls, metrics])).suspects;
    expect(stranger).toMatchObject({ workload: { name: "api" }, stranger: true });
    expect(callee).toMatchObject({ workload: { name: "api" }, stranger: false });
    expect(stranger?.confidence).toBeLessThan(callee?.confidence ?? 0);
  });
});

describe("nothing is named", () => {
  // As bad every ten minutes: the worst part of a normal window.
  const spiky = (usual: number) => Array.from({ length: 60 }, (_, minute) => usual * (minute % 10 < 2 ? 8 : 1));

  test.each<[string, readonly Item[]]>([
    ["when all is as usual", [calls, latency(level(0.4), level(0.05), level(0.01))]],
    ["when it is as bad as it often is", [calls, latency(spiky(0.4), spiky(0.05), spiky(0.01))]],
    ["when nothing was measured", [calls, ["node-metrics", { kind: "missing", because: "timeout" }]]],
    [
      "when the series are too short",
      [calls, ["node-metrics", series({ labels: of("web", "latency"), values: [1, 2, 9] })]],
    ],
  ])("%s", (_, items) => {
    expect(rankSymptom(web, evidenceFrom(items))).toMatchObject({ kind: "abstained" });
  });
});
