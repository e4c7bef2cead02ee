import { describe, expect, test } from "vitest";
import type { MetricKind, NodeMetric } from "../../../../src/domain/root-cause/ranking/node-metric.ts";
import { rankCauses, type Ranking } from "../../../../src/domain/root-cause/ranking/attribution.ts";
import type { NodeRole } from "../../../../src/domain/root-cause/service-graph.ts";

/** Forty normal points around `usual`, then six of the incident: two calm ones and four that are off. */
function metric(kind: MetricKind, usual: number, seen = usual, calm = usual): NodeMetric {
  const noise = (index: number) => 1 + 0.03 * Math.sin(index * 1.7);
  const normal = Array.from({ length: 40 }, (_, index) => usual * (kind === "availability" ? 1 : noise(index)));
  const abnormal = [calm, calm, seen, seen * 1.02, seen * 1.01, seen].map((value) =>
    kind === "availability" ? Math.min(1, value) : value,
  );
  return { kind, normal, abnormal };
}

const requests = (count = 100) => metric("requests", count);
type Nodes = Readonly<Record<string, readonly NodeMetric[]>>;

function rank(
  edges: string,
  nodes: Nodes,
  options: { kind?: MetricKind; roles?: Record<string, NodeRole> } = {},
): Ranking {
  const calls = edges.split(" ").map((edge) => {
    const [caller = "", callee = ""] = edge.split(">");
    return { caller, callee };
  });
  return rankCauses({
    graph: { calls, roles: options.roles ?? {} },
    metrics: new Map(Object.entries(nodes)),
    symptom: { node: "web", kind: options.kind ?? "latency" },
  });
}

const order = (ranking: Ranking) =>
  ranking.kind === "ranked" ? ranking.causes.map(({ node }) => node) : ranking.because;
const slowWeb = [metric("latency", 0.1, 0.6), requests()];
const slow = (usual = 0.05, seen = 0.55) => [metric("latency", usual, seen), requests()];
const calm = [metric("latency", 0.05), requests()];

describe("walks from the symptom to the node where the extra time arises", () => {
  test.each<[string, string, Nodes, readonly string[]]>([
    ["a slow callee", "web>api web>db", { web: slowWeb, api: slow(), db: calm }, ["api"]],
    ["the end of a slow chain", "web>api api>db", { web: slowWeb, api: slow(), db: slow(0.01, 0.51) }, ["db"]],
    ["the middle of a chain whose end is calm", "web>api api>db", { web: slowWeb, api: slow(), db: calm }, ["api"]],
    [
      "two callees, the larger first",
      "web>api web>db",
      { web: slowWeb, api: slow(0.05, 0.4), db: slow(0.05, 0.2) },
      ["api", "db"],
    ],
    ["through a node that is not measured", "web>gate gate>api", { web: slowWeb, api: slow() }, ["api"]],
    ["round a circle", "web>api api>web api>db", { web: slowWeb, api: slow(), db: slow(0.01, 0.51) }, ["db"]],
    [
      "few slow calls of a very slow callee",
      "web>api web>db",
      { web: slowWeb, api: slow(), db: [metric("latency", 0.05, 0.6), requests(1)] },
      ["api"],
    ],
    [
      "not behind a node that is calm itself",
      "web>api web>gate gate>db",
      { web: slowWeb, api: slow(), gate: calm, db: slow() },
      ["api"],
    ],
    [
      "not against the direction of calls",
      "web>api job>web job>db",
      { web: slowWeb, api: slow(), db: slow() },
      ["api"],
    ],
  ])("%s", (_, edges, nodes, expected) => expect(order(rank(edges, nodes))).toEqual(expected));

  test("an observed service goes before a load balancer that shows the same", () => {
    const ranking = rank("web>lb web>api", { web: slowWeb, lb: slow(), api: slow() }, { roles: { lb: "proxy" } });
    expect(order(ranking)).toEqual(["api", "lb"]);
  });

  test("failures are followed like time", () => {
    const failing = (seen: number) => [metric("availability", 1, seen), requests()];
    const nodes = { web: failing(0.9), api: failing(0.9), db: failing(1) };
    expect(order(rank("web>api api>db", nodes, { kind: "availability" }))).toEqual(["api"]);
  });

  test("better than usual is no cause", () => {
    const nodes = { web: slowWeb, api: slow(), db: [metric("latency", 0.5, 0.01), requests()] };
    expect(order(rank("web>api web>db", nodes))).toEqual(["api"]);
  });

  test("what was off before the symptom began is no cause", () => {
    const drifted = [metric("latency", 0.05, 0.55, 0.55), requests()];
    expect(order(rank("web>api web>db", { web: slowWeb, api: slow(), db: drifted }))).toEqual(["api"]);
  });

  test("missing values are left out, not taken as zero", () => {
    const gaps = slow().map((m) => ({ ...m, abnormal: Array.from(m.abnormal, (v, i) => (i === 3 ? Number.NaN : v)) }));
    expect(order(rank("web>api web>db", { web: slowWeb, api: gaps, db: calm }))).toEqual(["api"]);
  });
});

test("the whole window may be off: then there are no calm moments to compare with", () => {
  const all = (usual: number, seen: number) => [
    { ...metric("latency", usual), abnormal: [1, 1.02, 0.98, 1.01, 1, 0.99].map((n) => n * seen) },
    requests(),
  ];
  expect(order(rank("web>api web>db", { web: all(0.1, 0.6), api: all(0.05, 0.55), db: calm }))).toEqual(["api"]);
});

test("one stranger that goes bad is a cause, two at once are an echo of their caller", () => {
  const roles = { pay: "external" as const, mail: "external" as const };
  const edges = "web>api api>pay api>mail";
  const one = { web: slowWeb, api: slow(), pay: slow(0.05, 0.5), mail: calm };
  const two = { web: slowWeb, api: slow(), pay: slow(0.05, 0.3), mail: slow(0.05, 0.25) };
  expect(order(rank(edges, one, { roles }))).toEqual(["pay"]);
  expect(order(rank(edges, two, { roles }))[0]).toBe("api");
});

describe("signs of another kind", () => {
  const failing = (seen: number) => [metric("availability", 1, seen), requests()];

  test("a node whose own failures are not counted may be slow", () => {
    const nodes = { web: failing(0.8), api: [metric("latency", 0.05, 3), requests()], db: failing(1) };
    expect(order(rank("web>api web>db", nodes, { kind: "availability" }))[0]).toBe("api");
  });

  test("a node that went silent", () => {
    const silent = [{ ...requests(), abnormal: [100, 100, 0, 0, 0, Number.NaN] }];
    const ranking = rank(
      "web>api web>db",
      { web: failing(0.8), api: silent, db: failing(1) },
      { kind: "availability" },
    );
    expect(ranking.kind === "ranked" ? ranking.causes.map(({ because }) => because[0]).join() : "").toContain(
      "not at all",
    );
  });
});

describe("every cause", () => {
  const ranking = rank("web>api api>db", { web: slowWeb, api: slow(0.05, 0.4), db: slow(0.01, 0.2) });
  const causes = ranking.kind === "ranked" ? ranking.causes : [];

  test("says what is off, how much of the symptom it explains and how it is reached", () => {
    const db = causes.find(({ node }) => node === "db");
    expect(db?.because.join("; ")).toMatch(/latency 0\.2\d* instead of 0\.01.*% of the symptom.*web → api → db/);
  });

  test("has a score between 0 and 1, and all together not more than 1", () => {
    expect(causes.length).toBeGreaterThan(1);
    expect(causes.every(({ score }) => score > 0 && score <= 1)).toBe(true);
    expect(causes.reduce((sum, { score }) => sum + score, 0)).toBeLessThanOrEqual(1 + 1e-9);
  });
});

describe("abstains", () => {
  test.each<[string, Nodes, RegExp]>([
    ["when the symptom was not measured", { api: slow() }, /not measured/],
    ["when the symptom is as usual", { web: calm, api: slow() }, /normal range/],
    ["when nothing that it calls is off", { web: slowWeb, api: calm }, /nothing that web calls/],
    [
      "when the normal period is too short",
      { web: [{ kind: "latency", normal: [1, 2], abnormal: [5, 6, 7] }] },
      /not known/,
    ],
    ["when the incident has one point", { web: [{ ...metric("latency", 1), abnormal: [5] }] }, /too few/],
    [
      "when all values are missing",
      { web: [{ ...metric("latency", 1), abnormal: [Number.NaN, Number.NaN] }] },
      /too few/,
    ],
  ])("%s", (_, nodes, because) => {
    expect(rank("web>api", nodes)).toMatchObject({ kind: "abstained", because: expect.stringMatching(because) });
  });

  test("one spike is no incident", () => {
    const spike = { ...metric("latency", 0.1), abnormal: [0.1, 0.1, 0.1, 5, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1] };
    const ranking = rank("web>api", { web: [spike, requests()], api: calm });
    expect(ranking.kind).toBe("abstained");
  });
});

test("the alerting node itself is a cause when another of its metrics corroborates it", () => {
  const nodes = { web: [...slowWeb, metric("saturation", 0.3, 0.95)], api: calm };
  expect(order(rank("web>api", nodes))).toEqual(["web"]);
});
