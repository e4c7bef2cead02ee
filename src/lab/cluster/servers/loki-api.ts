import type { Answer, Asked } from "./api-server.ts";
import { BadQuery } from "../metrics/promql/errors.ts";
import { parsePromql } from "../metrics/promql/parse.ts";
import { labelKey, type Labels, testOf } from "../metrics/series-store.ts";

interface LogLine {
  readonly atMs: number;
  readonly labels: Labels;
  readonly line: string;
}

export interface LogStore {
  add(line: LogLine): void;
  lines(): readonly LogLine[];
}

export function createLogStore(most = 20_000): LogStore {
  let lines: LogLine[] = [];
  return {
    add: (line) => {
      lines.push(line);
      if (lines.length > most * 1.1) lines = lines.slice(-most);
    },
    lines: () => lines,
  };
}

const mostLines = 5000;

/** The read endpoints of Loki: https://grafana.com/docs/loki/latest/reference/loki-http-api/ */
export function lokiAnswer(store: LogStore, now: () => number, asked: Asked): Answer {
  if (asked.path === "/ready") return { status: 200, body: "ready\n" };
  if (asked.path !== "/loki/api/v1/query_range") return { status: 404, body: "404 page not found\n" };
  try {
    const counted = /^sum\(count_over_time\(([\s\S]*?)\s*\[(\d+)s\]\)\)$/.exec(asked.query.get("query") ?? "");
    if (counted?.[1] !== undefined)
      return countRange(store, now, asked, { query: counted[1], seconds: Number(counted[2]) });
    return queryRange(store, now, asked);
  } catch (error) {
    if (error instanceof BadQuery) return { status: 400, body: `parse error : ${error.message}` };
    throw error;
  }
}

function queryRange(store: LogStore, now: () => number, { query, partial }: Asked): Answer {
  const limit = Number(query.get("limit") ?? 100);
  if (!(limit > 0)) throw new BadQuery("limit must be a positive value");
  if (limit > mostLines)
    throw new BadQuery(
      `max entries limit per query exceeded, limit > max_entries_limit_per_query (${limit} > ${mostLines})`,
    );
  const end = timeOf(query.get("end"), now());
  const start = timeOf(query.get("start"), end - 3_600_000);
  const wanted = readLogql(query.get("query") ?? "");
  const backward = query.get("direction") !== "forward";
  const found = store
    .lines()
    .filter(({ atMs, labels, line }) => atMs >= start && atMs < end && wanted(labels, line))
    .sort((a, b) => (backward ? b.atMs - a.atMs : a.atMs - b.atMs))
    .slice(0, partial ? Math.ceil(limit / 2) : limit);
  const streams = new Map<string, { stream: Labels; values: [string, string][] }>();
  for (const { atMs, labels, line } of found) {
    const stream = streams.get(labelKey(labels)) ?? { stream: labels, values: [] };
    streams.set(labelKey(labels), stream);
    stream.values.push([`${Math.round(atMs * 1000)}000`, line]);
  }
  const result = partial ? [...streams.values()].slice(0, Math.ceil(streams.size / 2)) : [...streams.values()];
  const data = { resultType: "streams", result, stats: { summary: { totalEntriesReturned: found.length } } };
  const warnings = partial ? { warnings: ["some ingesters did not answer: the result is partial"] } : {};
  return { status: 200, body: { status: "success", data, ...warnings } };
}

/** Lines per window at each step, summed over all streams. */
function countRange(
  store: LogStore,
  now: () => number,
  { query, partial }: Asked,
  counted: { readonly query: string; readonly seconds: number },
): Answer {
  const end = timeOf(query.get("end"), now());
  const start = timeOf(query.get("start"), end - 3_600_000);
  const stepMs = Number(query.get("step") ?? counted.seconds) * 1000;
  const wanted = readLogql(counted.query);
  const found = store.lines().filter(({ labels, line }) => wanted(labels, line));
  const values: [number, string][] = [];
  for (let at = start; at <= end; at += stepMs) {
    const count = found.filter(({ atMs }) => atMs > at - counted.seconds * 1000 && atMs <= at).length;
    if (count > 0) values.push([at / 1000, String(count)]);
  }
  const result = values.length === 0 || partial ? [] : [{ metric: {}, values }];
  const warnings = partial ? { warnings: ["some ingesters did not answer: the result is partial"] } : {};
  return { status: 200, body: { status: "success", data: { resultType: "matrix", result }, ...warnings } };
}

/** Nanoseconds, seconds (up to ten digits before the point) or RFC 3339, in milliseconds. */
function timeOf(text: string | null, otherwise: number): number {
  if (text === null) return otherwise;
  const ms = /^\d{11,}$/.test(text)
    ? Number(text) / 1e6
    : /^\d+(\.\d+)?$/.test(text)
      ? Number(text) * 1000
      : Date.parse(text);
  if (Number.isNaN(ms)) throw new BadQuery(`could not parse timestamp ${text}`);
  return ms;
}

/** A selector and line filters: `{namespace="a"} |= "error" !~ "probe"`. */
function readLogql(query: string): (labels: Labels, line: string) => boolean {
  const match = /^\s*(\{(?:[^}"`]|"(?:[^"\\]|\\.)*"|`[^`]*`)*\})\s*([\s\S]*)$/.exec(query);
  const selector = match?.[1] === undefined ? undefined : parsePromql(match[1]);
  if (selector?.kind !== "selector" || selector.matchers.length === 0)
    throw new BadQuery("queries require at least one regexp or equality matcher");
  const tests = selector.matchers.map(testOf);
  const filters = readFilters(match?.[2] ?? "");
  return (labels, line) => tests.every((test) => test(labels)) && filters.every((filter) => filter(line));
}

function readFilters(text: string): ((line: string) => boolean)[] {
  const filters: ((line: string) => boolean)[] = [];
  const shape = /\s*(\|=|!=|\|~|!~)\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)\s*/y;
  while (shape.lastIndex < text.length) {
    const match = shape.exec(text);
    if (!match) throw new BadQuery(`syntax error: unexpected "${text.slice(0, 20)}"`);
    const wanted = match[3] ?? (match[2] ?? "").replace(/\\(.)/g, "$1");
    const pattern = match[1]?.endsWith("~")
      ? new RegExp(wanted.replace(/^\(\?i\)/, ""), wanted.startsWith("(?i)") ? "i" : "")
      : undefined;
    const keeps = match[1]?.startsWith("|") ?? true;
    filters.push((line) => (pattern ? pattern.test(line) : line.includes(wanted)) === keeps);
  }
  return filters;
}
