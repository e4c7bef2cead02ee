import { afterEach, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { otlpTracer } from "../../../src/adapters/telemetry/otlp.ts";
import { openStepMeter } from "../../../src/adapters/telemetry/step-meter.ts";
import { anIncident } from "../../builders.ts";

const { uid, traceId } = anIncident();
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: { intValue?: string; stringValue?: string } }[];
  readonly status: { code?: number };
}

/** A collector that takes spans, or answers this status. */
async function collector(status = 200) {
  const spans: Span[] = [];
  const route = {
    ...{ method: "POST" as const, path: "/v1/traces", limit: 1_000_000 },
    answer: async ({ body }: { body: Buffer }) => {
      const read = JSON.parse(body.toString());
      spans.push(...read.resourceSpans[0].scopeSpans[0].spans);
      return { status };
    },
  };
  const server = await listen([route], { host: "127.0.0.1", port: 0 });
  opened.push(server);
  return { spans, endpoint: `http://127.0.0.1:${server.port}` };
}

test("each step of a workflow is a span below the incident, in the trace that the Incident-UID names", async () => {
  const { spans, endpoint } = await collector();
  const told: string[] = [];
  const tracer = otlpTracer({ endpoint, onChange: (text) => told.push(text) });
  const meter = openStepMeter({ attempt: (attempt) => tracer.step(attempt), exchange: () => undefined });
  await meter.measure(uid, "collect", async () => meter.githubCall());
  await meter.measure(`${uid}/lease/0`, "plan", () => Promise.reject(new Error("no"))).catch(() => undefined);
  tracer.incidentEnded({
    incident: uid,
    openedAt: "2026-11-24T02:00:00.000Z",
    endedAt: new Date(),
    ending: "recovered",
  });
  await tracer.close();
  const [collect, plan, workflow] = spans;
  expect(spans.map(({ name }) => name)).toEqual(["collect", "plan", "incident"]);
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  expect([collect?.parentSpanId, plan?.parentSpanId]).toEqual([workflow?.spanId, workflow?.spanId]);
  expect(workflow?.startTimeUnixNano).toBe(`${Date.parse("2026-11-24T02:00:00Z")}000000`);
  expect(collect?.attributes).toContainEqual({ key: "rectify.github.calls", value: { intValue: "1" } });
  expect(plan?.status).toEqual({ code: 2 });
  expect(told).toEqual([]);
});

test.each([
  ["away", async () => "http://127.0.0.1:9", /cannot be reached/],
  ["full", async () => (await collector(503)).endpoint, /HTTP 503/],
])("a collector that is %s is told once and fails nothing", async (_, endpointOf, reason) => {
  const told: string[] = [];
  const tracer = otlpTracer({ endpoint: await endpointOf(), onChange: (text) => told.push(text) });
  const workflow = { incident: uid, openedAt: "2026-11-24T02:00:00Z", endedAt: new Date(), ending: "parked" };
  for (let count = 0; count < 3000; count += 1) tracer.incidentEnded(workflow);
  await tracer.close();
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(reason);
});

test("calls of steps that run side by side are counted apart", async () => {
  const attempts: [string, number][] = [];
  const meter = openStepMeter({
    attempt: ({ workflow, githubCalls }) => attempts.push([workflow, githubCalls]),
    exchange: () => undefined,
  });
  const work = async (calls: number) => {
    for (let count = 0; count < calls; count += 1) {
      await Promise.resolve();
      meter.githubCall();
    }
  };
  await Promise.all([meter.measure("a", "plan", () => work(2)), meter.measure("b", "plan", () => work(3))]);
  expect(attempts).toEqual([
    ["a", 2],
    ["b", 3],
  ]);
});
