import { describe, expect, test } from "vitest";
import {
  findingOf,
  type ProposalBody,
  renderBody,
  renderCommitMessage,
  renderReport,
  renderTitle,
} from "../../../src/domain/proposal/proposal-text.ts";
import { readTrailer } from "../../../src/domain/proposal/pull-request.ts";
import { anAlert, anIncident } from "../../builders.ts";
import { aLease } from "../../lease.ts";
import { aRollback } from "../../rollback.ts";
import { liveInPlain, liveMarkup } from "../../live-markup.ts";
import { anItem, someEvidence } from "../llm/a-question.ts";

function aStory(change: Partial<ProposalBody> = {}): ProposalBody {
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
  const cause = { sentence: "ann asked to take pull request 7 back.", citing: [] };

  test("says in title, commit and body whose change is taken back, and who asked", () => {
    const story = aStory({ rollback: aRollback(), cause, evidence: [] });
    expect(renderTitle(story)).toMatch(/\(rollback of pull request 7\)$/);
    expect(renderCommitMessage(story)).toContain("Takes pull request 7 back for shop-production/Deployment/web");
    const body = renderBody(story);
    expect(body).toMatch(/^`ann` asked in #7 to take that change of/);
    expect(body).toContain("## Cause\n\nann asked to take pull request 7 back.\n");
    expect(body).toContain("## Evidence\n\nNone was collected.");
  });

  test("repeats no name as markup", () => {
    const body = renderBody(aStory({ rollback: aRollback({ by: hostile }), evidence: [] }));
    expect(liveMarkup(body)).toEqual(liveMarkup(renderBody(aStory({ rollback: aRollback(), evidence: [] }))));
  });
});

describe("the cost of a proposal", () => {
  test("is stated with its arithmetic, the budget, and the line back to the evidence and the alert", () => {
    const budget = "budget of shop: 100 EUR per month; changes that nobody took back use 50, +24.65 = 74.65";
    const body = renderBody(aStory({ cost, budget, leaseExpires: "2026-11-25T03:00:00.000Z" }));
    const section = body.slice(body.indexOf("## Cost"), body.indexOf("## Evidence"));
    expect(section).toContain("+0.0338 EUR per hour, +24.65 EUR per month: +0.75 cores × 0.04 EUR per hour.");
    expect(section).toContain("use 50, +24.65 = 74.65");
    expect(section).toContain("Leased until 2026-11-25T03:00:00.000Z");
    expect(section).toMatch(/shown by E1: .*\n- shown by E2: /);
    expect(section).toContain("fingerprint f1");
    expect(renderBody(aStory({ budget }))).not.toContain("## Cost");
  });
});

describe("the lease of a proposal", () => {
  test("is in the trailers of a scale-up", () => {
    const message = renderCommitMessage(aStory({ leaseExpires: "2026-11-25T03:00:00.000Z" }));
    expect(readTrailer(message, "Lease-Expires")).toBe("2026-11-25T03:00:00.000Z");
    expect(readTrailer(renderCommitMessage(aStory()), "Lease-Expires")).toBeUndefined();
  });

  test("is what the scale-down speaks of, not of an alert that no longer fires", () => {
    const story = aStory({ lease: aLease() });
    expect(renderTitle(story)).toMatch(/\(lease of pull request 7\)$/);
    expect(renderBody(story)).toMatch(/^The lease of #7 is over/);
    expect(renderBody(story)).not.toContain("fires for");
    expect(renderCommitMessage(story)).toContain("Ends the lease of pull request 7");
  });
});

describe("a proposal", () => {
  test("says what hurts, the cause, the change, the risk, the evidence, the lineage, and how to stop it", () => {
    const body = renderBody(aStory());
    expect(body.match(/^## .*$/gm)).toEqual([
      "## Cause",
      "## Change",
      "## Risk: low",
      "## Evidence",
      "## Lineage",
      "## How to stop it",
    ]);
    for (const part of [
      "**`HighRequestLatency`** (severity `critical`) fires for `shop-production/Deployment/web`",
      "web uses 95 % of the CPU it requests (E1, E2)",
      "| `Deployment/web` | `spec.replicas` | `3` | `5` |",
      "- ceil(3 × 95 % / 60 %) = 5",
      "It merges itself when the required checks are green.",
      `- Incident-UID: \`${anIncident().uid}\``,
    ]) {
      expect(body).toContain(part);
    }
  });

  test("has a title and a commit message with the trailers by which it is found again", () => {
    expect(renderTitle(aStory())).toBe("scale web from 3 to 5 replicas (HighRequestLatency)");
    const message = renderCommitMessage(aStory());
    expect(readTrailer(message, "Incident-UID")).toBe(anIncident().uid);
    expect(readTrailer(message, "Effect")).toBe("e".repeat(64));
  });

  test("shows what the model said, as its word and not as ours", () => {
    const notes = ["ranking and model name the same cause and remedy"];
    const body = renderBody(aStory({ secondWitness: { model: "llama3.1:8b", notes, explanation: hostile } }));
    const silent = renderBody(aStory({ secondWitness: { model: "llama3.1:8b", notes, explanation: "" } }));
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
    const story = aStory(change);
    expect(liveMarkup(renderBody(story))).toEqual([]);
    expect([...liveInPlain(renderTitle(story)), ...liveInPlain(renderCommitMessage(story))]).toEqual([]);
    expect(`${renderBody(story)}${renderTitle(story)}${renderCommitMessage(story)}`).not.toContain("hunter2");
  });

  test("counts log lines and never quotes them", () => {
    const body = renderBody(
      aStory({ evidence: [anItem("E1", "loki", { kind: "text", lines: ["secret sauce", "b"], notes: [] })] }),
    );
    expect(body).toContain("| 2 lines |");
    expect(body).not.toContain("sauce");
  });

  test("leaves names of pods and nodes out where it is told to, and says so (X05)", () => {
    const facts = { pod: "web-7f9c-abcde", node: "node-3", instance: "10.0.0.1:8080", deployment: "web", podium: "x" };
    const evidence = [anItem("E1", "alertmanager", { kind: "facts", facts, notes: [] })];
    const hidden = renderBody(aStory({ evidence, namesHidden: "this repository is public" }));
    expect(hidden).toContain("pod=(left out), node=(left out), instance=(left out), deployment=web, podium=x");
    expect(hidden).toContain("Names of pods and nodes are left out: this repository is public.");
    expect(renderBody(aStory({ evidence }))).toContain("pod=web-7f9c-abcde, node=node-3");
  });

  test("fits what GitHub takes, cut at the border of a section, and says that it was cut", () => {
    const evidence = Array.from({ length: 400 }, (_, index) =>
      anItem(`E${index}`, "prometheus", { kind: "missing", because: "x".repeat(300) }),
    );
    const body = renderBody(aStory({ evidence }));
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toMatch(/_Cut here: the rest is in the incident's page\._$/);
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
  const body = renderBody(aStory({ cause, selfHealing: "4 of 5 untouched past firings cleared by themselves" }));
  expect(body).toContain("Confidence: 58 %, lowered because this is not known: events.");
  expect(body).toContain("- 60 %: web uses 95 % of the CPU it requests (E1)\n- 20 %: web waits for catalog (E2)");
  expect(body).toContain("Would it have healed anyway? 4 of 5 untouched past firings cleared by themselves.");
});

test("what a source said of its own answer is shown, but not in a public repository", () => {
  const item = anItem("E9", "loki", { kind: "text", lines: ["one"], notes: ["Loki: the limit is 100 lines"] });
  expect(findingOf(item)).toBe("1 lines (Loki: the limit is 100 lines)");
  expect(findingOf(item, "hidden")).toBe("1 lines (a part only)");
});

test.each(["BREAKING CHANGE: all", "Release-As: 9.0.0", "fix: it", "feat(api)!: it", "Signed-off-by: x", "Note: x"])(
  "an alert named %j begins no line of the commit message or title that a release tool reads",
  (name) => {
    const incident = anIncident({ name, labels: { ...anAlert().labels, alertname: name } });
    const story = aStory({ incident });
    const lines = [renderTitle(story), ...renderCommitMessage(story).split("\n\n").slice(0, -1)];
    for (const line of lines) expect(line).not.toMatch(/^[A-Za-z][\w -]*(?:\([^)]*\))?!?: /);
  },
);
