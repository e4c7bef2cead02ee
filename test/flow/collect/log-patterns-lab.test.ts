import { expect, test } from "vitest";
import { loki } from "../../../src/adapters/monitoring/loki.ts";
import type { Workload } from "../../../src/domain/kubernetes/workload.ts";
import { type Evidence, evidenceOf } from "../../../src/domain/evidence/evidence.ts";
import { rankSymptom } from "../../../src/domain/root-cause/symptom.ts";
import { ownPatterns } from "../../../src/flow/collect/log-patterns.ts";
import { openShop } from "../../lab/cluster-shop.ts";

const home: Workload = { kind: "Deployment", namespace: "shop-production", name: "web" };

test("what an overloaded shop begins to write is evidence, shown and cited", async () => {
  const shop = await openShop();
  try {
    await shop.cluster.advance(12_000);
    const began = shop.cluster.now().getTime() / 1000;
    shop.cluster.setLoad("web", 260);
    await shop.cluster.advance(8_000);
    const to = shop.cluster.now();
    const span = { from: new Date(to.getTime() - 20_000), to };
    const { lines, notes } = await loki({ url: shop.cluster.urls.loki }).around(home, span.from, span.to);
    const items = [{ key: "logs", finding: { kind: "text", lines, notes } }] as const;
    const [found] = ownPatterns({ home, items, span, began });
    if (found === undefined) throw new Error("nothing new was found in the log");
    const templates = found.finding.kind === "text" ? found.finding.lines : [];
    expect(templates.join("\n")).toContain("request queue is full waiting <*>");
    expect(templates.join("\n")).not.toContain("served");

    const range = { from: span.from.toISOString(), to: to.toISOString() };
    const [first] = rankSymptom(home, [...measured(began), evidenceOf("E2", { ...found, ...range })]).suspects;
    expect(first?.because.join("\n")).toContain("kinds of log lines that are new or far more frequent");
    expect(first?.from).toEqual(["E1", "E2"]);
  } finally {
    await shop.cluster.close();
  }
}, 60_000);

/** A latency that rises a little: the log is a second sign of it. */
function measured(began: number): Evidence[] {
  const points = Array.from({ length: 60 }, (_, at) => [began - 52 + at, at < 52 ? 1 + (at % 3) / 50 : 1.4] as const);
  const labels = { namespace: home.namespace, deployment: home.name, metric: "latency" };
  const at = new Date(began * 1000).toISOString();
  const about = { source: "prometheus", key: "node-metrics", title: "latency", query: "q", from: at, to: at } as const;
  const finding = { kind: "series", unit: "s", series: [{ labels, points }], notes: [] } as const;
  return [
    evidenceOf("E0", {
      ...about,
      source: "alertmanager",
      key: "alert",
      finding: { kind: "facts", facts: { startsAt: at }, notes: [] },
    }),
    evidenceOf("E1", { ...about, finding }),
  ];
}
