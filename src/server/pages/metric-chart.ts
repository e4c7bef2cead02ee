import { html } from "hono/html";
import type { Evidence } from "../../domain/evidence/evidence.ts";

const [width, height] = [720, 220];
const edge = { left: 64, right: 12, top: 12, bottom: 28 };

/** What the alert measures, as SVG with the alert's limit; undefined with fewer than two points. */
export function metricChart(evidence: readonly Evidence[]) {
  const item = evidence.find(({ key, finding }) => key === "alert-metric" && finding.kind === "series");
  const finding = item?.finding;
  const points = finding?.kind === "series" ? (finding.series[0]?.points ?? []) : [];
  const known = points.filter(([at, value]) => Number.isFinite(at) && Number.isFinite(value));
  const [first, last] = [known[0], known.at(-1)];
  if (item === undefined || finding?.kind !== "series" || !first || !last || last[0] <= first[0]) return undefined;
  const limit = limitOf(evidence);
  const values = [...known.map(([, value]) => value), ...(limit === undefined ? [] : [limit])];
  const [low, high] = [Math.min(0, ...values), Math.max(...values) || 1];
  const x = (at: number) => edge.left + ((at - first[0]) / (last[0] - first[0])) * (width - edge.left - edge.right);
  const y = (value: number) => edge.top + (1 - (value - low) / (high - low)) * (height - edge.top - edge.bottom);
  const line = known.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const bottom = height - edge.bottom;
  const limitLine =
    limit === undefined
      ? ""
      : html`<line class="limit" x1="${edge.left}" x2="${width - edge.right}" y1="${y(limit)}" y2="${y(limit)}" />`;
  const upTo = limit === undefined ? "" : `, limit ${shown(limit)}`;
  const label = `${item.title}, ${time(first[0])} to ${time(last[0])} UTC: from ${shown(low)} to ${shown(Math.max(...known.map(([, value]) => value)))}${upTo}`;
  return html`<figure>
    <svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
      <line class="axis" x1="${edge.left}" x2="${width - edge.right}" y1="${bottom}" y2="${bottom}" />
      ${limitLine}
      <polyline class="line" points="${line}" />
      <text x="${edge.left - 8}" y="${edge.top + 10}" text-anchor="end">${shown(high)}</text>
      <text x="${edge.left - 8}" y="${bottom}" text-anchor="end">${shown(low)}</text>
      <text x="${edge.left}" y="${height - 8}">${time(first[0])}</text>
      <text x="${width - edge.right}" y="${height - 8}" text-anchor="end">${time(last[0])} UTC</text>
    </svg>
    <figcaption>
      ${item.title} (${finding.unit || "value"})${limit === undefined ? "" : `; dashed: the limit of the alert, ${shown(limit)}`}
    </figcaption>
  </figure>`;
}

function limitOf(evidence: readonly Evidence[]): number | undefined {
  const rule = evidence.find(({ key }) => key === "alert-rule")?.finding;
  const limit = rule?.kind === "facts" ? Number(rule.facts.limit ?? Number.NaN) : Number.NaN;
  return Number.isFinite(limit) ? limit : undefined;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}
