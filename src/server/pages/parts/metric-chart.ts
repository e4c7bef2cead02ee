import { html } from "hono/html";
import type { Evidence } from "../../../domain/evidence/evidence.ts";
import { renderValue } from "../../../domain/evidence/unit.ts";

const [width, height] = [720, 220];
const room = 6;

type Points = readonly (readonly [number, number])[];

interface Scale {
  readonly lines: readonly Points[];
  readonly first: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

/** What happened, and when in Unix seconds. */
export interface ChartMark {
  readonly name: "fired" | "merged" | "synced" | "recovered" | "reverted";
  readonly at: number;
}

interface Course {
  readonly marks: readonly ChartMark[];
  /** The metric as it was watched after the change. */
  readonly watched: Points;
}

/** What the alert measures, from before it fired to the end, as SVG with limit and marks; undefined below two points. */
export function metricChart(evidence: readonly Evidence[], course: Course = { marks: [], watched: [] }) {
  const item = evidence.find(({ key, finding }) => key === "alert-metric" && finding.kind === "series");
  if (item?.finding.kind !== "series") return undefined;
  const points = (item.finding.series[0]?.points ?? []).filter(isDrawn);
  const limit = limitOf(evidence);
  const scale = scaleOf(points, limit, { ...course, watched: course.watched.filter(isDrawn) });
  if (scale === undefined) return undefined;
  const { first, last, low, high, lines } = scale;
  const marks = course.marks.filter(({ at }) => at > first && at <= last);
  const { unit } = item.finding;
  const shown = (value: number) => renderValue(value, unit);
  const upTo = limit === undefined ? "" : `, limit ${shown(limit)}`;
  const happened = marks.map(({ name, at }) => `, ${name} at ${time(at)}`).join("");
  const most = Math.max(...lines.flat().map(([, value]) => value));
  const label = `${item.title}, ${time(first)} to ${time(last)} UTC: from ${shown(low)} to ${shown(most)}${upTo}${happened}`;
  // Text stands beside the picture, not in it: it keeps its size on every screen.
  return html`<figure>
    <div class="axis-row"><span>${shown(high)}</span></div>
    ${pictureOf(scale, { limit, marks, label })}
    <div class="axis-row"><span>${shown(low)} at ${time(first)}</span><span>${time(last)} UTC</span></div>
    <figcaption>${item.title}${limit === undefined ? "" : keyOf("limit", `limit of the alert: ${shown(limit)}`)}
      ${marks.map(({ name, at }) => keyOf(name, `${name} ${time(at)}`))}</figcaption>
  </figure>`;
}

function isDrawn([at, value]: Points[number]): boolean {
  return Number.isFinite(at) && Number.isFinite(value);
}

function scaleOf(known: Points, limit: number | undefined, { marks, watched }: Course): Scale | undefined {
  const [first, end] = [known[0], known.at(-1)];
  if (!first || !end || end[0] <= first[0]) return undefined;
  // Nobody looked between the two: no line leads from one to the other.
  const lines = [known, watched.filter(([at]) => at > end[0])].filter((line) => line.length > 0);
  const values = [...lines.flat().map(([, value]) => value), ...(limit === undefined ? [] : [limit])];
  const last = Math.max(...lines.flat().map(([at]) => at), ...marks.map(({ at }) => at));
  return { lines, first: first[0], last, low: Math.min(0, ...values), high: Math.max(...values) || 1 };
}

interface Marks {
  readonly limit: number | undefined;
  readonly marks: readonly ChartMark[];
  readonly label: string;
}

function pictureOf({ lines, first, last, low, high }: Scale, { limit, marks, label }: Marks) {
  const x = (at: number) => (((at - first) / (last - first)) * width).toFixed(1);
  const y = (value: number) => (room + (1 - (value - low) / (high - low)) * (height - 2 * room)).toFixed(1);
  const bottom = height - room;
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${label}">
    <line class="axis" x1="0" x2="${width}" y1="${bottom}" y2="${bottom}" />
    ${limit === undefined ? "" : html`<line class="limit" x1="0" x2="${width}" y1="${y(limit)}" y2="${y(limit)}" />`}
    ${marks.map(({ name, at }) => html`<line class="${name}" x1="${x(at)}" x2="${x(at)}" y1="0" y2="${height}" />`)}
    ${lines.map((line) => html`<polyline class="line" points="${line.map(([at, value]) => `${x(at)},${y(value)}`).join(" ")}" />`)}
  </svg>`;
}

/** The same stroke as in the picture, beside its words. */
function keyOf(name: string, words: string) {
  return html` <span class="key"><svg viewBox="0 0 24 8" aria-hidden="true"><line class="${name}" x1="0" x2="24" y1="4" y2="4" /></svg>${words}</span>`;
}

function limitOf(evidence: readonly Evidence[]): number | undefined {
  const rule = evidence.find(({ key }) => key === "alert-rule")?.finding;
  const limit = rule?.kind === "facts" ? Number(rule.facts.limit ?? Number.NaN) : Number.NaN;
  return Number.isFinite(limit) ? limit : undefined;
}

function time(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 19);
}
