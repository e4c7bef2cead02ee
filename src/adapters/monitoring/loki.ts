import { z } from "zod";
import { masked } from "../../domain/text/masking.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import type { Logs } from "../../ports/monitoring.ts";
import { Refused } from "../../ports/errors.ts";
import { askSmaller, getJson, type JsonSource } from "../http/http.ts";

const Answer = z.object({
  status: z.literal("success"),
  data: z.object({
    resultType: z.literal("streams"),
    result: z.array(
      z.object({
        stream: z.record(z.string(), z.string()),
        // Loki adds structured metadata as a third element where it has some.
        values: z.array(z.tuple([z.string(), z.string()]).rest(z.unknown())),
      }),
    ),
  }),
  warnings: z.array(z.string()).nullish(),
});

const Counts = z.object({
  status: z.literal("success"),
  data: z.object({
    resultType: z.literal("matrix"),
    result: z.array(z.object({ values: z.array(z.tuple([z.number(), z.string()])) })),
  }),
  warnings: z.array(z.string()).nullish(),
});

interface LokiOptions {
  readonly url: string;
  readonly authorization?: string | undefined;
  readonly secretFile?: JsonSource["secretFile"];
  readonly headers?: JsonSource["headers"];
  readonly deadlineMs?: number;
  readonly maxBytes?: number;
  readonly inTurn?: JsonSource["inTurn"];
  /** The most lines that are asked for; Loki refuses above its own limit, 5,000 by default. */
  readonly maxLines?: number;
}

const defaults = { deadlineMs: 10_000, maxBytes: 2 * 1024 * 1024, maxLines: 500 };
const maxLineLength = 1_000;

/** Loki over its HTTP API: https://grafana.com/docs/loki/latest/reference/loki-http-api/ */
export function loki(options: LokiOptions): Logs {
  const { maxLines, ...limits } = { ...defaults, ...options };
  const source: JsonSource = { name: "Loki", ...limits };
  return {
    around: (workload, from, to) =>
      askSmaller(
        () => linesAround(source, workload, { from, to, maxLines }),
        async (because) => {
          const half = new Date((from.getTime() + to.getTime()) / 2);
          const fewer = Math.max(1, Math.floor(maxLines / 10));
          const { lines, notes } = await linesAround(source, workload, { from: half, to, maxLines: fewer });
          return { lines, notes: [...notes, `asked again for fewer lines since ${half.toISOString()}: ${because}`] };
        },
      ),
    errorRate: (workload, from, to) => errorRate(source, workload, { from, to }),
  };
}

interface Span {
  readonly from: Date;
  readonly to: Date;
  readonly maxLines: number;
}

interface Line {
  /** Nanoseconds. */
  readonly at: bigint;
  readonly pod: string;
  readonly text: string;
}

async function linesAround(source: JsonSource, workload: Workload, { from, to, maxLines }: Span) {
  const answer = Answer.safeParse(
    await getJson(source, "/loki/api/v1/query_range", {
      query: selectorOf(workload),
      start: `${from.getTime()}000000`,
      end: `${to.getTime()}000000`,
      limit: String(maxLines),
      direction: "backward",
    }),
  );
  if (!answer.success) throw new Refused("Loki: the answer is not a list of log streams");
  const found = answer.data.data.result
    .flatMap(({ stream, values }) => values.flatMap(([at, text]) => lineOf(at, text, stream.pod ?? "")))
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return {
    lines: found.map(({ at, pod, text }) => `${timeOf(at)} ${pod === "" ? "" : `${pod} `}${text}`),
    notes: [...(answer.data.warnings ?? []), ...notesOn(found, { from, to, maxLines })],
  };
}

const rateSteps = 30;

/** Lines that say so themselves, or that carry the usual words. */
const errorWords = "(?i)(error|fatal|panic|exception|timed? ?out)";

async function errorRate(source: JsonSource, workload: Workload, { from, to }: Pick<Span, "from" | "to">) {
  const seconds = Math.max(1, Math.round((to.getTime() - from.getTime()) / 1000 / rateSteps));
  const query = `sum(count_over_time(${selectorOf(workload)} |~ ${quoted(errorWords)} [${seconds}s]))`;
  const span = { start: `${from.getTime()}000000`, end: `${to.getTime()}000000`, step: String(seconds) };
  const answer = Counts.safeParse(await getJson(source, "/loki/api/v1/query_range", { query, ...span }));
  if (!answer.success) throw new Refused("Loki: the answer is not a matrix of counts");
  const series = answer.data.data.result.map(({ values }) => ({
    labels: {},
    points: values.map(([at, count]) => [at, Number(count) / seconds] as const),
  }));
  return { series, notes: answer.data.warnings ?? [] };
}

function lineOf(at: string, text: string, pod: string): Line[] {
  if (!/^\d{1,20}$/.test(at)) return [];
  const clean = masked(text).text;
  return [{ at: BigInt(at), pod, text: clean.length > maxLineLength ? `${clean.slice(0, maxLineLength)}…` : clean }];
}

const podSuffixes: Readonly<Record<string, string>> = {
  StatefulSet: "-[0-9]+",
  DaemonSet: "-[a-z0-9]{5}",
  ReplicaSet: "-[a-z0-9]{5}",
  Job: "-([0-9]+-)?[a-z0-9]{5}",
  CronJob: "-[0-9]+-([0-9]+-)?[a-z0-9]{5}",
  Pod: "",
};

/** The pods of a workload by the names that Kubernetes gives them. */
function selectorOf({ kind, namespace, name }: Workload): string {
  const suffix = podSuffixes[kind] ?? "-[a-z0-9]+-[a-z0-9]{5}";
  return `{namespace=${quoted(namespace)}, pod=~${quoted(`${escaped(name)}${suffix}`)}}`;
}

/** A Go string literal: names come from alert labels, which anyone may write. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function notesOn(found: readonly Line[], { from, to, maxLines }: Span): string[] {
  if (found.length >= maxLines) return [`only the newest ${maxLines} lines were read`];
  const first = found[0];
  if (!first) return ["no log lines in this time range; Loki narrows a range beyond its lookback limit without a word"];
  if (!beginsLate(found, from, to)) return [];
  return [
    `partial: nothing before ${timeOf(first.at)}: either silence, or Loki's lookback limit, which it does not report`,
  ];
}

// Longer than this part of the range without a line, and this many times the longest silence after it.
const leastPart = 0.1;
const unusualSilence = 3;

/** A beginning without lines may be silence, or `max_query_lookback`: the answer looks the same. */
function beginsLate(found: readonly Line[], from: Date, to: Date): boolean {
  const times = found.map(({ at }) => Number(at / 1_000_000n));
  const silentMs = (times[0] ?? 0) - from.getTime();
  const rangeMs = to.getTime() - from.getTime();
  if (silentMs > rangeMs / 2) return true;
  const others = [...times.slice(1), to.getTime()].map((at, index) => at - (times[index] ?? at));
  return silentMs > leastPart * rangeMs && silentMs > unusualSilence * Math.max(...others);
}

function timeOf(at: bigint): string {
  return new Date(Number(at / 1_000_000n)).toISOString();
}
