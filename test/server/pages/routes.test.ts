import { expect, test } from "vitest";
import type { Evidence } from "../../../src/domain/evidence/evidence.ts";
import { page } from "../../../src/server/pages/parts/layout.ts";
import { metricChart } from "../../../src/server/pages/parts/metric-chart.ts";
import { html } from "hono/html";

test("texts of others are escaped, and the page of the place one is at is marked", async () => {
  const text = await page("Memory", html`<p>${"<img src=x onerror=alert(1)>"}</p>`);
  expect(text).toContain("&lt;img src=x");
  expect(text.match(/aria-current="page"/g)).toHaveLength(1);
});

const item = (key: Evidence["key"], finding: Evidence["finding"]) => ({ key, finding, title: "p99" }) as Evidence;
const series = (points: readonly (readonly [number, number])[]) =>
  item("alert-metric", { kind: "series", unit: "", notes: [], series: [{ labels: {}, points }] });

test("the chart says in words what it shows, with the limit as a line", () => {
  const rule = item("alert-rule", { kind: "facts", facts: { limit: 300 }, notes: [] });
  const text = String(
    metricChart([
      rule,
      series([
        [0, 100],
        [60, 900],
      ]),
    ]),
  );
  expect(text).toContain("p99, 00:00:00 to 00:01:00 UTC: from 0 to 900, limit 300");
  expect(text).toContain('points="0.0,190.9 720.0,6.0"');
  expect(text).toContain('class="limit"');
});

test("the chart runs to the end of the incident, with a mark for what happened", () => {
  const before = [
    [0, 100],
    [60, 900],
  ] as const;
  const watched = [
    [30, 1],
    [120, 500],
    [180, 100],
  ] as const;
  const marks = [
    { name: "fired", at: 30 },
    { name: "merged", at: 90 },
    { name: "synced", at: 120 },
    { name: "recovered", at: 240 },
  ] as const;
  const text = String(metricChart([series(before)], { marks, watched }));
  expect(text).toContain("00:00:00 to 00:04:00 UTC");
  expect(text).toContain("fired at 00:00:30, merged at 00:01:30, synced at 00:02:00, recovered at 00:04:00");
  for (const { name, at } of marks) expect(text).toContain(`<line class="${name}" x1="${(at * 3).toFixed(1)}"`);
  // What was seen before is drawn once, and nobody looked between the two lines.
  expect([...text.matchAll(/<polyline/g)]).toHaveLength(2);
  expect(text).toContain('points="360.0,98.4 540.0,190.9"');
});

test.each([[[]], [[[0, 1]]]] as const)("there is no chart of %j", (points) => {
  expect(metricChart([series(points)])).toBeUndefined();
});
