import { openStore, type Store } from "../../src/adapters/postgres/store.ts";
import type { OutcomeOnRecord } from "../../src/domain/proposal/outcome.ts";
import { newWatchtower } from "../../src/domain/guardrails/watchtower.ts";
import { collect } from "../../src/flow/collect/collect.ts";
import { diagnose, outcomeCauseOf } from "../../src/flow/diagnose/diagnose.ts";
import type { Live } from "../../src/server/pages/routes.ts";
import { type BacktestReport, reportOf } from "../../src/domain/backtest/report.ts";
import type { PastRecord } from "../../src/domain/backtest/record.ts";
import { anIncident } from "../builders.ts";
import { aPastRecord, kinds } from "../past-record.ts";
import { incidentWith, portsOf } from "../injection/incident.ts";

const sha = "6b02dd3f0c1e4a5b8d7e9f00112233445566778a";
const repository = "https://github.example/acme/gitops";
// Names may be long, and a browser may break them only where nothing else helps.
const long = "payment-reconciliation-with-a-very-long-name-that-nobody-would-choose-7d9f8b6c5d";
const workload = { kind: "Deployment", namespace: "shop-production", name: "web" };

/** Records as a shop leaves them: one incident told to its end, one that goes on, one with long names, and many more. */
export async function filledStore(
  url: string,
): Promise<{ readonly store: Store; readonly ended: string; readonly open: string }> {
  const store = await openStore(url);
  const incident = incidentWith(undefined);
  const saved: string[] = [];
  const held = portsOf("proven", undefined, { model: undefined, random: () => "r", publish: () => undefined });
  const saveCapsule = async (_uid: string, document: string) => void saved.push(document);
  const ports = { ...held, records: { ...held.records, saveCapsule } };
  const observed = await collect(incident, ports);
  const diagnosis = await diagnose(incident, observed, [], ports);
  const cause = diagnosis.kind === "abstained" ? undefined : outcomeCauseOf(diagnosis);
  await store.recordIncident(incident);
  await store.recordPull(12, incident.uid);
  await store.saveCapsule(incident.uid, saved.at(-1) ?? "");
  for (const [verb, text] of told) await store.recordEvent(incident.uid, verb, text);
  await store.addStepCost(incident.uid, {
    step: "collect",
    durationMs: 1200,
    githubCalls: 3,
    promptTokens: 0,
    answerTokens: 0,
  });
  const said = {
    model: "llama3.1:8b",
    digest: "46e0c10c039e019119339687c3c1757c",
    promptTokens: 900,
    answerTokens: 80,
  };
  await store.addExchange(incident.uid, {
    at: "2026-11-24T02:01:00Z",
    ...said,
    prompt: `Choose.\n${long.repeat(4)}`,
    answer: '{"cause":"C1"}',
    durationMs: 4200,
  });
  await store.audit({
    incident: incident.uid,
    actor: "rectify",
    action: "create pull",
    detail: { title: "scale web", head: sha, files: ["a.yaml"] },
  });
  await store.audit({
    incident: incident.uid,
    actor: "sre-anna",
    action: "approve",
    detail: { comment: 7, text: long.repeat(3) },
  });
  await store.endIncident(incident.uid, {
    ending: "recovered",
    because: "the rollout is complete, no alert of the incident fires, and the metric is back (190.7, was 2435)",
    outcome: { ...outcome, cause, ...aftermath(Date.parse(incident.startedAt)) },
  });
  const open = anIncident({ name: "PodCrashLooping", startsAt: "2026-11-24T03:00:00.000Z" });
  await store.recordIncident({ ...open, workload: { ...workload, name: long } });
  await store.recordEvent(open.uid, "intake", `opened for PodCrashLooping of shop-production/Deployment/${long}`);
  for (let index = 0; index < 60; index += 1) {
    const uid = `5b0c1f4e-9a3d-5c7e-8f21-${String(index).padStart(12, "0")}`;
    const ending = (["recovered", "refused", "declined", "no-change"] as const)[index % 4] ?? "refused";
    await store.recordIncident({ ...anIncident(), uid, workload: { ...workload, name: `svc-${index}` } });
    await store.endIncident(uid, {
      ending,
      because: "minReplicas of the guardrails allow no fewer",
      outcome: { ending },
    });
  }
  return { store, ended: incident.uid, open: open.uid };
}

const told = [
  ["intake", "opened for HighRequestLatency of shop-production/Deployment/web (label deployment)"],
  ["collect", "27 items of evidence, 1 source gave no answer"],
  ["diagnose", "web uses 102 % of the CPU it requests (ranking and model name the same cause and remedy)"],
  ["plan", "scale web from 2 to 4 replicas in manifests/shop/overlays/production/web.yaml:6"],
  ["gate", "risk medium: unproven here: 0 of 3 verified successes"],
  ["gate", "Policies were evaluated: 12 pass, 0 fail"],
  ["propose", `#12 scale web from 2 to 4 replicas (HighRequestLatency) (${repository}/pull/12)`],
  ["decide", "sre-anna said approve: accepted"],
  ["decide", "merged #12: approved by sre-anna"],
  ["sync", "Kustomization flux-system/shop holds 6b02dd3"],
  ["verify", "recovered: the rollout is complete, no alert of the incident fires"],
  ["learn", "recovered: the rollout is complete"],
] as const;

const outcome: OutcomeOnRecord = {
  ...{ ending: "recovered", because: "the metric is back" },
  remediation: {
    ...{ kind: "scale", workload, change: { kind: "replicas", to: 4 }, from: "2", to: "4" },
    sizing: ["180 requests a second / 50 each = 4"],
  },
  effect: {
    changes: [{ object: { ...workload, apiVersion: "apps/v1" }, field: ["spec", "replicas"], from: 2, to: 4 }],
    hash: "a".repeat(64),
    proof: { kind: "rendered", with: "kustomize 5.7.1" },
  },
  proposal: {
    ...{ number: 12, url: `${repository}/pull/12`, branch: "rectify/web", headSha: sha, effect: "a".repeat(64) },
    ...{
      commitMessage: "scale web",
      files: ["manifests/shop/overlays/production/web.yaml"],
      labels: ["rectify", "risk/medium"],
    },
  },
  ...{ mergedSha: sha, syncedSha: sha },
  cost: { perHour: 0.0219, perMonth: 15.98, currency: "EUR", because: "+0.5 cores × 0.04 EUR per hour" },
};

/** What followed an alert that fired then. */
function aftermath(firedAt: number): Partial<OutcomeOnRecord> {
  const at = (minutes: number) => new Date(firedAt + minutes * 60_000).toISOString();
  const watched = [0, 1, 2, 3].map((minute) => [minute * 60_000, 0.9 / (minute + 1)] as const);
  return {
    course: { openedAt: at(4), mergedAt: at(6), mergedBecause: "approved by sre-anna", syncedAt: at(7) },
    verification: { kind: "recovered", because: "the metric is back", afterMs: 120_000, watched },
  };
}

/** Three of a class that has earned it, and one of a class with long names that has not. */
const shadowed: readonly PastRecord[] = [
  ...["1", "2", "3"].map((uid) => aPastRecord("earlier", { uid })),
  aPastRecord("different", { uid: "4", alert: long, workload: `shop-production/Deployment/${long}` }),
];

/** What a running Rectify knows beside its records. */
export const live: Live = {
  links: { repository, grafana: "https://grafana.example", prometheus: "https://prometheus.example" },
  memory: async () => ({
    state: { kind: "ready", entries: 3, engine: "scan", revision: sha },
    records: [],
    withdrawals: [],
  }),
  autonomy: async () => ({
    rows: [],
    problems: ["autoMerge is not allowed by the guardrails"],
    unsealed: [{ path: `postmortems/2026-11-24-${long}.md`, because: "it carries no seal" }],
  }),
  system: async () => ({
    watchtower: newWatchtower(Date.parse("2026-11-24T02:00:00Z")),
    proposals: {
      ...{ kind: "known", limits: { maxOpenPulls: 5, maxPullsPerHour: 10, exemptSeverities: ["critical"] } },
      ...{
        used: { open: 5, lastHour: 2 },
        ready: [],
        open: [{ pull: 12, workload, summary: "scale web from 2 to 4 replicas" }],
      },
      listed: [
        {
          candidate: {
            ...{ incident: "x", alert: "Hot", severity: "warning", workload },
            startedAt: "2026-11-24T02:00:00Z",
            summary: long,
          },
          because: "5 pull requests are open (maxOpenPulls)",
        },
      ],
    },
    sources: [
      {
        name: "Prometheus",
        state: "answers",
        since: "2026-11-24T02:00:00Z",
        lastAnswer: "2026-11-24T02:00:00Z",
        lastError: undefined,
        about: "",
      },
      {
        ...{ name: "Loki", state: "silent", since: "2026-11-24T02:00:00Z", lastAnswer: undefined, about: "" },
        lastError: { at: "2026-11-24T02:00:00Z", because: `Loki /loki/api/v1/query_range: ECONNREFUSED ${long}` },
      },
    ],
    shadow: {
      since: "2026-11-01T00:00:00.000Z",
      editor: `${repository}/edit/main/.github/rectify.yml`,
      records: shadowed,
    },
    unplaced: [
      {
        ...{
          name: "NodeDiskFull",
          kind: "nobody",
          times: 3,
          because: "no label names a workload",
          line: "alerts: { NodeDiskFull: { ignore: true } }",
        },
        ...{ labels: { alertname: "NodeDiskFull", node: long }, lastSeen: "2026-11-24T02:00:00Z" },
      },
    ],
  }),
};

/** A report of a backtest with every kind of verdict, long names, gaps and a price. */
export function aReport(): { readonly report: BacktestReport; readonly records: readonly PastRecord[] } {
  const priced = { perMonth: 15.98, currency: "EUR" };
  const others = kinds.map((kind, index) => {
    const record = aPastRecord(kind, { uid: `k${index}`, workload: `shop-production/Deployment/${long}` });
    return record.would.kind === "proposed" ? { ...record, would: { ...record.would, ...priced } } : record;
  });
  const silent = aPastRecord("earlier", {
    uid: "m",
    missing: ["events around the workload", "rollouts of the workload"],
  });
  const records = [...shadowed, ...others, silent];
  const unplaced = ["NodeDiskFull", long].map((name) => ({
    ...{ name, kind: "nobody" as const, times: 3, because: `no label names a workload: ${long}` },
    ...{ line: `alerts: [{ alert: ${name}, workload: { kind: Deployment, namespace: shop, name: web } }]` },
    ...{ labels: { alertname: name }, lastSeen: "2026-11-24T02:00:00Z" },
  }));
  const span = { from: "2026-11-01T00:00:00.000Z", to: "2026-11-28T00:00:00.000Z" };
  return {
    records,
    report: reportOf({ ...span, records, unplaced, unanswered: 2, notes: ["seen with the defaults"] }),
  };
}
