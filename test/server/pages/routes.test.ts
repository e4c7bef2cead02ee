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

test.each([[[]], [[[0, 1]]]] as const)("there is no chart of %j", (points) => {
  expect(metricChart([series(points)])).toBeUndefined();
});
