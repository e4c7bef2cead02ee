import { expect, test } from "vitest";
import type { Series } from "../../../src/domain/evidence/evidence.ts";
import { gapNotes } from "../../../src/domain/evidence/series-gaps.ts";

const home = { kind: "Deployment", namespace: "shop", name: "web" } as const;
const to = Date.parse("2026-11-24T03:00:00Z") / 1000;
const asked = { home, from: to - 1800, to, step: 15 };
const mine = { namespace: "shop", deployment: "web" };

/** A point each 15 s, as far as `has` says so of the seconds before the end. */
function series(has: (before: number) => boolean, labels: Series["labels"] = mine, value = 1): Series {
  const seconds = Array.from({ length: 121 }, (_, index) => 1800 - 15 * index);
  return { labels, points: seconds.filter(has).map((before) => [to - before, value] as const) };
}

const whole = series(() => true);
const stale = (text: string) => [`stale: the newest point is ${text} older than the end of the range`];

test.each<[string, readonly Series[], readonly string[]]>([
  ["a whole one", [whole], []],
  ["none of the workload", [series((before) => before > 600, { namespace: "shop", deployment: "cart" })], []],
  ["one that ended 6 minutes ago", [series((before) => before >= 360)], stale("6 min")],
  ["one that ended 25 minutes ago", [series((before) => before >= 1500)], stale("25 min")],
  [
    "one that ended while another workload goes on",
    [series((before) => before >= 360), series(() => true, { namespace: "shop", deployment: "cart" })],
    stale("6 min"),
  ],
  ["one that began late: its workload is young", [series((before) => before <= 300)], []],
  ["one that lacks a scrape", [series((before) => before !== 600)], []],
  [
    "one with a hole",
    [series((before) => before < 600 || before > 900)],
    ["partial: no points from 02:44:45 to 02:50:15"],
  ],
  [
    "two pods that took turns",
    [
      series((before) => before >= 600, { ...mine, pod: "a" }),
      series((before) => before <= 600, { ...mine, pod: "b" }),
    ],
    [],
  ],
  [
    "one with many holes",
    [series((before) => before % 150 === 0)],
    ["partial: no points from 02:30:00 to 02:32:30, 02:32:30 to 02:35:00, 02:35:00 to 02:37:30 and 9 more"],
  ],
  [
    "replicas that agree",
    [
      { ...whole, labels: { ...mine, prometheus_replica: "a" } },
      series(() => true, { ...mine, prometheus_replica: "b" }, 1.1),
    ],
    [],
  ],
  [
    "replicas that disagree",
    [
      { ...whole, labels: { ...mine, prometheus_replica: "a" } },
      series(() => true, { ...mine, prometheus_replica: "b" }, 4),
    ],
    ["contradictory: replicas of Prometheus give different values for the same series"],
  ],
])("%s", (_what, given, notes) => {
  expect(gapNotes(given, asked)).toEqual(notes);
});
