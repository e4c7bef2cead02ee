import { z } from "zod";
import { type AlertRule, ruleFor } from "../../domain/incident/alert-rule.ts";
import type { Series } from "../../domain/evidence/evidence.ts";
import type { Metrics, WholeHistory } from "../../ports/monitoring.ts";
import { finestStepMs } from "../../ports/timings.ts";
import { narrowedTo } from "../../domain/incident/expression.ts";
import { parsePromql } from "./promql.ts";
import { Refused } from "../../ports/errors.ts";
import { askSmaller, getJson, type JsonSource } from "../http/http.ts";

const Answer = z.object({
  status: z.literal("success"),
  data: z.unknown(),
  warnings: z.array(z.string()).default([]),
  infos: z.array(z.string()).default([]),
});
const Matrix = z.object({
  resultType: z.literal("matrix"),
  result: z.array(
    z.object({
      metric: z.record(z.string(), z.string()),
      // Absent where a series holds native histograms only.
      values: z.custom<readonly (readonly [number, string])[]>(arePoints).default([]),
    }),
  ),
});
const Rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          ...{ type: z.string(), name: z.string(), query: z.string() },
          ...{ duration: z.number().optional(), state: z.string().optional() },
          labels: z.record(z.string(), z.string()).default({}),
        }),
      ),
    }),
  ),
});

/** A schema of each tuple copies them one by one: of the workloads of one namespace they are tens of thousands. */
function arePoints(value: unknown): boolean {
  const isPoint = (one: unknown) =>
    Array.isArray(one) && one.length === 2 && typeof one[0] === "number" && typeof one[1] === "string";
  return Array.isArray(value) && value.every(isPoint);
}

// Points per series that we ask for: Prometheus refuses above 11,000, a chart needs a hundred.
const pointsWanted = 120;
const coarser = 4;

interface PrometheusOptions {
  /** Every query asks only for series with this label. */
  readonly only?: { readonly label: string; readonly value: string } | undefined;
  readonly url: string;
  readonly authorization?: string | undefined;
  readonly secretFile?: JsonSource["secretFile"];
  readonly headers?: JsonSource["headers"];
  readonly deadlineMs?: number;
  readonly maxBytes?: number;
  /** No step is finer: between two scrapes there is nothing new to see. */
  readonly leastStepMs?: number | undefined;
  readonly inTurn?: JsonSource["inTurn"];
}

/** Prometheus over its HTTP API: https://prometheus.io/docs/prometheus/latest/querying/api/ */
export function prometheus(options: PrometheusOptions): Metrics & WholeHistory {
  const source: JsonSource = { name: "Prometheus", ...options };
  const finestSeconds = (options.leastStepMs ?? finestStepMs) / 1000;
  const spanOf = (asked: string, from: Date, to: Date): Ranged => {
    const query = options.only === undefined ? asked : onlyOurs(asked, options.only);
    return { query, from: from.getTime() / 1000, to: to.getTime() / 1000, finestSeconds };
  };
  return {
    range: async (asked, from, to, { points = pointsWanted } = {}) => {
      const span = spanOf(asked, from, to);
      return askSmaller(
        () => rangeOf(source, span, points),
        async (because) => {
          const { series, notes } = await rangeOf(source, span, Math.max(2, Math.floor(points / coarser)));
          return { series, notes: [...notes, `asked again with ${coarser} times the step: ${because}`] };
        },
      );
    },
    everyStep: async (asked, from, to, points) => everyStep(source, spanOf(asked, from, to), points),
    ruleOf: async (alert) => ruleOf(await ask(source, "/api/v1/rules", { type: "alert" }), alert),
  };
}

/** Where one Prometheus knows several clusters, each query asks for one. What cannot be narrowed is not asked. */
function onlyOurs(query: string, { label, value }: { readonly label: string; readonly value: string }): string {
  const expression = parsePromql(query);
  if (expression === undefined) throw new Refused("Prometheus: a query that cannot be read cannot be narrowed");
  return narrowedTo(query, expression, label, value);
}

interface Ranged {
  readonly query: string;
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
  readonly finestSeconds: number;
}

/** Never coarser: what is too much at once is asked for one half of the time after the other. */
async function everyStep(source: JsonSource, span: Ranged, points: number): ReturnType<WholeHistory["everyStep"]> {
  const whole = () => rangeOf(source, span, points);
  if (points < 2) return whole();
  return askSmaller(whole, async () => {
    const half = Math.floor(points / 2);
    const middle = span.from + ((span.to - span.from) / points) * half;
    const earlier = await everyStep(source, { ...span, to: middle }, half);
    const later = await everyStep(source, { ...span, from: middle }, points - half);
    return { series: [...earlier.series, ...later.series], notes: [...earlier.notes, ...later.notes] };
  });
}

async function rangeOf(source: JsonSource, { query, from, to, finestSeconds }: Ranged, points: number) {
  const stepSeconds = Math.max(finestSeconds, (to - from) / points);
  const step = { start: String(from), end: String(to), step: stepSeconds.toFixed(3) };
  const answer = await ask(source, "/api/v1/query_range", { query, ...step });
  const matrix = Matrix.safeParse(answer.data);
  if (!matrix.success) throw new Refused("Prometheus: the answer of the range query is not a matrix");
  return { series: matrix.data.result.map(seriesOf), notes: [...answer.warnings, ...answer.infos] };
}

async function ask(
  source: JsonSource,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<z.infer<typeof Answer>> {
  const answer = Answer.safeParse(await getJson(source, path, query));
  if (!answer.success) throw new Refused(`Prometheus ${path}: an answer of unknown shape`);
  return answer.data;
}

function ruleOf(answer: z.infer<typeof Answer>, alert: Parameters<Metrics["ruleOf"]>[0]): AlertRule | undefined {
  const read = Rules.safeParse(answer.data);
  if (!read.success) throw new Refused("Prometheus: the list of rules has an unknown shape");
  const rules = read.data.groups
    .flatMap((group) => group.rules)
    .filter(({ type, name }) => type === "alerting" && name === alert.name)
    .map(({ name, query, duration = 0, state, labels }) => ({
      ...{ name, query, labels, state, forMs: duration * 1000, expression: parsePromql(query) },
    }));
  if (rules.length === 0) return undefined;
  const choice = ruleFor(alert, rules);
  if (choice.kind === "none") throw new Refused(`Prometheus: ${choice.because}`);
  return choice.rule;
}

function seriesOf(item: z.infer<typeof Matrix>["result"][number]): Series {
  const points: (readonly [number, number])[] = [];
  for (const [at, text] of item.values) {
    const value = Number(text);
    // NaN and infinities are "no measurement" (an empty quantile, a division by zero), not a value to reason with.
    if (Number.isFinite(value)) points.push([at, value]);
  }
  return { labels: item.metric, points };
}
