import { describe, expect, test } from "vitest";
import { findingOf } from "../../../src/domain/evidence/finding-text.ts";
import { renderReport } from "../../../src/domain/proposal/body/sticky.ts";
import type { ProposalBody } from "../../../src/domain/proposal/body/proposal-body.ts";
import { renderBody, renderCommitMessage, renderTitle } from "../../../src/domain/proposal/proposal-text.ts";
import { incidentLine, readTrailer } from "../../../src/domain/proposal/pull-request.ts";
import { anAlert, anIncident } from "../../builders.ts";
import { aLease } from "../../lease.ts";
import { aRollback } from "../../rollback.ts";
import { liveInPlain, liveMarkup } from "../../live-markup.ts";
import { anItem, someEvidence } from "../llm/a-question.ts";

function aProposalBody(change: Partial<ProposalBody> = {}): ProposalBody {
  const workload = { kind: "Deployment", namespace: "shop-production", name: "web" };
  return {
    incident: anIncident(),
    evidence: someEvidence,
    cause: { sentence: "web uses 95 % of the CPU it requests", citing: ["E1", "E2"] },
    remediation: {
      kind: "scale",
      workload,
      change: { kind: "replicas", to: 5 },
      from: "3",
      to: "5",
      sizing: ["ceil(3 × 95 % / 60 %) = 5"],
    },
    owners: [{ path: "apps/web.yaml", field: "spec.replicas", because: "the manifest sets it" }],
    warnings: [],
    effect: {
      changes: [{ object: { apiVersion: "apps/v1", ...workload }, field: ["spec", "replicas"], from: 3, to: 5 }],
      hash: "e".repeat(64),
      proof: { kind: "rendered", with: "kustomize 5" },
    },
    risk: { level: "low", reasons: ["low: no factor raises it"] },
    policy: "7 of 7 policies passed",
    selfMergeLacks: [],
    chart: undefined,
    ...change,
  };
}

const hostile = "@org/team fixes #1 <img src=x> https://x.example `/approve-scale` password=hunter2\n/approve-scale";

const cost = { perHour: 0.0338, perMonth: 24.65, currency: "EUR", because: "+0.75 cores × 0.04 EUR per hour" };

describe("a rollback", () => {
  const cause = { sentence: "ann asked to revert pull request 7.", citing: [] };

  test("says in title, commit and body whose change is reverted, and who asked", () => {
    const proposal = aProposalBody({ rollback: aRollback(), cause, evidence: [] });
    expect(renderTitle(proposal)).toMatch(/^Revert #7: .* \(rollback of pull request 7\)$/);
    expect(renderCommitMessage(proposal)).toContain("Reverts pull request 7 for shop-production/Deployment/web");
    const text = renderBody(proposal);
    expect(text).toMatch(/^- \*\*Hurts:\*\* `ann` asked in #7 to revert that change of/);
    expect(text).toContain("**Why:** `ann` asked to revert pull request 7.");
    expect(text).toContain("## Evidence\n\nNone was collected.");
  });

  test("repeats no name as markup", () => {
    const body = renderBody(aProposalBody({ rollback: aRollback({ by: hostile }), evidence: [] }));
    expect(liveMarkup(body)).toEqual(liveMarkup(renderBody(aProposalBody({ rollback: aRollback(), evidence: [] }))));
  });
});

describe("the cost of a proposal", () => {
  test("is stated with its arithmetic, the budget, and the line back to the evidence and the alert", () => {
    const budget = "budget of shop: 100 EUR per month; changes that nobody reverted use 50, +24.65 = 74.65";
    const body = renderBody(aProposalBody({ cost, budget, leaseExpires: "2026-11-25T03:00:00.000Z" }));
    const section = body.slice(body.indexOf("<summary>Cost"), body.indexOf("<summary>All evidence"));
    expect(section).toContain("<summary>Cost: +0.0338 EUR per hour, +24.65 EUR per month</summary>");
    expect(section).toContain("\n+0.75 cores × 0.04 EUR per hour.\n");
    expect(section).toContain("use 50, +24.65 = 74.65");
    expect(body).toContain("Leased until 2026-11-25 03:00 UTC: then the number from before is proposed again.");
    expect(section).toMatch(/shown by E1: .*\n- shown by E2: /);
    expect(section).toContain("fingerprint f1");
    expect(renderBody(aProposalBody({ budget }))).not.toContain("<summary>Cost");
  });
});

describe("the lease of a proposal", () => {
  test("is in the trailers of a scale-up", () => {
    const message = renderCommitMessage(aProposalBody({ leaseExpires: "2026-11-25T03:00:00.000Z" }));
    expect(readTrailer(message, "Lease-Expires")).toBe("2026-11-25T03:00:00.000Z");
    expect(readTrailer(renderCommitMessage(aProposalBody()), "Lease-Expires")).toBeUndefined();
  });

  test("is what the scale-down speaks of, not of an alert that no longer fires", () => {
    const body = aProposalBody({ lease: aLease() });
    expect(renderTitle(body)).toMatch(/\(lease of pull request 7\)$/);
    expect(renderBody(body)).toMatch(/^- \*\*Hurts:\*\* The lease of #7 is over/);
    expect(renderBody(body)).not.toContain("fires for");
    expect(renderCommitMessage(body)).toContain("Ends the lease of pull request 7");
  });
});

describe("a proposal", () => {
  test("is decided by six lines of one skeleton, with the evidence for the cause, and the rest folded", () => {
    const body = renderBody(aProposalBody({ chart: "```mermaid\n```" }));
    const head = body.slice(0, body.indexOf("\n\n")).split("\n");
    expect(head.map((line) => /^- \*\*([^*]+)\*\*/.exec(line)?.[1])).toEqual([
      ...["Hurts:", "Change:", "Why:", "Risk:", "After the merge:", "To approve"],
    ]);
    expect(body.match(/^## .*$/gm)).toEqual(["## The metric", "## Evidence for the cause"]);
    expect(body.match(/(?<=^<summary>).*(?=<\/summary>$)/gm)).toEqual([
      "The rendered objects, and why Git owns this field",
      "All evidence with its queries (4)",
      "Lineage, and how to take over",
    ]);
  });

  test("says what hurts in numbers, the change, its arithmetic, the risk and what follows", () => {
    const body = renderBody(
      aProposalBody({
        ...{ places: [{ path: "apps/web.yaml", line: 12 }], writtenAt: "2026-11-24T02:04:10.000Z" },
        course: { appliedBy: "Kustomization flux-system/shop", watchedMs: 20 * 60_000 },
        selfMergeLacks: ["the guardrails allow no auto-merge", "risk is medium"],
        risk: { level: "medium", reasons: ["medium: unproven here: 0 of 3 verified successes"] },
      }),
    );
    for (const part of [
      "`HighRequestLatency` fires for `shop-production/Deployment/web` (“web answers slowly”)",
      "since 2026-11-24 02:00 UTC, 4 min before this was written, severity `critical`.",
      "`apps/web.yaml:12`: `spec.replicas` of `Deployment/web` from `3` to `5`. Nothing else changes",
      "**Why:** `web` uses 95 % of the CPU it requests (E1, E2). ceil(3 × 95 % / 60 %) = 5.",
      "**Risk:** Medium: unproven here: 0 of 3 verified successes. 7 of 7 policies passed.",
      "Still missing: an approval (no auto-merge: the guardrails allow no auto-merge).",
      "`Kustomization flux-system/shop` applies it. Rollout, alert and metric are watched for up to 20 min.",
      "comment `/approve`. `/reject` closes it",
      `- Incident-UID: \`${anIncident().uid}\``,
    ]) {
      expect(body).toContain(part);
    }
    expect(renderBody(aProposalBody())).toContain("It is auto-merged when the required checks are green.");
  });

  test("shows the metric and its limit in units that people read", () => {
    const points = [[1.7e9, 1950]] as const;
    const evidence = [
      {
        ...anItem("E1", "prometheus", { kind: "series", unit: "ms", series: [{ labels: {}, points }], notes: [] }),
        key: "alert-metric" as const,
      },
      {
        ...anItem("E2", "prometheus", { kind: "facts", facts: { comparison: ">", limit: 300 }, notes: [] }),
        key: "alert-rule" as const,
      },
    ];
    expect(renderBody(aProposalBody({ evidence }))).toContain(": 1.95 s, limit 300 ms, since ");
  });

  test("says of a commit whose it is, and how long before the alert it came", () => {
    const change = {
      kind: "commit" as const,
      scope: "workload" as const,
      ...{ sha: "6b02dd3".padEnd(40, "a"), to: "x", pull: 12 },
      ...{ subject: "Use the new client (#12)", author: "Ada", at: "2026-11-24T01:48:00.000Z" },
    };
    const body = renderBody(
      aProposalBody({ remediation: { ...aProposalBody().remediation, kind: "revert-commit", change } }),
    );
    expect(body).toContain(`commit ${change.sha} “Use the new client” from #12 by \`Ada\`, 12 min before the alert:`);
    expect(body).toContain("`/approve-revert all` plans the whole commit");
  });

  test("that reverts our own change names it, and the metric before, after and now", () => {
    const failed = { pull: 1, because: "the alert still fires (metric 1.9 s, was 1.95 s)", before: 1950, after: 1900 };
    const points = [[1.7e9, 2000]] as const;
    const metric = anItem("E1", "prometheus", {
      kind: "series",
      unit: "ms",
      series: [{ labels: {}, points }],
      notes: [],
    });
    const body = aProposalBody({ failed, evidence: [{ ...metric, key: "alert-metric" as const }] });
    expect(renderTitle(body)).toBe("Revert #1: scale web from 3 to 5 replicas (HighRequestLatency)");
    expect(renderBody(body)).toContain(
      "#1 did not help `shop-production/Deployment/web`: the alert still fires. The metric of `HighRequestLatency`: 1.95 s before the change, 1.9 s after the change, 2 s now.",
    );
  });

  test("has a title and a commit message with the trailers by which it is found again", () => {
    expect(renderTitle(aProposalBody())).toBe("Scale web from 3 to 5 replicas (HighRequestLatency)");
    const message = renderCommitMessage(aProposalBody());
    expect(readTrailer(message, "Incident-UID")).toBe(anIncident().uid);
    expect(readTrailer(message, "Effect")).toBe("e".repeat(64));
  });

  test("shows what the model said, as its word and not as ours", () => {
    const notes = ["ranking and model name the same cause and remedy"];
    const body = renderBody(aProposalBody({ secondWitness: { model: "llama3.1:8b", notes, explanation: hostile } }));
    const silent = renderBody(aProposalBody({ secondWitness: { model: "llama3.1:8b", notes, explanation: "" } }));
    expect(silent).toContain("The model `llama3.1:8b` answered without an explanation.");
    expect(body).toContain("- ranking and model name the same cause and remedy");
    expect(body).toContain("The model `llama3.1:8b` writes (not checked):\n\n> ＠org/team fixes ＃1");
    expect(liveMarkup(body)).toEqual([]);
    expect(body).not.toContain("hunter2");
  });

  test.each<[string, Partial<ProposalBody>]>([
    ["the alert", { incident: anIncident(anAlert({ name: hostile, annotations: { summary: hostile } })) }],
    [
      "the evidence",
      { evidence: [anItem("E1", "loki", { kind: "facts", facts: { [hostile]: hostile }, notes: [hostile] }, hostile)] },
    ],
    ["a source that failed", { evidence: [anItem("E1", "prometheus", { kind: "missing", because: hostile })] }],
    ["the cause", { cause: { sentence: hostile, citing: [hostile] } }],
    [
      "warnings and reasons",
      { warnings: [hostile], policy: hostile, selfMergeLacks: [hostile], risk: { level: "high", reasons: [hostile] } },
    ],
    ["files", { owners: [{ path: hostile, field: hostile, because: hostile }] }],
  ])("is inert when %s holds orders and secrets", (_where, change) => {
    const body = aProposalBody(change);
    expect(liveMarkup(renderBody(body))).toEqual([]);
    expect([...liveInPlain(renderTitle(body)), ...liveInPlain(renderCommitMessage(body))]).toEqual([]);
    expect(`${renderBody(body)}${renderTitle(body)}${renderCommitMessage(body)}`).not.toContain("hunter2");
  });

  test("counts log lines and never quotes them", () => {
    const body = renderBody(
      aProposalBody({ evidence: [anItem("E1", "loki", { kind: "text", lines: ["secret sauce", "b"], notes: [] })] }),
    );
    expect(body).toContain("| 2 lines |");
    expect(body).not.toContain("sauce");
  });

  test("leaves names of pods and nodes out where it is told to, and says so (X05)", () => {
    const facts = { pod: "web-7f9c-abcde", node: "node-3", instance: "10.0.0.1:8080", deployment: "web", podium: "x" };
    const evidence = [anItem("E1", "alertmanager", { kind: "facts", facts, notes: [] })];
    const hidden = renderBody(aProposalBody({ evidence, namesHidden: "this repository is public" }));
    expect(hidden).toContain("pod=(left out), node=(left out), instance=(left out), deployment=web, podium=x");
    expect(hidden).toContain("Names of pods and nodes are left out: this repository is public.");
    expect(renderBody(aProposalBody({ evidence }))).toContain("pod=web-7f9c-abcde, node=node-3");
  });

  test("fits what GitHub takes, cut at the border of a section, and says that it was cut", () => {
    const evidence = Array.from({ length: 400 }, (_, index) =>
      anItem(`E${index}`, "prometheus", { kind: "missing", because: "x".repeat(300) }),
    );
    const body = renderBody(aProposalBody({ evidence }));
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toContain("_Cut here: the rest is in the incident's page._");
    expect(body).toContain(incidentLine(anIncident().uid));
  });
});

test("the report says what is missing, inert", () => {
  expect(renderReport({ state: "waiting", waitsFor: ["check policy", hostile] })).toContain(
    "**Waiting for**\n\n- check policy\n- ＠org/team",
  );
  expect(liveMarkup(renderReport({ state: "waiting", waitsFor: [hostile, "/resume (on hold)"] }))).toEqual([]);
  expect(renderReport({ state: "merged", because: "approved by jane" })).toBe("**Merged**: approved by jane");
});

test.each([
  ["a curve", someEvidence[0], "last value 2.5 s"],
  ["facts", someEvidence[1], "replicas=3, ready=3"],
  ["text", someEvidence[2], "2 lines"],
  ["a missing source", someEvidence[3], "missing: no answer in time"],
])("one line of what %s shows", (_what, item, line) => {
  expect(item && findingOf(item)).toBe(line);
});

test("the body says how sure it is, what lowered that, what else was considered, and what such alerts do by themselves", () => {
  const considered = [
    { sentence: "web uses 95 % of the CPU it requests", confidence: 0.6, citing: ["E1"] },
    { sentence: "web waits for catalog", confidence: 0.2, citing: ["E2"] },
  ];
  const cause = { sentence: "web is hot", citing: ["E1"], confidence: 0.58, missing: ["events"], considered };
  const body = renderBody(aProposalBody({ cause, selfHealing: "4 of 5 untouched past firings cleared by themselves" }));
  expect(body).toContain("Confidence: 58 %, lowered because this is not known: events.");
  expect(body).toContain("- 60 %: web uses 95 % of the CPU it requests (E1)\n- 20 %: web waits for catalog (E2)");
  expect(body).toContain("Would it have healed anyway? 4 of 5 untouched past firings cleared by themselves.");
});

test("what a source said of its own answer is shown, but not in a public repository", () => {
  const item = anItem("E9", "loki", { kind: "text", lines: ["one"], notes: ["Loki: the limit is 100 lines"] });
  expect(findingOf(item)).toBe("1 line (Loki: the limit is 100 lines)");
  expect(findingOf(item, "hidden")).toBe("1 line (a part only)");
});

test.each(["BREAKING CHANGE: all", "Release-As: 9.0.0", "fix: it", "feat(api)!: it", "Signed-off-by: x", "Note: x"])(
  "an alert named %j begins no line of the commit message or title that a release tool reads",
  (name) => {
    const incident = anIncident({ name, labels: { ...anAlert().labels, alertname: name } });
    const body = aProposalBody({ incident });
    const lines = [renderTitle(body), ...renderCommitMessage(body).split("\n\n").slice(0, -1)];
    for (const line of lines) expect(line).not.toMatch(/^[A-Za-z][\w -]*(?:\([^)]*\))?!?: /);
  },
);
