import { expect, test } from "vitest";
import { leaseDecision, leaseExpiry, type LeaseFacts } from "../../src/domain/lease.ts";

const lease = { incident: "i", expires: "2026-11-24T03:00:00.000Z", from: 2, to: 4 };
const facts: LeaseFacts = {
  now: new Date("2026-11-24T03:00:01Z"),
  current: 4,
  alertFiring: false,
  threshold: { query: "q", comparison: ">", limit: 0.5 },
  recent: [0.1, 0.2, 0.24],
};

test("a lease ends after its duration", () => {
  expect(leaseExpiry(new Date("2026-11-24T03:00:00Z"), "24h")).toBe("2026-11-25T03:00:00.000Z");
});

test.each<[string, Partial<LeaseFacts>, string, RegExp]>([
  ["expired and low", {}, "scale-down", /stayed well off 0.5/],
  ["not expired", { now: new Date("2026-11-24T02:59:59Z") }, "keep", /runs until/],
  ["the alert fires", { alertFiring: true }, "keep", /alert/],
  ["nobody knows whether it fires", { alertFiring: undefined }, "keep", /not known/],
  ["no metric", { threshold: undefined }, "keep", /silence is not a low value/],
  ["no points", { recent: [] }, "keep", /silence is not a low value/],
  ["low now, but half the replicas would be too few", { recent: [0.1, 0.26] }, "keep", /too near/],
  ["near the limit once", { recent: [0.1, 0.49] }, "keep", /too near/],
  ["a person took it back already", { current: 2 }, "over", /asks for 2 replicas now/],
  ["a person raised it", { current: 6 }, "over", /asks for 6/],
  ["Git unreadable", { current: undefined }, "keep", /could not be read/],
  [
    "a low limit, far above",
    { threshold: { query: "q", comparison: "<", limit: 10 }, recent: [25] },
    "scale-down",
    /./,
  ],
  ["a low limit, near", { threshold: { query: "q", comparison: "<", limit: 10 }, recent: [15] }, "keep", /too near/],
])("%s", (_, change, kind, because) => {
  const decision = leaseDecision(lease, { ...facts, ...change });
  expect(decision.kind).toBe(kind);
  expect(decision.because).toMatch(because);
});
