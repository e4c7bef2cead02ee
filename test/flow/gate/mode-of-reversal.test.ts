import { describe, expect, test } from "vitest";
import { isInShadow } from "../../../src/domain/guardrails/mode.ts";
import { inverseOf } from "../../../src/domain/kubernetes/remediation.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import type { ChangeRequest } from "../../../src/flow/gate/change-request.ts";
import { gate } from "../../../src/flow/gate/gate.ts";
import type { Plan } from "../../../src/flow/plan/plan.ts";
import { deliverChange } from "../../../src/flow/workflows/deliver-change.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import type { Run } from "../../../src/ports/workflow.ts";
import { aLease } from "../../lease.ts";
import { aCase, aPlan, gatePorts } from "../../plan.ts";

const scaled = aPlan(4);
const back: Plan = {
  ...aPlan(2),
  remediation: inverseOf(scaled.remediation),
  effect: { ...scaled.effect, changes: scaled.effect.changes.map((one) => ({ ...one, from: 4, to: 2 })) },
};
const { remediation, effect } = scaled;
const ways: [string, Partial<ChangeRequest>][] = [
  ["the revert", { failed: { ending: "unclear", because: "no change", remediation, effect } }],
  ["the end of the lease", { lease: aLease() }],
  ["/rollback", { rollback: { remediation, effect, comment: 1 } as NonNullable<ChangeRequest["rollback"]> }],
];

const liveScale = { mode: "shadow", modes: [{ remedy: "scale", mode: "live" }] };
const shadowScale = { mode: "live", modes: [{ remedy: "scale", mode: "shadow" }] };

describe("what reverts a scale-up goes by the mode of scale", () => {
  test.each(ways)("%s passes where scale is live in a file that is in shadow mode", async (_, way) => {
    expect(await gate(aCase(way), back, gatePorts({ guardrails: liveScale }))).toMatchObject({ kind: "passed" });
  });

  test.each(ways)("%s is refused where scale is in shadow mode in a file that is live", async (_, way) => {
    const answer = await gate(aCase(way), back, gatePorts({ guardrails: shadowScale }));
    expect(answer).toMatchObject({ kind: "refused", because: expect.stringContaining("shadow mode") });
  });

  test.each(ways)("%s that is open is withdrawn when scale is switched to shadow mode", async (_, way) => {
    const place = { base: "main", branch: "b", draft: false, defaultBranch: "main" };
    const proposal = { number: 7, headSha: "a", effect: "e", branch: "b", files: [], labels: [] };
    const recorded: Readonly<Record<string, unknown>> = {
      ...{
        gate: { kind: "passed", selfMergeLacks: [] },
        draft: {},
        propose: proposal,
        "begin to decide": 0,
        listen: [],
      },
    };
    const tree = treeOf({ ".github/rectify.yml": JSON.stringify({ namespaces: ["shop-production"], ...shadowScale }) });
    const ports = {
      ...gatePorts({}),
      github: {
        head: async () => ({ sha: "b", tree }),
        look: async () => ({ state: "open", headSha: "a", place, requiredChecks: [] }),
        openIssuesWithLabel: async () => [],
        withdraw: async () => undefined,
      },
      ...{ alerts: { active: async () => [] }, timings: { decideTimeoutMs: 1e15, lingerMs: 1 } },
    } as unknown as Ports;
    const step = async (name: string, work: (given: Ports) => Promise<unknown>) =>
      name in recorded ? recorded[name] : name === "decide" || name === "close" ? work(ports) : undefined;
    const timings = { pollMs: 1, selfHealMs: 1, lingerMs: 1 };
    const message = () => Promise.reject(new Error("it waits"));
    const run = { step, timings, message } as unknown as Run;
    expect(await deliverChange(aCase({ ...way, closesWhenResolved: false }), back, run)).toMatchObject({
      outcome: { ending: "declined", closed: "shadowed" },
    });
  });
});

test("a change back of something that nobody knows is in shadow mode where any remedy is", () => {
  const about = { alert: "A", namespaces: ["shop"], remedy: "revert" };
  const rule = { namespace: "*", alert: "*", remedy: "scale" } as const;
  expect(isInShadow({ mode: "live", modes: [{ ...rule, mode: "shadow" }] }, about)).toBe(true);
  expect(isInShadow({ mode: "shadow", modes: [{ ...rule, mode: "live" }] }, about)).toBe(true);
  expect(isInShadow({ mode: "live", modes: [] }, about)).toBe(false);
});
