import { html } from "hono/html";
import type { Evidence } from "../../../domain/evidence/evidence.ts";

const [width, height] = [720, 220];
const room = 6;

type Points = readonly (readonly [number, number])[];

interface Scale {
  readonly first: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

/** What the alert measures, as SVG with the alert's limit and when it fired; undefined with fewer than two points. */
export function metricChart(evidence: readonly Evidence[], firedAt?: number) {
  const item = evidence.find(({ key, finding }) => key === "alert-metric" && finding.kind === "series");
  if (item?.finding.kind !== "series") return undefined;
  const points = item.finding.series[0]?.points ?? [];
  const known = points.filter(([at, value]) => Number.isFinite(at) && Number.isFinite(value));
  const limit = limitOf(evidence);
  const scale = scaleOf(known, limit);
  if (scale === undefined) return undefined;
  const { first, last, low, high } = scale;
  const fired = firedAt !== undefined && firedAt > first && firedAt < last ? firedAt : undefined;
  const unit = item.finding.unit === "" ? "" : ` ${item.finding.unit}`;
  const upTo = limit === undefined ? "" : `, limit ${shown(limit)}`;
  const label = `${item.title}, ${time(first)} to ${time(last)} UTC: from ${shown(low)} to ${shown(Math.max(...known.map(([, value]) => value)))}${upTo}`;
  const notes = [
    ...(limit === undefined ? [] : [`dashed red: the limit of the alert, ${shown(limit)}${unit}`]),
    ...(fired === undefined ? [] : [`dotted: it began to fire at ${time(fired)}`]),
  ];
  // Text stands beside the picture, not in it: it keeps its size on every screen.
  return html`<figure>
    <div class="axis-row"><span>${shown(high)}${unit}</span></div>
    ${pictureOf(known, scale, { limit, fired, label })}
    <div class="axis-row"><span>${shown(low)}${unit} at ${time(first)}</span><span>${time(last)} UTC</span></div>
    <figcaption>${[item.title, ...notes].join("; ")}</figcaption>
  </figure>`;
}

function scaleOf(known: Points, limit: number | undefined): Scale | undefined {
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last || last[0] <= first[0]) return undefined;
  const values = [...known.map(([, value]) => value), ...(limit === undefined ? [] : [limit])];
  return { first: first[0], last: last[0], low: Math.min(0, ...values), high: Math.max(...values) || 1 };
}

interface Marks {
  readonly limit: number | undefined;
  readonly fired: number | undefined;
  readonly label: string;
}

function pictureOf(known: Points, { first, last, low, high }: Scale, { limit, fired, label }: Marks) {
  const x = (at: number) => (((at - first) / (last - first)) * width).toFixed(1);
  const y = (value: number) => (room + (1 - (value - low) / (high - low)) * (height - 2 * room)).toFixed(1);
  const line = known.map(([at, value]) => `${x(at)},${y(value)}`).join(" ");
  const bottom = height - room;
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}">
    <line class="axis" x1="0" x2="${width}" y1="${bottom}" y2="${bottom}" />
    ${limit === undefined ? "" : html`<line class="limit" x1="0" x2="${width}" y1="${y(limit)}" y2="${y(limit)}" />`}
    ${fired === undefined ? "" : html`<line class="fired" x1="${x(fired)}" x2="${x(fired)}" y1="0" y2="${height}" />`}
    <polyline class="line" points="${line}" />
  </svg>`;
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
