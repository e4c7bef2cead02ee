import { createHash, randomBytes } from "node:crypto";
import { type Attempt, incidentOf } from "./step-meter.ts";

/** Spans of the workflow, told to an OpenTelemetry collector. Nothing waits for it, and nothing fails when it is away. */
export interface Tracer {
  step(attempt: Attempt): void;
  /** The whole incident, once it has ended. */
  incidentEnded(incident: {
    readonly incident: string;
    readonly openedAt: string;
    readonly endedAt: Date;
    ending: string;
  }): void;
  /** Sends what is left, for at most one deadline. */
  close(): Promise<void>;
}

interface TracerOptions {
  /** As OTEL_EXPORTER_OTLP_ENDPOINT has it: without the path. */
  readonly endpoint: string;
  readonly everyMs?: number;
  readonly deadlineMs?: number;
  /** Hears once that the collector does not take spans, and once that it does again. */
  readonly onChange: (text: string) => void;
}

const mostWaiting = 2048;
const mostInBatch = 512;

/** OTLP over HTTP in its JSON form: https://opentelemetry.io/docs/specs/otlp/#otlphttp */
export function otlpTracer(options: TracerOptions): Tracer {
  const waiting: object[] = [];
  let sending: Promise<void> | undefined;
  let away = false;
  const keep = (span: object | undefined) => {
    if (span === undefined) return;
    waiting.push(span);
    if (waiting.length > mostWaiting) waiting.shift();
  };
  const flush = () => {
    sending ??= (async () => {
      while (waiting.length > 0 && (await sent(waiting.splice(0, mostInBatch))));
    })().finally(() => {
      sending = undefined;
    });
    return sending;
  };
  /** What was not taken is lost: old spans are worth less than memory. */
  const sent = async (spans: readonly object[]): Promise<boolean> => {
    const problem = await post(options, spans);
    if ((problem !== undefined) !== away) options.onChange(problem ?? "the collector takes spans again");
    away = problem !== undefined;
    return !away;
  };
  const timer = setInterval(() => void flush(), options.everyMs ?? 2_000);
  timer.unref();
  return {
    step: (attempt) => keep(stepSpan(attempt)),
    incidentEnded: (incident) => keep(incidentSpan(incident)),
    close: async () => {
      clearInterval(timer);
      await flush();
      await flush();
    },
  };
}

async function post({ endpoint, deadlineMs }: TracerOptions, spans: readonly object[]): Promise<string | undefined> {
  const resource = { attributes: attributes({ "service.name": "rectify" }) };
  const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "rectify" }, spans }] }] });
  try {
    const answer = await fetch(`${endpoint.replace(/\/$/, "")}/v1/traces`, {
      ...{ method: "POST", headers: { "content-type": "application/json" }, body, redirect: "error" as const },
      signal: AbortSignal.timeout(deadlineMs ?? 2_000),
    });
    await answer.body?.cancel();
    return answer.ok ? undefined : `the collector answers HTTP ${answer.status}: spans are dropped`;
  } catch {
    return "the collector cannot be reached: spans are dropped";
  }
}

/** Undefined for a workflow that has no trace of its own. */
function traceOf(incident: string): { readonly traceId: string; readonly rootId: string } | undefined {
  const traceId = incident.replaceAll("-", "");
  if (!/^[0-9a-f]{32}$/.test(traceId)) return undefined;
  // The same after every restart, so that all steps hang below one span.
  return { traceId, rootId: createHash("sha256").update(traceId).digest("hex").slice(0, 16) };
}

function stepSpan(attempt: Attempt): object | undefined {
  const { startedAt, durationMs, step, failed } = attempt;
  const incident = incidentOf(attempt.workflow);
  const trace = traceOf(incident);
  if (trace === undefined) return undefined;
  return {
    ...{ traceId: trace.traceId, spanId: randomBytes(8).toString("hex"), parentSpanId: trace.rootId },
    ...{ name: step, kind: 1, ...times(startedAt, new Date(startedAt.getTime() + durationMs)) },
    attributes: attributes({
      "incident.uid": incident,
      "rectify.github.calls": attempt.githubCalls,
      "gen_ai.usage.input_tokens": attempt.promptTokens,
      "gen_ai.usage.output_tokens": attempt.answerTokens,
    }),
    status: failed ? { code: 2 } : {},
  };
}

function incidentSpan({
  incident,
  openedAt,
  endedAt,
  ending,
}: Parameters<Tracer["incidentEnded"]>[0]): object | undefined {
  const trace = traceOf(incident);
  if (trace === undefined) return undefined;
  return {
    ...{ traceId: trace.traceId, spanId: trace.rootId, name: "incident", kind: 1 },
    ...times(new Date(openedAt), endedAt),
    attributes: attributes({ "incident.uid": incident, "rectify.ending": ending }),
    status: {},
  };
}

function times(start: Date, end: Date) {
  const nano = (date: Date) => `${Math.round(date.getTime())}000000`;
  return { startTimeUnixNano: nano(start), endTimeUnixNano: nano(end) };
}

function attributes(values: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? { stringValue: value } : { intValue: String(value) },
  }));
}
