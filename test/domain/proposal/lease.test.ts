import { expect, test } from "vitest";
import {
  type LeaseFacts,
  type LeaseTerms,
  leaseDecision,
  leaseExpiry,
  leaseOf,
  shortExpiry,
} from "../../../src/domain/proposal/lease.ts";
import { loweredLease } from "../../../src/domain/kubernetes/remediation.ts";
import type { IncidentOutcome, OutcomeSoFar } from "../../../src/domain/proposal/outcome.ts";
import { anIncident } from "../../builders.ts";
import { aPlan } from "../../plan.ts";

const lease: LeaseTerms = { expires: "2026-11-24T03:00:00.000Z", from: 2, to: 4 };
const facts: LeaseFacts = {
  now: new Date("2026-11-24T03:00:01Z"),
  current: 4,
  floor: 1,
  alertFiring: false,
  threshold: { query: "q", comparison: ">", limit: 0.5 },
  recent: [0.1, 0.2, 0.34],
  needed: { replicas: 2, arithmetic: ["ceil(4 × 25 % / 60 %) = 2"] },
};
const under = { query: "q", comparison: "<", limit: 10 } as const;

test("a lease ends after its duration, and is looked at again after a tenth of it", () => {
  expect(leaseExpiry(new Date("2026-11-24T03:00:00Z"), "24h")).toBe("2026-11-25T03:00:00.000Z");
  expect(leaseExpiry(new Date("2026-11-24T03:00:00Z"), "")).toBe("2026-11-25T03:00:00.000Z");
  expect(shortExpiry(new Date("2026-11-24T03:00:00Z"), "10h")).toBe("2026-11-24T04:00:00.000Z");
});

test.each<[string, Partial<LeaseFacts>, string, RegExp]>([
  ["expired, low, and enough without it", {}, "scale-down", /stayed well off 0.5, and 2 serve the load/],
  ["not expired", { now: new Date("2026-11-24T02:59:59Z") }, "keep", /runs until/],
  ["the alert fires", { alertFiring: true }, "keep", /alert/],
  ["nobody knows whether it fires", { alertFiring: undefined }, "keep", /not known/],
  ["no metric", { threshold: undefined }, "keep", /silence is not a low value/],
  ["no points", { recent: [] }, "keep", /silence is not a low value/],
  ["near the limit once", { recent: [0.1, 0.36] }, "keep", /too near/],
  ["the load is unknown", { needed: undefined }, "keep", /was not measured/],
  [
    "low now, but the number before would be too few",
    { needed: { replicas: 3, arithmetic: ["ceil(4 × 45 % / 60 %) = 3"] } },
    "keep",
    /2 would not serve the load: ceil/,
  ],
  ["a person reverted it already", { current: 2 }, "over", /asks for 2 now/],
  ["a person raised it", { current: 6 }, "over", /asks for 6/],
  ["a person changed it before it expired", { current: 6, now: new Date(0) }, "over", /asks for 6/],
  ["Git unreadable", { current: undefined }, "keep", /could not be read/],
  ["the guardrails ask for all of it", { floor: 4 }, "over", /at least 4 \(minReplicas\)/],
  ["a low limit, far above", { threshold: under, recent: [15] }, "scale-down", /./],
  ["a low limit, near", { threshold: under, recent: [14] }, "keep", /too near/],
])("%s", (_, change, kind, because) => {
  const decision = leaseDecision(lease, { ...facts, ...change });
  expect(decision.kind).toBe(kind);
  expect(decision.because).toMatch(because);
});

test.each([
  [1, 2],
  [3, 3],
])("never below the number before, never below the guardrails' %i: to %i", (floor, to) => {
  const needed = { replicas: 1, arithmetic: [] };
  expect(leaseDecision(lease, { ...facts, floor, needed })).toMatchObject({ kind: "scale-down", to });
});

const { remediation, effect, entry } = aPlan(5);
const outcome = {
  ...{ ending: "recovered", because: "seen", remediation, effect, entry },
  proposal: { number: 7 },
} as IncidentOutcome;
const now = new Date("2026-11-24T03:00:00Z");

test("a verified scale-up begins a lease", () => {
  expect(leaseOf(anIncident(), outcome, now, "24h")).toMatchObject({
    ...{
      pull: 7,
      latestPull: 7,
      renewals: 0,
      since: now.toISOString(),
      termSince: now.toISOString(),
      expires: "2026-11-25T03:00:00.000Z",
    },
    field: { from: 2, to: 5 },
  });
});

test.each<[string, OutcomeSoFar]>([
  ["what nobody verified", { ending: "unclear" }],
  ["what was reverted", { ending: "reverted" }],
  ["a revert", { remediation: { ...remediation, kind: "revert" } }],
  ["a scale-down", { effect: { ...effect, changes: effect.changes.map((one) => ({ ...one, to: 1 })) } }],
  ["a change of text", { effect: { ...effect, changes: effect.changes.map((one) => ({ ...one, to: "5" })) } }],
  ["two changes", { effect: { ...effect, changes: [...effect.changes, ...effect.changes] } }],
  ["no change at all", { effect: { ...effect, changes: [] } }],
])("%s begins no lease", (_, change) => {
  expect(leaseOf(anIncident(), { ...outcome, ...change } as IncidentOutcome, now, "24h")).toBeUndefined();
});

test("the scale-down is a change of its own, with its arithmetic", () => {
  expect(loweredLease(remediation, 3, ["enough"])).toMatchObject({
    ...{ kind: "revert", from: "5", to: "3", change: { kind: "replicas", to: 3 }, sizing: ["enough"] },
  });
});
