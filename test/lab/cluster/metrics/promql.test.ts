import { describe, expect, test } from "vitest";
import { BadQuery, FailedQuery } from "../../../../src/lab/cluster/metrics/promql/errors.ts";
import { evaluate } from "../../../../src/lab/cluster/metrics/promql/evaluate.ts";
import { parsePromql } from "../../../../src/lab/cluster/metrics/promql/parse.ts";
import { createSeriesStore } from "../../../../src/lab/cluster/metrics/series-store.ts";

/** Samples each second from 0 s to 60 s; every query is asked at 60 s. */
function storeForTest() {
  const store = createSeriesStore(3_600_000);
  for (let second = 0; second <= 60; second += 1) {
    const buckets = [
      ["100", 50],
      ["200", 90],
      ["+Inf", 100],
    ] as const;
    store.append("test", second * 1000, [
      { name: "requests_total", labels: { app: "web", code: "200" }, value: second * 10 },
      { name: "requests_total", labels: { app: "web", code: "500" }, value: second * 2 },
      { name: "requests_total", labels: { app: "shop", code: "200" }, value: second * 4 },
      // Restarts at 50 s.
      { name: "restarting_total", labels: {}, value: second < 50 ? second : second - 50 },
      { name: "memory", labels: { app: "web" }, value: 100 + second * 5 },
      { name: "limit", labels: { app: "web", tier: "front" }, value: 800 },
      ...buckets.map(([le, count]) => ({ name: "latency_bucket", labels: { le }, value: count * second })),
      ...(second <= 30 ? [{ name: "gone", labels: {}, value: 7 }] : []),
    ]);
  }
  return store;
}

function ask(query: string) {
  const value = evaluate(parsePromql(query), { store: storeForTest(), atMs: 60_000, lookbackMs: 300_000 });
  if (value.kind === "scalar") return value.value;
  if (value.kind !== "vector") return value.kind;
  const items = value.items.map(({ labels, value: number }) => {
    const names = Object.entries(labels).map(([name, text]) => `${name}=${text}`);
    return [names.sort().join(","), Number(number.toFixed(6))] as const;
  });
  return Object.fromEntries(items);
}

describe("a query gives what Prometheus gives", () => {
  test.each<[string, unknown]>([
    ["1 + 2 * 3 ^ 2", 19],
    ["-2 ^ 2", -4],
    ["2 ^ 3 ^ 0", 2],
    ["(1 + 2) * 3 % 4", 1],
    ["time()", 60],
    ['memory{app="web"}', { "__name__=memory,app=web": 400 }],
    ['memory{app!="web"}', {}],
    ['requests_total{app=~"we.", code!~"5.."}', { "__name__=requests_total,app=web,code=200": 600 }],
    ['requests_total{app=~"we"}', {}],
    ["gone", {}],
    ["gone offset 40s", { "__name__=gone": 7 }],
    ["absent(gone)", { "": 1 }],
    ['absent(memory{app="db"})', { "app=db": 1 }],
    ["absent(memory)", {}],
    // 9 s lie between the first and the last of the ten samples in (50 s, 60 s]: 90 requests, extrapolated by one second.
    ['increase(requests_total{app="web",code="200"}[10s])', { "app=web,code=200": 100 }],
    ['rate(requests_total{app="web",code="200"}[10s])', { "app=web,code=200": 10 }],
    ['irate(requests_total{app="shop"}[10s])', { "app=shop,code=200": 4 }],
    // (40 s, 60 s]: 41…49, then a restart at 0, then 1…10: 8 + 0 + 10 over 19 s = 18, extrapolated to 20 s.
    ["increase(restarting_total[20s])", { "": Number(((18 * 20) / 19).toFixed(6)) }],
    ["resets(restarting_total[20s])", { "": 1 }],
    ["delta(memory[10s])", { "app=web": 50 }],
    ["sum(rate(requests_total[10s]))", { "": 16 }],
    ["sum by (app) (rate(requests_total[10s]))", { "app=web": 12, "app=shop": 4 }],
    ["sum without (code) (rate(requests_total[10s]))", { "app=web": 12, "app=shop": 4 }],
    ["avg(rate(requests_total[10s])) by (code)", { "code=200": 7, "code=500": 2 }],
    ["max(requests_total)", { "": 600 }],
    ["min(requests_total)", { "": 120 }],
    ["count(requests_total)", { "": 3 }],
    ["topk(1, requests_total)", { "__name__=requests_total,app=web,code=200": 600 }],
    ["quantile(0.5, requests_total)", { "": 240 }],
    // 50 % of the 100 per second lie at or below 100 ms; 90 % reach 200 ms: the 70th is in the middle between.
    ["histogram_quantile(0.5, rate(latency_bucket[10s]))", { "": 100 }],
    ["histogram_quantile(0.7, rate(latency_bucket[10s]))", { "": 150 }],
    ["histogram_quantile(0.99, sum by (le) (rate(latency_bucket[10s])))", { "": 200 }],
    ["predict_linear(memory[20s], 60)", { "app=web": 700 }],
    ["deriv(memory[20s])", { "app=web": 5 }],
    ["avg_over_time(memory[3s])", { "app=web": 395 }],
    ["max_over_time(memory[10s])", { "app=web": 400 }],
    ["max_over_time(rate(memory[5s])[10s:1s])", { "app=web": 5 }],
    ["memory > 300", { "__name__=memory,app=web": 400 }],
    ["memory > 500", {}],
    ["memory > bool 500", { "app=web": 0 }],
    ["300 < memory", { "__name__=memory,app=web": 400 }],
    ["memory / on (app) limit", { "app=web": 0.5 }],
    ["memory / ignoring (tier) limit", { "app=web": 0.5 }],
    ["memory / limit", {}],
    [
      "rate(requests_total[10s]) / on (app) group_left sum by (app) (rate(requests_total[10s]))",
      { "app=web,code=200": 0.833333, "app=web,code=500": 0.166667, "app=shop,code=200": 1 },
    ],
    [
      "requests_total * on (app) group_left (tier) limit",
      {
        "app=web,code=200,tier=front": 480_000,
        "app=web,code=500,tier=front": 96_000,
      },
    ],
    [
      "requests_total and on (app) memory",
      {
        "__name__=requests_total,app=web,code=200": 600,
        "__name__=requests_total,app=web,code=500": 120,
      },
    ],
    ["requests_total unless on (app) memory", { "__name__=requests_total,app=shop,code=200": 240 }],
    ["memory or limit", { "__name__=memory,app=web": 400, "__name__=limit,app=web,tier=front": 800 }],
    ["clamp_max(memory, 350)", { "app=web": 350 }],
    ["clamp_min(memory, 450)", { "app=web": 450 }],
    ["clamp(memory, 0, 10)", { "app=web": 10 }],
    ['label_replace(memory, "name", "$1-x", "app", "(w).*")', { "__name__=memory,app=web,name=w-x": 400 }],
    ["scalar(memory) * 2", 800],
    ["-memory", { "app=web": -400 }],
  ])("%s", (query, expected) => {
    expect(ask(query)).toEqual(expected);
  });
});

test.each([
  ["sum(", /unexpected end of input/],
  ["memory{app=web}", /matcher/],
  ['memory{app=~"("}', /regexp/],
  ["rate(memory)", /range vector/],
  ["memory[5m", /expected/],
  ["nosuch(memory)", /unknown function/],
  ["1 > 2", /BOOL/],
  ["memory memory", /unexpected/],
  ["memory $ 1", /unexpected character/],
])("a wrong query is refused as bad data: %s", (query, reason) => {
  expect(() => ask(query)).toThrowError(BadQuery);
  expect(() => ask(query)).toThrowError(reason);
});

test.each([
  ["memory + on (app) group_left requests_total", /many-to-many/],
  ["requests_total + on (app) memory", /many-to-one/],
  ['label_replace(requests_total, "code", "x", "code", ".*") + 0', /same labelset/],
])("a query without an answer fails in execution: %s", (query, reason) => {
  expect(() => ask(query)).toThrowError(FailedQuery);
  expect(() => ask(query)).toThrowError(reason);
});
