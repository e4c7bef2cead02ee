import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubernetes } from "../../../src/adapters/kubernetes/kubernetes.ts";
import { loki } from "../../../src/adapters/monitoring/loki.ts";
import { prometheus } from "../../../src/adapters/monitoring/prometheus.ts";
import { withTimeout } from "../../../src/adapters/http/timeout.ts";
import { capsuleOf, readCapsule, renderCapsule, replayCapsule } from "../../../src/domain/records/capsule.ts";
import { diagnoseSignals } from "../../../src/domain/root-cause/diagnose-signals.ts";
import { signalsOf } from "../../../src/domain/root-cause/signals.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { collect, type Observed } from "../../../src/flow/collect/collect.ts";
import { diagnose } from "../../../src/flow/diagnose/diagnose.ts";
import type { Fault } from "../../../src/lab/cluster/servers/api-server.ts";
import type { ApiName } from "../../../src/lab/cluster/cluster.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import { concernsIn } from "../../concerns.ts";
import { anAlert, anIncident } from "../../builders.ts";
import { openShop, type TestShop } from "../../lab/cluster-shop.ts";

const faults: readonly (readonly [string, Fault])[] = [
  ["E01 answers 400", { kind: "status", status: 400 }],
  ["E01 answers 422", { kind: "status", status: 422 }],
  ["E05 answers 403", { kind: "status", status: 403 }],
  ["E05 answers 429", { kind: "status", status: 429 }],
  ["E02 answers 500", { kind: "status", status: 500 }],
  ["E05 cuts its answers", { kind: "cut" }],
  ["E01 sends a sign-in page", { kind: "wrong-type" }],
  ["E02 is down", { kind: "down" }],
  ["E06 is slow", { kind: "slow", ms: 20_000 }],
  ["E02 tells half of the truth", { kind: "partial" }],
];
const sources = ["prometheus", "loki", "kubernetes"] as const satisfies readonly ApiName[];
// Only a source that keeps its reader waiting has to be given up soon; a busy machine is none.
const patientMs = 15_000;

let shop: TestShop;
let calm: Observed;

beforeAll(async () => {
  shop = await openShop();
  shop.cluster.setLoad("web", 260);
  await shop.cluster.advance(12_000);
  calm = await collected();
}, 60_000);
afterAll(() => shop.cluster.close());

const incident = () =>
  anIncident({ ...anAlert(), startsAt: new Date(shop.cluster.now().getTime() - 5_000).toISOString() });

const sha = "a".repeat(40);

interface Giving {
  readonly files?: Record<string, string>;
  readonly deadlineMs?: number;
  readonly giveUpMs?: number;
}

function collected(github: Partial<Ports["github"]> = {}, giving: Giving = {}): Promise<Observed> {
  return collect(incident(), lookingAt(github, giving));
}

function lookingAt(
  github: Partial<Ports["github"]> = {},
  { files = {}, deadlineMs = patientMs, giveUpMs = 30_000 }: Giving = {},
): Ports {
  const { urls, now } = shop.cluster;
  const ports = {
    cluster: kubernetes({ url: urls.kubernetes, token: "t", cluster: "test", deadlineMs }),
    metrics: prometheus({ url: urls.prometheus, deadlineMs }),
    logs: loki({ url: urls.loki, deadlineMs }),
    clock: { now },
    withTimeout: (milliseconds: number, work: Promise<unknown>) => withTimeout(Math.min(milliseconds, giveUpMs), work),
    timings: { lookbackMs: 20_000, rateWindow: "3s", pollMs: 1_000, historyMs: 60_000, selfHealMs: 5_000 },
    concerns: concernsIn(),
    records: { mergesSince: async () => [] },
    github: { commitsSince: async () => [], head: async () => ({ sha, tree: treeOf(files) }), ...github },
    telemetry: { log: () => undefined },
  };
  return ports as unknown as Ports;
}

async function under(source: ApiName, fault: Fault): Promise<Observed> {
  shop.cluster.setFault(source, fault);
  try {
    return await collected({}, ["slow", "cut"].includes(fault.kind) ? { deadlineMs: 300 } : {});
  } finally {
    shop.cluster.setFault(source, undefined);
  }
}

function judged({ evidence }: Observed) {
  const signals = signalsOf(incident(), evidence);
  const diagnosis = diagnoseSignals(signals);
  const cause = diagnosis.kind === "diagnosed" ? diagnosis.causes[0] : undefined;
  return { missing: signals.missing, kind: cause?.kind, confidence: cause?.confidence ?? 0, diagnosis };
}

test("with every source there the cause stands out and nothing is missing", () => {
  expect(judged(calm)).toMatchObject({ missing: [], kind: "saturated" });
});

describe.each(sources)("%s", (source) => {
  test.each(faults)(
    "%s: the incident goes on, says what is missing, and is less sure",
    async (_, fault) => {
      const observed = await under(source, fault);
      const told = observed.evidence.filter(({ finding }) =>
        finding.kind === "missing" ? finding.because !== "" : finding.notes.length > 0,
      );
      expect(told.map((item) => item.source)).toContain(source);
      const { missing, confidence, diagnosis } = judged(observed);
      expect(missing).not.toEqual([]);
      expect(confidence).toBeLessThan(judged(calm).confidence);
      if (diagnosis.kind === "abstained") expect(diagnosis.because).toContain("not known: ");
    },
    20_000,
  );
});

test("nothing is as old as the time before the alert, or as the look before", async () => {
  const asked: (Date | undefined)[] = [];
  const alert = incident();
  const at = (ms: number) => new Date(Date.parse(alert.alert.startsAt) + ms).toISOString();
  const range: Ports["metrics"]["range"] = async (_query, _from, _to, wanted) => {
    asked.push(wanted?.notBefore);
    throw new Unavailable("not now");
  };
  const ports = { ...lookingAt(), metrics: { range, ruleOf: async () => undefined } } as unknown as Ports;
  const since = async (before?: string) => {
    asked.length = 0;
    await collect(alert, ports, before);
    expect(asked.length).toBeGreaterThan(5);
    return [...new Set(asked.map((one) => one?.toISOString()))];
  };
  expect(await since()).toEqual([at(0)]);
  expect(await since(at(-1_000))).toEqual([at(0)]);
  expect(await since(at(2_000))).toEqual([at(2_001)]);
});

test("a mirror that cannot be read leaves the rest of the diagnosis standing", async () => {
  const commitsSince = () => Promise.reject(new Unavailable("git: no answer"));
  const observed = await collected({ commitsSince });
  const commits = observed.evidence.find(({ key }) => key === "commits");
  expect(commits?.finding).toEqual({ kind: "missing", because: "git: no answer" });
  expect(judged(observed)).toMatchObject({ missing: ["commits"], kind: "saturated" });
  expect(judged(observed).confidence).toBeLessThan(judged(calm).confidence);
});

test("the runbooks of the alert are evidence, and one that cannot be read says so", async () => {
  const runbook = (alert: string, body: string) => `---\nalert: ${alert}\nremedy:\n  kind: scale\n---\n${body}\n`;
  const { evidence } = await collected(
    {},
    {
      files: {
        "runbooks/latency.md": runbook("HighRequestLatency", "Call the shop first."),
        "runbooks/other.md": runbook("DiskFull", "Delete nothing."),
        "runbooks/broken.md": "---\nalert: HighRequestLatency\nremedy: {kind: drop-tables}\n---\n",
        "runbooks/README.md": "How we write them.",
      },
    },
  );
  expect(evidence.find(({ source }) => source === "runbook")?.finding).toEqual({
    kind: "text",
    lines: ["runbooks/latency.md: remedy scale", "Call the shop first."],
    notes: [expect.stringMatching(/^runbooks\/broken.md was not read: remedy/)],
  });
  expect(calm.evidence.some(({ source }) => source === "runbook")).toBe(false);
});

test("E06: a source that hangs is given up, and the others still speak", async () => {
  const commitsSince = () => new Promise<never>(() => undefined);
  const observed = await collected({ commitsSince }, { giveUpMs: 5_000 });
  const commits = observed.evidence.find(({ key }) => key === "commits");
  expect(commits?.finding).toEqual({ kind: "missing", because: expect.stringMatching(/^no answer within/) });
  expect(judged(observed).kind).toBe("saturated");
}, 20_000);

test("what a source owed and did not answer is told apart from what nobody measures", () => {
  const silent = calm.evidence.map((item) =>
    item.key === "events" ? { ...item, finding: { kind: "missing", because: "HTTP 403" } as const } : item,
  );
  expect(signalsOf(incident(), silent).unanswered).toEqual(["events"]);
  const unmeasured = calm.evidence.filter(({ key }) => key !== "node-metrics");
  expect(signalsOf(incident(), unmeasured)).toMatchObject({
    missing: ["metrics of the services around it"],
    unanswered: [],
  });
});

test("E07: an alert whose metric is back needs no change", async () => {
  const told: string[] = [];
  const ports = {
    records: { saveCapsule: async () => undefined },
    clock: { now: shop.cluster.now },
    telemetry: { log: (_incident: string, _verb: string, text: string) => void told.push(text) },
  };
  const threshold = { query: "cpu", comparison: ">", limit: 0.95 } as const;
  const condition = { query: "cpu > 0.95", threshold, exact: true };
  const observed: Observed = { ...calm, threshold, condition, value: 0.05, holds: false };
  const because = "already recovered: the alert's metric is 0.05 now, and it fires > 0.95";
  expect(await diagnose(incident(), observed, [], ports as unknown as Ports)).toEqual({
    kind: "abstained",
    because,
  });
  expect(told).toEqual([because]);
});

test("a capsule of what was seen repeats the diagnosis offline", () => {
  const made = capsuleOf(incident(), calm.evidence, { at: "2026-11-24T03:00:00Z", versions: {} });
  const reading = readCapsule(renderCapsule(made));
  expect(reading.kind === "capsule" && replayCapsule(reading.capsule).differences).toEqual([]);
});
