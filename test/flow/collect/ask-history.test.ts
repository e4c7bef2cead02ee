import { expect, test } from "vitest";
import { askHistory } from "../../../src/flow/collect/ask-history.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";

const now = new Date("2026-11-24T03:00:00Z");
const hour = 3_600_000;
/** Five minutes of firing, so many hours ago. */
const fired = (hoursAgo: number): [number, number][] =>
  Array.from({ length: 20 }, (_, index) => [(now.getTime() - hoursAgo * hour) / 1000 + index * 15, 1]);
const ago = (hours: number) => new Date(now.getTime() - hours * hour + 120_000).toISOString();

interface World {
  readonly merges?: readonly string[];
  readonly commits?: readonly string[];
  readonly notes?: readonly string[];
}

async function asked({ merges = [], commits = [], notes = [] }: World = {}) {
  const queries: string[] = [];
  const points = [40, 30, 20, 10, 5].flatMap(fired);
  const ports = {
    metrics: {
      range: async (query: string) => {
        queries.push(query);
        return { series: [{ labels: {}, points }], notes };
      },
    },
    records: { mergesSince: async () => merges },
    github: { commitsSince: async () => commits.map((at) => ({ sha: "a", parent: undefined, at })) },
    clock: { now: () => now },
    timings: { historyMs: 48 * hour, selfHealMs: 600_000 },
  } as unknown as Ports;
  return { ...(await askHistory(anIncident(), ports)), queries };
}

test("the history is that of this alert for this workload, and five short firings are enough to tell", async () => {
  const { healing, queries } = await asked();
  expect(queries).toEqual([
    'max(ALERTS{alertname="HighRequestLatency",alertstate="firing",namespace="shop-production",deployment="web",severity="critical"})',
  ]);
  expect(healing).toMatchObject({ kind: "known", share: 1, firings: 5 });
});

test.each<[string, World]>([
  ["a merge of ours", { merges: [ago(40), ago(30)] }],
  ["a commit of people", { commits: [ago(40), ago(30)] }],
])("a firing during which %s came does not count as untouched", async (_, world) => {
  const { healing, finding } = await asked(world);
  expect(healing).toMatchObject({ kind: "known", firings: 3 });
  expect(finding).toMatchObject({ facts: { firings: 5, touched: 2 } });
});

test("a history that is not whole says nothing", async () => {
  expect((await asked({ notes: ["a store was away"] })).healing).toEqual({
    kind: "unknown",
    because: "the history of the alert is not whole: a store was away",
  });
});
