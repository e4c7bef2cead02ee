import { html } from "hono/html";
import type { Evidence, Series } from "../domain/evidence.ts";

const width = 640;
const height = 160;
const margin = 8;

/** What the alert measures, with the line that it crossed, as a picture; undefined with fewer than two points. */
export function metricChart(evidence: readonly Evidence[]) {
  const item = evidence.find(({ key }) => key === "alert-metric");
  const points = item?.finding.kind === "series" ? (item.finding.series[0]?.points ?? []) : [];
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || last[0] <= first[0]) return undefined;
  const limit = limitOf(evidence);
  const values = points.map(([, value]) => value);
  const low = Math.min(0, ...values);
  const high = Math.max(limit ?? 0, ...values) || 1;
  const y = (value: number) => round(height - margin - ((value - low) / (high - low)) * (height - 2 * margin));
  const x = (at: number) => round(margin + ((at - first[0]) / (last[0] - first[0])) * (width - 2 * margin));
  const line = points.map(([at, value]) => `${x(at)},${y(value)}`).join(" ");
  const label = `${clock(first)} to ${clock(last)} UTC: from ${short(low)} to ${short(Math.max(...values))}${
    limit === undefined ? "" : `, limit ${short(limit)}`
  }`;
  return html`<figure>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
      ${limit === undefined ? "" : html`<line class="limit" x1="${margin}" x2="${width - margin}" y1="${y(limit)}" y2="${y(limit)}" />`}
      <polyline points="${line}" />
    </svg>
    <figcaption class="dim">${label}</figcaption>
  </figure>`;
}

function limitOf(evidence: readonly Evidence[]): number | undefined {
  const rule = evidence.find(({ key }) => key === "alert-rule");
  const limit = rule?.finding.kind === "facts" ? Number(rule.finding.facts.limit) : Number.NaN;
  return Number.isFinite(limit) ? limit : undefined;
}

function clock([at]: Series["points"][number]): string {
  return new Date(at * 1000).toISOString().slice(11, 19);
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
