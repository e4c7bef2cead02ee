import type { Answer, Asked } from "./api-server.ts";
import { BadQuery, FailedQuery } from "../metrics/promql/errors.ts";
import { evaluate, itemsOf } from "../metrics/promql/evaluate.ts";
import { durationMs, parsePromql } from "../metrics/promql/parse.ts";
import type { Value, Window } from "../metrics/promql/value.ts";
import type { ActiveAlert, LabRule } from "../metrics/rules.ts";
import { labelKey, type Labels, type SeriesStore } from "../metrics/series-store.ts";

interface PrometheusState {
  readonly store: SeriesStore;
  readonly now: () => number;
  readonly lookbackMs: number;
  readonly rules: readonly LabRule[];
  readonly alerts: () => readonly ActiveAlert[];
}

const mostPoints = 11_000;

/** The read endpoints of Prometheus: https://prometheus.io/docs/prometheus/latest/querying/api/ */
export function prometheusAnswer(state: PrometheusState, asked: Asked): Answer {
  try {
    return route(state, asked);
  } catch (error) {
    if (error instanceof BadQuery) return failure(400, "bad_data", error.message);
    if (error instanceof FailedQuery) return failure(422, "execution", error.message);
    throw error;
  }
}

function route(state: PrometheusState, asked: Asked): Answer {
  if (asked.path === "/-/ready") return { status: 200, body: "Prometheus Server is Ready.\n" };
  if (asked.path === "/-/healthy") return { status: 200, body: "Prometheus Server is Healthy.\n" };
  const label = /^\/api\/v1\/label\/([a-zA-Z_]\w*)\/values$/.exec(asked.path)?.[1];
  if (label !== undefined)
    return success(
      asked,
      distinct(state.store, (labels) => [labels[label] ?? ""]),
    );
  switch (asked.path) {
    case "/api/v1/query":
      return success(asked, instantOf(state, asked));
    case "/api/v1/query_range":
      return success(
        asked,
        onceBetweenScrapes(state.store, asked.query.toString(), () => rangeOf(state, asked)),
      );
    case "/api/v1/rules":
      return success(asked, { groups: [groupOf(state)] });
    case "/api/v1/alerts":
      return success(asked, { alerts: state.alerts().map(shownAlert) });
    case "/api/v1/labels":
      return success(
        asked,
        distinct(state.store, (labels) => Object.keys(labels)),
      );
    case "/api/v1/status/buildinfo":
      return success(asked, { version: "3.5.0", revision: "lab", branch: "lab" });
    default:
      return { status: 404, body: "404 page not found\n" };
  }
}

const ranges = new WeakMap<SeriesStore, { readonly revision: number; readonly answers: Map<string, object> }>();
const keptRanges = 200;

/** A range that names its moments has the same answer until the next scrape. */
function onceBetweenScrapes(store: SeriesStore, question: string, answer: () => object): object {
  const revision = store.revision();
  const before = ranges.get(store);
  const kept = before?.revision === revision ? before : { revision, answers: new Map<string, object>() };
  ranges.set(store, kept);
  const given = kept.answers.get(question) ?? answer();
  if (kept.answers.size >= keptRanges) kept.answers.clear();
  kept.answers.set(question, given);
  return given;
}

function success({ partial }: Asked, data: unknown): Answer {
  const warnings = partial ? { warnings: ["a store was not available: the answer is partial"] } : {};
  return { status: 200, body: { status: "success", data: partial ? halved(data) : data, ...warnings } };
}

function halved(data: unknown): unknown {
  const { result } = data as { result?: unknown };
  if (!Array.isArray(result)) return data;
  return { ...(data as object), result: result.slice(0, Math.ceil(result.length / 2)) };
}

function failure(status: number, errorType: string, error: string): Answer {
  return { status, body: { status: "error", errorType, error } };
}

function distinct(store: SeriesStore, read: (labels: Labels) => readonly string[]): string[] {
  return [...new Set(store.all().flatMap((series) => read(series.labels)))].filter((text) => text !== "").sort();
}

function parameter({ query }: Asked, name: string): string {
  const value = query.get(name);
  if (value === null || value === "") throw new BadQuery(`invalid parameter "${name}": missing`);
  return value;
}

/** Unix seconds or RFC 3339, in milliseconds. */
function timeOf(asked: Asked, name: string, otherwise?: number): number {
  if (otherwise !== undefined && !asked.query.has(name)) return otherwise;
  const text = parameter(asked, name);
  const ms = Number.isFinite(Number(text)) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(ms)) throw new BadQuery(`invalid parameter "${name}": cannot parse "${text}" to a valid timestamp`);
  return Math.round(ms);
}

function stepOf(asked: Asked): number {
  const text = parameter(asked, "step");
  const ms = Number.isFinite(Number(text)) ? Number(text) * 1000 : durationMs(text);
  if (!(ms > 0))
    throw new BadQuery('invalid parameter "step": zero or negative query resolution step widths are not accepted');
  return ms;
}

function instantOf(state: PrometheusState, asked: Asked): object {
  const atMs = timeOf(asked, "time", state.now());
  const value = evaluate(parsePromql(parameter(asked, "query")), { ...state, atMs });
  const at = atMs / 1000;
  switch (value.kind) {
    case "scalar":
    case "string":
      return { resultType: value.kind, result: [at, shownValue(value.value)] };
    case "vector":
      return {
        resultType: "vector",
        result: value.items.map((item) => ({ metric: item.labels, value: [at, shownValue(item.value)] })),
      };
    case "matrix":
      return { resultType: "matrix", result: value.windows.map(shownSeries) };
  }
}

function rangeOf(state: PrometheusState, asked: Asked): object {
  const [start, end, step] = [timeOf(asked, "start"), timeOf(asked, "end"), stepOf(asked)];
  if (end < start) throw new BadQuery('invalid parameter "end": end timestamp must not be before start time');
  if ((end - start) / step > mostPoints)
    throw new BadQuery(
      "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
    );
  const expression = parsePromql(parameter(asked, "query"));
  const byKey = new Map<string, { labels: Labels; times: number[]; values: number[] }>();
  // Most label sets are the very same object at each moment.
  const byLabels = new Map<Labels, { labels: Labels; times: number[]; values: number[] }>();
  for (let index = 0; start + index * step <= end; index += 1) {
    const atMs = start + index * step;
    for (const { labels, value } of steppedItems(evaluate(expression, { ...state, atMs }))) {
      let series = byLabels.get(labels);
      if (series === undefined) {
        const key = labelKey(labels);
        series = byKey.get(key) ?? { labels, times: [], values: [] };
        byKey.set(key, series);
        byLabels.set(labels, series);
      }
      series.times.push(atMs);
      series.values.push(value);
    }
  }
  return { resultType: "matrix", result: [...byKey.values()].map(shownSeries) };
}

function steppedItems(value: Value) {
  if (value.kind === "scalar") return [{ labels: {}, value: value.value }];
  if (value.kind === "vector") return itemsOf(value);
  throw new BadQuery(`invalid expression type "${value.kind}" for range query, must be Scalar or instant Vector`);
}

function shownSeries({ labels, times, values }: Window): object {
  return { metric: labels, values: times.map((ms, index) => [ms / 1000, shownValue(values[index] ?? Number.NaN)]) };
}

function shownValue(value: number | string): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}

function groupOf({ rules, alerts }: PrometheusState): object {
  const active = alerts();
  return {
    name: "lab",
    file: "lab.yaml",
    interval: 0.2,
    rules: rules.map((rule) => {
      const own = active.filter((alert) => alert.rule === rule);
      const states = own.map((alert) => alert.state);
      return {
        state: states.includes("firing") ? "firing" : states.includes("pending") ? "pending" : "inactive",
        ...{ name: rule.alert, query: rule.expr, duration: rule.forMs / 1000, keepFiringFor: 0 },
        ...{ labels: rule.labels, annotations: rule.annotations, alerts: own.map(shownAlert) },
        ...{ health: "ok", type: "alerting" },
      };
    }),
  };
}

function shownAlert({ labels, annotations, state, activeAt, value }: ActiveAlert): object {
  return { labels, annotations, state, activeAt: new Date(activeAt).toISOString(), value: value.toExponential() };
}
