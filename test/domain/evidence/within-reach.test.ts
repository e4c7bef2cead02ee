import { expect, test } from "vitest";
import type { EvidenceKey, Finding, Series } from "../../../src/domain/evidence/evidence.ts";
import { withinReach } from "../../../src/domain/evidence/within-reach.ts";

const home = { kind: "Deployment", namespace: "shop", name: "web" } as const;
const at = (value: (index: number) => number) => Array.from({ length: 40 }, (_, i) => [i * 30, value(i)] as const);
const calm = at((i) => 100 + (i % 3));
const of = (deployment: string, points: Series["points"] = calm): Series => ({
  labels: { namespace: "shop", deployment },
  points,
});
const call = (caller: string, callee: string): Series => ({
  labels: { namespace: "shop", deployment: caller, dst_namespace: "shop", dst_deployment: callee },
  points: calm,
});
const item = (key: EvidenceKey, series: readonly Series[]) => {
  const finding: Finding = { kind: "series", unit: "", series, notes: [] };
  return { key, finding };
};
const shown = ({ finding }: { readonly finding: Finding }) =>
  finding.kind === "series" ? finding.series.map(({ labels }) => labels.deployment) : [];
const others = Array.from({ length: 100 }, (_, i) => of(`other-${String(i).padStart(3, "0")}`));

test("a namespace of few workloads is seen whole", () => {
  const seen = [item("requests", others.slice(0, 63)), item("cpu-used", [of("web")])];
  expect(withinReach(seen, home)).toBe(seen);
});

test("of many workloads the home, its neighbours and whoever changed are seen", () => {
  const late = of(
    "other-099",
    at((i) => (i < 30 ? 100 + (i % 3) : 180)),
  );
  const seen = [
    item("requests", [...others.slice(0, 99), late, of("db"), of("cache"), of("z-far"), of("web")]),
    item("calls", [call("web", "cache"), call("cache", "db"), call("db", "z-far"), call("other-001", "other-002")]),
  ];
  const [requests, calls] = withinReach(seen, home, 6);
  expect(requests && shown(requests).toSorted()).toEqual(["cache", "db", "other-000", "other-001", "other-099", "web"]);
  expect(calls && shown(calls)).toEqual(["web", "cache"]);
  expect(requests?.finding).toMatchObject({ notes: ["98 workloads that changed least were left out"] });
});

test("neighbours are known by the labels of any mesh", () => {
  const labels = { source_workload: "web", destination_workload: "z-db", destination_workload_namespace: "shop" };
  const seen = [
    item("requests", [...others, of("z-db"), of("web")]),
    item("calls", [
      { labels, points: calm },
      { labels: { client: "z-db", server: "z-cache" }, points: calm },
    ]),
  ];
  const [requests, calls] = withinReach(seen, home, 4);
  expect(requests && shown(requests)).toEqual(["other-000", "z-db", "web"]);
  expect(calls?.finding).toMatchObject({ series: [{ labels }, { labels: { client: "z-db" } }] });
});

test("texts, facts and series that name nobody stay", () => {
  const text = { key: "logs", finding: { kind: "text", lines: ["x"], notes: [] } } as const;
  const seen = [text, item("alert-metric", [{ labels: {}, points: calm }]), item("requests", others)];
  const [logs, metric, requests] = withinReach<{ readonly key: EvidenceKey; readonly finding: Finding }>(seen, home, 5);
  expect(logs).toBe(text);
  expect(metric?.finding).toMatchObject({ series: [{ labels: {} }] });
  expect(requests && shown(requests)).toHaveLength(4);
});
