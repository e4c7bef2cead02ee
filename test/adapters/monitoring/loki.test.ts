import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loki } from "../../../src/adapters/monitoring/loki.ts";
import { queryPace } from "../../../src/adapters/past/pace.ts";
import type { Logs } from "../../../src/ports/monitoring.ts";
import { Refused } from "../../../src/ports/errors.ts";
import { openShop, type TestShop } from "../../lab/cluster-shop.ts";
import { expectFailure, letdowns, patienceFor, sourceOf } from "./sources.ts";

const web = { kind: "Deployment", namespace: "shop-production", name: "web" };
let shop: TestShop;
let logs: Logs;
beforeAll(async () => {
  shop = await openShop();
  shop.cluster.setLoad("web", 300);
  await shop.cluster.advance(4_000);
  logs = reader();
});
afterAll(() => shop.cluster.close());

const reader = (deadlineMs = patienceFor()) => loki({ url: shop.cluster.urls.loki, deadlineMs });

const lastSeconds = (count: number) => {
  const to = shop.cluster.now();
  return [new Date(to.getTime() - count * 1000), new Date(to.getTime() + 1)] as const;
};

test("lines of the workload come oldest first, with time and pod", async () => {
  shop.cluster.inject("web", "level=error msg=planted");
  shop.cluster.inject("catalog", "level=error msg=elsewhere");
  const { lines, notes } = await logs.around(web, ...lastSeconds(4));
  expect(lines.at(-1)).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z web-[a-z0-9]+-[a-z0-9]{5} level=error msg=planted$/);
  expect(lines.some((line) => line.includes("slow request"))).toBe(true);
  expect(lines.some((line) => line.includes("elsewhere"))).toBe(false);
  const times = lines.map((line) => line.split(" ")[0]);
  expect(times).toEqual([...times].sort());
  expect(notes).toEqual([]);
});

test("a cut list says so", async () => {
  const { lines, notes } = await loki({ url: shop.cluster.urls.loki, maxLines: 3 }).around(web, ...lastSeconds(4));
  expect(lines).toHaveLength(3);
  expect(notes).toEqual(["only the newest 3 lines were read"]);
});

test("silence and a narrowed range look the same, and the note says so", async () => {
  const none = await logs.around({ ...web, name: "absent" }, ...lastSeconds(4));
  expect(none).toEqual({ lines: [], notes: [expect.stringMatching(/lookback/)] });
  const long = await logs.around(web, ...lastSeconds(3_600));
  expect(long.notes).toEqual([expect.stringMatching(/^partial: nothing before .*lookback/)]);
});

test("partial data carries the server's own warning", async () => {
  shop.cluster.setFault("loki", { kind: "partial" });
  const { notes } = await logs.around(web, ...lastSeconds(4));
  shop.cluster.setFault("loki", undefined);
  expect(notes).toContainEqual(expect.stringMatching(/ingesters/));
});

describe.each(letdowns)("when Loki %s", (_, fault, kind, reason) => {
  test("the reader says so", async () => {
    shop.cluster.setFault("loki", fault);
    await expectFailure(reader(patienceFor(fault)).around(web, ...lastSeconds(2)), kind, reason);
    shop.cluster.setFault("loki", undefined);
  });
});

test("E03: more lines than Loki allows are asked for once more, fewer and newer, and the answer says so", async () => {
  const pace = queryPace(0);
  const greedy = loki({ url: shop.cluster.urls.loki, maxLines: 6_000, inTurn: pace.run });
  const { lines, notes } = await greedy.around(web, ...lastSeconds(2));
  expect(pace.count()).toBe(2);
  expect(lines.length).toBeGreaterThan(0);
  expect(notes).toContainEqual(expect.stringMatching(/^asked again for fewer lines since .*max entries limit/));
});

test("lines that look like errors are counted per second", async () => {
  shop.cluster.inject("web", "level=error msg=planted");
  const { series, notes } = await logs.errorRate(web, ...lastSeconds(30));
  expect(notes).toEqual([]);
  expect(series).toHaveLength(1);
  expect(series[0]?.points.at(-1)?.[1]).toBeGreaterThan(0);
  expect((await logs.errorRate({ ...web, name: "absent" }, ...lastSeconds(30))).series).toEqual([]);
});

test("an answer beyond the size cap is refused", async () => {
  const small = loki({ url: shop.cluster.urls.loki, maxBytes: 200 });
  await expectFailure(small.around(web, ...lastSeconds(4)), Refused, /larger than 200 bytes/);
});

const streams = (values: unknown[]) => ({
  status: "success",
  data: { resultType: "streams", result: [{ stream: {}, values }] },
});

test("secrets are masked, long lines cut, structured metadata ignored", async () => {
  const jwt = `eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}.${"c".repeat(20)}`;
  const at = "1700000000000000000";
  const body = streams([
    [at, `token ${jwt}`],
    [at, "x".repeat(5_000), { trace_id: "1" }],
    ["not a time", "lost"],
  ]);
  const source = await sourceOf({ status: 200, body });
  const { lines } = await loki({ url: source.url }).around(web, new Date(1.7e12 - 1_000), new Date(1.7e12));
  expect(lines).toHaveLength(2);
  expect(lines.join("\n")).not.toContain(jwt);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1_100);
  await source.close();
});

test("names of others cannot leave their place in the query", async () => {
  const source = await sourceOf({ status: 200, body: streams([]) });
  const hostile = { kind: "Deployment", namespace: 'a"} |= "x', name: "w.*" };
  await loki({ url: source.url }).around(hostile, new Date(0), new Date(1));
  expect(source.asked[0]?.query.get("query")).toBe(
    '{namespace="a\\"} |= \\"x", pod=~"w\\\\.\\\\*-[a-z0-9]+-[a-z0-9]{5}"}',
  );
  await source.close();
});

test.each([
  ["a matrix", { status: "success", data: { resultType: "matrix", result: [] } }],
  ["another JSON", { hello: "world" }],
])("%s is refused", async (_, body) => {
  const source = await sourceOf({ status: 200, body });
  await expectFailure(loki({ url: source.url }).around(web, new Date(0), new Date(1)), Refused, /log streams/);
  await source.close();
});

test.each<[string, readonly number[], boolean]>([
  ["steady lines that begin after a fifth of the range", Array.from({ length: 24 }, (_, n) => 360 + 60 * n), true],
  ["steady lines from the beginning on", Array.from({ length: 30 }, (_, n) => 20 + 60 * n), false],
  ["a line now and then", [400, 900, 1500], false],
  ["lines of the last minutes only", [1600, 1650, 1700], true],
])("a range that Loki may have narrowed is told: %s", async (_, seconds, told) => {
  const from = 1.7e12;
  const values = seconds.map((second) => [`${from + 1000 * second}000000`, "a line"]);
  const source = await sourceOf({ status: 200, body: streams(values) });
  const { notes } = await loki({ url: source.url }).around(web, new Date(from), new Date(from + 1_800_000));
  expect(notes).toEqual(told ? [expect.stringMatching(/^partial: nothing before .*lookback/)] : []);
  await source.close();
});
