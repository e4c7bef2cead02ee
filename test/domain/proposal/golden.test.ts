import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { RemedyChange, Remediation } from "../../../src/domain/kubernetes/remediation.ts";
import type { ProposalBody } from "../../../src/domain/proposal/body/proposal-body.ts";
import { renderReport, renderOutcome } from "../../../src/domain/proposal/body/sticky.ts";
import { renderDashboard } from "../../../src/domain/proposal/dashboard.ts";
import type { OutcomeOnRecord } from "../../../src/domain/proposal/outcome.ts";
import { renderBody, renderCommitMessage, renderTitle } from "../../../src/domain/proposal/proposal-text.ts";
import { postMortemOf, renderPostMortem } from "../../../src/domain/records/post-mortem.ts";
import { anIncident } from "../../builders.ts";
import { aLease } from "../../lease.ts";
import { aRollback } from "../../rollback.ts";
import { anItem } from "../llm/a-question.ts";

// As they were before the tests.
const onFile = readdirSync(new URL("golden", import.meta.url)).sort();
const workload = { kind: "Deployment", namespace: "shop-production", name: "web" };
const at = (time: string) => `2026-11-24T${time}.000Z`;
const evidence = [
  {
    ...anItem("E1", "prometheus", {
      kind: "series",
      unit: "ms",
      series: [{ labels: { service: "web" }, points: [120, 400, 1950].map((value, n) => [n * 60, value] as const) }],
      notes: [],
    }),
    key: "alert-metric" as const,
  },
  {
    ...anItem("E2", "prometheus", { kind: "facts", facts: { comparison: ">", limit: 300 }, notes: [] }),
    key: "alert-rule" as const,
  },
  anItem("E3", "loki", { kind: "text", lines: ["upstream timeout"], notes: [] }),
  anItem("E4", "gitops", { kind: "missing", because: "no answer in time" }),
];

interface Change {
  readonly kind: Remediation["kind"];
  readonly change: RemedyChange;
  readonly from: string;
  readonly to: string;
  readonly sizing: readonly string[];
  readonly field: readonly string[];
}

const scale: Change = {
  ...{ kind: "scale", change: { kind: "replicas", to: 5 }, from: "3", to: "5" },
  ...{ sizing: ["ceil(3 × 95 % / 60 %) = 5"], field: ["spec", "replicas"] },
};
const container = ["spec", "template", "spec", "containers", "web"];

function aBody({ kind, change, from, to, sizing, field }: Change, more: Partial<ProposalBody> = {}): ProposalBody {
  return {
    ...{
      incident: anIncident(),
      evidence,
      cause: { sentence: "web uses 95 % of the CPU it requests", citing: ["E1"] },
    },
    remediation: { kind, workload, change, from, to, sizing },
    owners: [{ path: "apps/web.yaml", field: "spec.replicas", because: "the manifest sets it" }],
    effect: {
      changes: [
        { object: { apiVersion: "apps/v1", ...workload }, field, from: Number(from) || from, to: Number(to) || to },
      ],
      ...{ hash: "e".repeat(64), proof: { kind: "rendered", with: "kustomize 5" } },
    },
    risk: { level: "medium", reasons: ["medium: unproven here: 0 of 3 verified successes"] },
    ...{ policy: "7 of 7 policies passed", selfMergeLacks: ["risk is medium"], warnings: [], chart: undefined },
    ...{ places: [{ path: "apps/web.yaml", line: 12 }], writtenAt: at("02:04:10") },
    course: { appliedBy: "Kustomization flux-system/shop", watchedMs: 20 * 60_000 },
    ...more,
  };
}

const commit: Change = {
  kind: "revert-commit",
  change: {
    ...{ kind: "commit", scope: "workload", sha: "6b02dd3".padEnd(40, "a"), to: "the files before" },
    ...{ pull: 12, subject: "Use the new client (#12)", author: "Ada", at: at("01:48:00") },
  },
  ...{ from: "2.0.1", to: "2.0.0", sizing: ["1 of 2 hunks belongs to the workload"], field: [...container, "image"] },
};
const back: Change = { ...scale, kind: "revert", change: { kind: "replicas", to: 3 }, from: "5", to: "3" };
const cost = { perHour: 0.0338, perMonth: 24.65, currency: "EUR", because: "+0.75 cores × 0.04 EUR per hour" };

// `npx vitest run FILE -u` on this file writes the texts anew: the diff of a commit then shows what people will read.
const proposals: Readonly<Record<string, ProposalBody>> = {
  scale: aBody(scale, { cost, leaseExpires: "2026-11-25T03:00:00.000Z" }),
  resources: aBody({
    ...{ kind: "resources", change: { kind: "resources", field: "limits.memory", to: "512Mi" }, from: "256Mi" },
    ...{ to: "512Mi", sizing: ["256Mi × 1.9 = 486Mi"], field: [...container, "resources", "limits", "memory"] },
  }),
  "image-rollback": aBody({
    ...{ kind: "image-rollback", change: { kind: "image-tag", to: "2.0.0" }, from: "2.0.1", to: "2.0.0" },
    ...{ sizing: ["2.0.0 ran well for 3 days"], field: [...container, "image"] },
  }),
  "revert-commit": aBody(commit),
  revert: aBody(back, {
    failed: { pull: 1, because: "the alert still fires (metric 1.9 s, was 1.95 s)", before: 1950, after: 1900 },
  }),
  lease: aBody(back, { lease: aLease(), evidence: [] }),
  rollback: aBody(back, { rollback: aRollback(), evidence: [] }),
};

test.each(Object.entries(proposals))("the pull request of %s reads as it did", async (name, body) => {
  const text = `# ${renderTitle(body)}\n\n${renderBody(body)}\n\n---\n\n${renderCommitMessage(body)}\n`;
  await expect(text).toMatchFileSnapshot(`golden/${name}.md`);
});

const recovered: OutcomeOnRecord = {
  ...{
    ending: "recovered",
    because: "the rollout is complete, no alert of the incident fires, and the metric is back",
  },
  ...{ cause: proposals.scale?.cause, remediation: proposals.scale?.remediation },
  proposal: {
    ...{ number: 1, url: "https://github.com/acme/shop/pull/1", branch: "rectify/web", headSha: "a".repeat(40) },
    ...{ effect: "e".repeat(64), commitMessage: "", files: ["apps/web.yaml"], labels: [] },
  },
  course: {
    ...{ openedAt: at("02:04:00"), mergedAt: at("02:06:10"), mergedBecause: "approved by wim" },
    syncedAt: at("02:06:22"),
  },
  verification: { kind: "recovered", because: "", afterMs: 46_000, measured: { before: 1950, after: 120, unit: "ms" } },
};
const reverted: OutcomeOnRecord = {
  ...{ ...recovered, ending: "reverted", because: "the alert still fires", verification: undefined },
  revert: { proposal: { ...recovered.proposal, number: 2 } as never, mergedSha: "b".repeat(40) },
};

test("the sticky comment reads as it did, from waiting to the end", async () => {
  const head = renderBody(aBody(scale)).split("\n\n")[0] ?? "";
  const texts = [
    renderReport({ state: "waiting", waitsFor: ["an approval", "check ci"], head, approvers: "Who may approve: …" }),
    renderReport({ state: "waiting", waitsFor: ["check ci"], approvedBy: ["wim"] }),
    renderReport({ state: "closed", because: "the alert resolved before the merge", approvedBy: ["wim"] }),
    renderOutcome(recovered, "postmortems/a.md"),
    renderOutcome(reverted, "postmortems/a.md"),
  ];
  await expect(`${texts.join("\n\n---\n\n")}\n`).toMatchFileSnapshot("golden/sticky.md");
});

test("the dashboard reads as it did", async () => {
  const lease = { incident: anIncident().uid, workload, pull: 11, perHour: 0.5, currency: "EUR" };
  const body = renderDashboard({
    open: [{ pull: 12, workload, summary: "scale web" }],
    ...{ listed: [], problems: [".github/rectify.yml: line 3: namespaces: must be a list"] },
    leases: [{ ...lease, since: "2026-11-23T23:00:00Z", expires: "2026-11-24T23:00:00Z" }],
    now: new Date(at("03:00:00")),
  });
  await expect(`${body}\n`).toMatchFileSnapshot("golden/dashboard.md");
});

test.each([
  ["recovered", recovered],
  ["reverted", reverted],
])("the post-mortem of what %s reads as it did", async (name, outcome) => {
  const text = renderPostMortem(postMortemOf({ incident: anIncident(), outcome, evidence, now: at("03:00:00") }));
  await expect(text).toMatchFileSnapshot(`golden/post-mortem-${name}.md`);
});

test("each text is on file: one that is missing would be written, and pass", () => {
  const others = ["sticky", "dashboard", "post-mortem-recovered", "post-mortem-reverted"];
  const wanted = [...Object.keys(proposals), ...others].map((name) => `${name}.md`).sort();
  expect(onFile).toEqual(wanted);
});
