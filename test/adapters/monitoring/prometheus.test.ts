import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { prometheus } from "../../../src/adapters/monitoring/prometheus.ts";
import { queryPace } from "../../../src/adapters/past/pace.ts";
import { joinedSeries } from "../../../src/domain/backtest/past-alerts.ts";
import { conditionOf } from "../../../src/domain/incident/condition.ts";
import type { Metrics } from "../../../src/ports/monitoring.ts";
import { Refused } from "../../../src/ports/errors.ts";
import { serveApi } from "../../../src/lab/cluster/servers/api-server.ts";
import { openShop, type TestShop } from "../../lab/cluster-shop.ts";
import { anAlert } from "../../builders.ts";
import { expectFailure, letdowns, patienceFor, sourceOf } from "./sources.ts";

let shop: TestShop;
let metrics: Metrics;
beforeAll(async () => {
  shop = await openShop();
  await shop.cluster.advance(1_000);
  metrics = reader();
});
afterAll(() => shop.cluster.close());

const reader = (deadlineMs = patienceFor()) => prometheus({ url: shop.cluster.urls.prometheus, deadlineMs });

const lastSeconds = (count: number) => {
  const to = shop.cluster.now();
  return [new Date(to.getTime() - count * 1000), to] as const;
};

test("a range query gives series with Unix seconds", async () => {
  const { series, notes } = await metrics.range('kube_deployment_spec_replicas{deployment="web"}', ...lastSeconds(5));
  expect(notes).toEqual([]);
  expect(series).toHaveLength(1);
  expect(series[0]?.labels).toMatchObject({ deployment: "web", namespace: "shop-production" });
  expect(series[0]?.points.at(-1)).toEqual([shop.cluster.now().getTime() / 1000, 2]);
});

test("an empty answer is an answer, not a failure", async () => {
  expect(await metrics.range("no_such_metric", ...lastSeconds(5))).toEqual({ series: [], notes: [] });
});

test("a measurement that is not a number is left out", async () => {
  const { series } = await metrics.range('kube_deployment_spec_replicas{deployment="web"} * 0 / 0', ...lastSeconds(2));
  expect(series.flatMap(({ points }) => points)).toEqual([]);
});

test("the rule of an alert splits into what is measured and its limit", async () => {
  const rule = await metrics.ruleOf(anAlert());
  expect(rule).toMatchObject({ name: "HighRequestLatency", forMs: 500 });
  expect(rule && conditionOf(rule).threshold).toMatchObject({ comparison: ">", limit: 300 });
  expect(await metrics.ruleOf(anAlert({ name: "NoSuchAlert" }))).toBeUndefined();
});

test("partial data carries the server's own warning", async () => {
  shop.cluster.setFault("prometheus", { kind: "partial" });
  const { series, notes } = await metrics.range("kube_deployment_spec_replicas", ...lastSeconds(2));
  shop.cluster.setFault("prometheus", undefined);
  expect(notes).toEqual([expect.stringMatching(/partial/)]);
  expect(series.length).toBeLessThan(4);
});

test("a wrong query is refused with the server's reason", async () => {
  await expectFailure(metrics.range("sum(", ...lastSeconds(2)), Refused, /400 .*unexpected end of input/);
});

describe.each(letdowns)("when Prometheus %s", (_, fault, kind, reason) => {
  test("the reader says so", async () => {
    shop.cluster.setFault("prometheus", fault);
    const metrics = reader(patienceFor(fault));
    await expectFailure(metrics.range("up", ...lastSeconds(2)), kind, reason);
    await expectFailure(metrics.ruleOf(anAlert()), kind, reason);
    shop.cluster.setFault("prometheus", undefined);
  });
});

test.each([
  ["a vector where a matrix was asked for", { status: "success", data: { resultType: "vector", result: [] } }],
  ["another JSON", { hello: "world" }],
  ["an error with status 200", { status: "error", errorType: "internal", error: "x" }],
  ["a list", []],
])("%s is refused", async (_, body) => {
  const source = await sourceOf({ status: 200, body });
  const reader = prometheus({ url: source.url });
  await expectFailure(reader.range("up", ...lastSeconds(2)), Refused, /shape|matrix/);
  await source.close();
});

test("an answer beyond the size cap is refused", async () => {
  const reader = prometheus({ url: shop.cluster.urls.prometheus, maxBytes: 1_000 });
  await expectFailure(reader.range('{__name__=~".+"}', ...lastSeconds(2)), Refused, /larger than 1000 bytes/);
});

test.each([
  [422, "query processing would load too many samples"],
  [400, "exceeded maximum resolution of 11,000 points per timeseries"],
])(
  "E01: after %i the question is asked once more with a coarser step, and the answer says so",
  async (status, error) => {
    const steps: number[] = [];
    const source = await serveApi(({ query }) => {
      steps.push(Number(query.get("step")));
      const found = { resultType: "matrix", result: [] };
      return steps.length === 1
        ? { status, body: { status: "error", error } }
        : { status: 200, body: { status: "success", data: found } };
    });
    const pace = queryPace(0);
    const reader = prometheus({ url: source.url, inTurn: pace.run });
    const answer = await reader.range("up", new Date(0), new Date(1_200_000));
    await source.close();
    expect(steps).toEqual([10, 40]);
    expect(pace.count()).toBe(2);
    expect(answer.notes).toEqual([expect.stringMatching(new RegExp(`^asked again with 4 times the step: .*${error}`))]);
  },
);

test("E01: a question that is refused twice is not asked a third time", async () => {
  const source = await sourceOf({ status: 422, body: { status: "error", error: "too many samples" } });
  await expectFailure(prometheus({ url: source.url }).range("up", ...lastSeconds(2)), Refused, /422 too many samples/);
  expect(source.asked).toHaveLength(2);
  await source.close();
});

describe("a history of which no step may be left out", () => {
  /** Knows one firing, and refuses more points at once than it may give. */
  async function alertsServer(most: number) {
    const asked: { start: number; end: number; step: number }[] = [];
    const source = await serveApi(({ query }) => {
      const [start = 0, end = 0, step = 0] = ["start", "end", "step"].map((name) => Number(query.get(name)));
      asked.push({ start, end, step });
      const moments = Array.from({ length: Math.round((end - start) / step) + 1 }, (_, index) => start + index * step);
      if (moments.length > most) return { status: 422, body: { status: "error", error: "too many samples" } };
      const values = moments.filter((at) => at >= 4_000 && at <= 14_000).map((at) => [at, "1"]);
      const result = values.length === 0 ? [] : [{ metric: { alertname: "A" }, values }];
      return { status: 200, body: { status: "success", data: { resultType: "matrix", result } } };
    });
    return { ...source, asked };
  }

  test("is asked for in parts of the time at the same step, each request in its turn", async () => {
    const source = await alertsServer(200);
    const pace = queryPace(0);
    const reader = prometheus({ url: source.url, inTurn: pace.run });
    const { series, notes } = await reader.everyStep("ALERTS", new Date(0), new Date(21_600_000), 720);
    await source.close();
    expect(new Set(source.asked.map(({ step }) => step))).toEqual(new Set([30]));
    expect([source.asked.length, pace.count()]).toEqual([7, 7]);
    const points = joinedSeries([series]).map((one) => one.points.map(([at]) => at));
    expect(points).toEqual([Array.from({ length: 333 }, (_, index) => 4_020 + index * 30)]);
    expect(notes).toEqual([]);
  });

  test("what is refused however little it is, is told soon", async () => {
    const source = await alertsServer(0);
    const whole = prometheus({ url: source.url }).everyStep("ALERTS", new Date(0), new Date(21_600_000), 720);
    await expectFailure(whole, Refused, /422 too many samples/);
    await source.close();
    expect(source.asked.length).toBeLessThan(12);
  });
});

test("where a cluster is named, no query asks for another one's series", async () => {
  const { url } = { url: shop.cluster.urls.prometheus };
  const only = (value: string) => prometheus({ url, only: { label: "namespace", value } });
  const query = "sum by (namespace) (kube_deployment_spec_replicas)";
  expect((await only("shop-production").range(query, ...lastSeconds(5))).series).toHaveLength(1);
  expect((await only("elsewhere").range(query, ...lastSeconds(5))).series).toEqual([]);
  await expectFailure(only("shop-production").range("sum(", ...lastSeconds(5)), Refused, /cannot be narrowed/);
});
