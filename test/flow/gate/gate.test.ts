import { describe, expect, test } from "vitest";
import { ledgerPath } from "../../../src/domain/records/autonomy.ts";
import { postMortemOf, renderSealed } from "../../../src/domain/records/post-mortem.ts";
import { remediationBack } from "../../../src/domain/proposal/rollback.ts";
import type { ChangeRequest } from "../../../src/flow/gate/change-request.ts";
import { gate } from "../../../src/flow/gate/gate.ts";
import { pastFiles } from "../../../src/lab/forge/git/past.ts";
import { anIncident } from "../../builders.ts";
import { aCase, aPlan, ceiling, type GateWorld, gatePorts, sealKey, speechless } from "../../plan.ts";
import { aLease } from "../../lease.ts";
import { aRollback } from "../../rollback.ts";

const judge = (world: GateWorld, to = 3, plan = aPlan(to)) => gate(aCase(), plan, gatePorts(world));

describe("the gate", () => {
  test("auto-merges a proven small step when the policies passed", async () => {
    expect(await judge({ policies: ceiling(10) })).toMatchObject({
      kind: "passed",
      risk: { level: "low" },
      policy: "All policies passed",
      conclusion: "success",
      selfMergeLacks: [],
    });
  });

  test("refuses what a policy refuses, and offers the nearest number that passes", async () => {
    expect(await judge({ policies: ceiling(6) }, 9)).toEqual({
      kind: "refused",
      because: "policy ceiling: at most 6. 9 is refused (ceiling); 6 is the nearest that passes: /approve-scale 6",
      offer: 6,
    });
  });

  test("refuses to do again what was merged and reverted, and lets the way back pass", async () => {
    const remedy = { kind: "scale", title: "scale web from 2 to 3 replicas", effect: "e" };
    const attempt = { remedy, pull: 7, mergedAt: "2026-11-24T02:10:00Z", back: 8, backAt: "2026-11-24T02:30:00Z" };
    const world = { policies: ceiling(10), revertedChanges: [attempt] };
    expect(await judge(world)).toMatchObject({
      ...{ kind: "refused", repeated: true },
      because: expect.stringMatching(/^#7 .* reverted by #8 /),
    });
    const failed = { ending: "unclear" as const, because: "it still fires", effect: aPlan(2).effect };
    const [change] = failed.effect.changes;
    const back = { ...failed.effect, changes: change === undefined ? [] : [{ ...change, from: 2, to: 2 }] };
    expect(await gate(aCase({ failed }), aPlan(2, { effect: back }), gatePorts(world))).toMatchObject({
      kind: "passed",
    });
    // After a day the same may be right again.
    expect(await judge({ ...world, now: "2026-11-25T02:31:00Z" })).toMatchObject({ kind: "passed" });
  });

  test.each<[string, Partial<ChangeRequest>]>([
    ["rollback", { rollback: aRollback() }],
    ["revert", { failed: { ending: "unclear", because: "it still fires", effect: aPlan(4).effect } }],
    ["end of a lease", { lease: aLease() }],
  ])("lets a %s revert nothing that somebody changed since", async (_, subject) => {
    const rollback = aRollback();
    const [change] = rollback.effect.changes;
    const back = (from: number) =>
      aPlan(2, {
        remediation: remediationBack(rollback),
        effect: { ...rollback.effect, changes: change === undefined ? [] : [{ ...change, from, to: 2 }] },
      });
    const needsPerson = ["ann asked for it, and somebody approves it"];
    const judged = (from: number) =>
      gate(aCase({ ...subject, needsPerson }), back(from), gatePorts({ policies: ceiling(10) }));
    expect(await judged(6)).toEqual({
      kind: "refused",
      because: "Git asks for 6 now, and the change wrote 4: somebody decided otherwise since",
    });
    expect(await judged(4)).toMatchObject({
      kind: "passed",
      selfMergeLacks: expect.arrayContaining(needsPerson),
    });
  });

  test.each<[string, GateWorld, string[]]>([
    [
      "a CLI without a verdict, whatever checks there are",
      { policies: speechless },
      ["no policy verdict: no answer within 60 s"],
    ],
    [
      "no CLI and no required check",
      { guardrails: { requiredChecks: [] } },
      ["no policy verdict: no Kyverno CLI was found here"],
    ],
    ["no CLI, but a required check", {}, []],
    [
      "guardrails that merge nothing",
      { policies: ceiling(10), guardrails: { autoMerge: "never" } },
      ["the guardrails allow no auto-merge"],
    ],
    ["a time outside the windows", { policies: ceiling(10), guardrails: windows("mon") }, ["risk is medium"]],
    ["a time inside a window", { policies: ceiling(10), guardrails: windows("tue") }, []],
    [
      "an exempt severity outside the windows",
      { policies: ceiling(10), guardrails: { ...windows("mon"), windowExemptSeverities: ["critical"] } },
      [],
    ],
    [
      "a critical workload",
      { policies: ceiling(10), guardrails: { criticalWorkloads: ["shop-production/Deployment/web"] } },
      ["risk is medium"],
    ],
    ["A13: an alert that flaps", { policies: ceiling(10), cycles: 12 }, ["risk is high"]],
    [
      "a budget whose use is unknown",
      { policies: ceiling(10), guardrails: { ...prices, budgets: { "shop-production": 900 } } },
      ["the cost within the budget of shop-production is unknown"],
    ],
  ])("waits for a person, or not: %s", async (_, world, lacks) => {
    expect(await judge(world)).toMatchObject({ kind: "passed", selfMergeLacks: lacks });
  });

  test.each<[string, GateWorld, string[]]>([
    ["nothing was earned yet", { past: 0 }, ["risk is medium"]],
    ["too little was earned", { past: 2 }, ["risk is medium"]],
    ["post-mortems that nobody counted", { files: { [ledgerPath]: "entries: []\n" } }, ["risk is medium"]],
    [
      "a ledger that cannot be read",
      { files: { [ledgerPath]: "entries: [" } },
      ["risk is medium", expect.stringMatching(/^\.rectify\/autonomy\.yml is invalid .*: mend it by a pull request$/)],
    ],
    [
      "a forged ledger without sealed post-mortems",
      { past: 0, files: forged },
      [
        "risk is medium",
        ".rectify/autonomy.yml claims 3 successes, sealed post-mortems since the last failure prove 0",
      ],
    ],
    [
      "a success that people dispute",
      { withdrawn: [disputed] },
      ["risk is medium", expect.stringMatching(/claims 3 successes, .* prove 2$/)],
    ],
    [
      "a failure that no pull request carried yet",
      { pending: { "postmortems/new.md": failure() } },
      ["risk is high", expect.stringMatching(/prove 0$/)],
    ],
  ])("merges nothing by itself where trust is not earned and proved: %s", async (_, world, lacks) => {
    expect(await judge({ policies: ceiling(10), ...world })).toMatchObject({ kind: "passed", selfMergeLacks: lacks });
  });

  // One replica more costs 7.99 EUR a month; 0.75 cores and 0.5625 GiB cost 23.97.
  test.each([
    [32, []],
    [31, ["the budget of shop-production is 31 EUR per month, this change makes it 31.96"]],
  ])("a budget of %i EUR, of which merged changes use 23.97", async (budget, lacks) => {
    const reserved = [{ cpuCores: 0.75, memoryBytes: 0.5625 * 2 ** 30 }];
    const guardrails = { ...prices, budgets: { "shop-production": budget } };
    const gated = await judge({ policies: ceiling(10), guardrails, reserved });
    expect(gated).toMatchObject({ selfMergeLacks: lacks, budget: expect.stringContaining("use 23.97, +7.99 = 31.96") });
  });

  test("states the cost by the price book", async () => {
    const gated = await judge({ policies: ceiling(10), guardrails: prices });
    // One replica more: 0.25 cores × 0.04 + 192 MiB × 0.005 per GiB.
    expect(gated).toMatchObject({ cost: { perHour: 0.0109, currency: "EUR" } });
  });

  test.each<[string, GateWorld, ReturnType<typeof aPlan>, RegExp]>([
    ["another namespace", { guardrails: { namespaces: ["shop"] } }, aPlan(3), /namespace shop-production is not one/],
    ["a number above the ceiling", {}, aPlan(11), /11 replicas are outside 1 to 10/],
    ["a workflow", {}, aPlan(3, { files: [edit(".github/workflows/a.yml")] }), /decides what may merge/],
    ["a policy", {}, aPlan(3, { files: [edit("policies/replicas.yaml")] }), /decides what may merge/],
    ["invalid guardrails", { guardrails: { maxReplica: 3 } }, aPlan(3), /did you mean maxReplicas/],
  ])("refuses %s", async (_, world, plan, because) => {
    expect(await judge(world, 0, plan)).toEqual({ kind: "refused", because: expect.stringMatching(because) });
  });
});

/** Post-mortems with another one's seal, and the ledger that counts them. */
const forged = pastFiles(3, new Date("2026-11-24T00:00:00Z"), "a key that somebody made up");

const disputed =
  Object.keys(pastFiles(1, new Date("2026-11-24T00:00:00Z"), sealKey))[0]?.replace(
    /^postmortems\/[\d-]{11}|\.md$/g,
    "",
  ) ?? "";

function failure(): string {
  const { remediation } = aPlan(3);
  const verification = { kind: "worse", because: "it still fires" } as const;
  const outcome = { ending: "reverted", because: "it still fires", remediation, verification } as const;
  return renderSealed(
    postMortemOf({ incident: anIncident(), outcome, evidence: [], now: "2026-11-24T03:00:00Z" }),
    sealKey,
  );
}

const prices = { priceBook: { cpuHour: 0.04, memoryGiBHour: 0.005, currency: "EUR" } };

function windows(day: string) {
  return { windows: [{ days: [day], from: "00:00", to: "23:59", timeZone: "UTC" }] };
}

function edit(path: string) {
  return { path, before: "", after: "" };
}
