import { expect, test } from "vitest";
import type { ChangeRequest } from "../../../src/flow/gate/change-request.ts";
import type { Gated } from "../../../src/flow/gate/gate.ts";
import { deliverChange } from "../../../src/flow/workflows/deliver-change.ts";
import { Refused, Shut } from "../../../src/ports/errors.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import type { Run } from "../../../src/ports/workflow.ts";
import { anIncident } from "../../builders.ts";
import { aPlan } from "../../plan.ts";

const place = { base: "main", branch: "rectify/shop-web", draft: false, defaultBranch: "main" };
const subject = {
  ...{ incident: anIncident(), evidence: [], witnesses: "agree", taintedOnly: false, precedents: [] },
  ...{ cause: { sentence: "Two cannot carry it.", citing: [] }, closesWhenResolved: true },
} as unknown as ChangeRequest;
const gated: Partial<Gated> = { kind: "passed", selfMergeLacks: [] };
const proposal = { number: 7, headSha: "a", effect: "e", branch: place.branch, files: [] };
const merged = { decision: { kind: "merged", sha: "abc", because: "merged by a person" }, at: 0, place };

/** What each step has on record; one that is not named has nothing. */
function recorded(answers: Readonly<Record<string, unknown>>): Run {
  return {
    step: async <T>(name: string) => {
      const answer = answers[name];
      if (answer instanceof Error) throw answer;
      return answer as T;
    },
    few: (_severity, work) => work(),
    message: async () => undefined,
    timings: { pollMs: 1, syncTimeoutMs: 1, lingerMs: 1, selfHealMs: 1 } as Run["timings"],
  };
}

const untilMerged = { gate: gated, draft: {}, propose: proposal, "begin to decide": 0, listen: [], decide: merged };

test.each(["report merge", "sync", "report sync"])(
  "a clear no in %s parks the incident, and what was merged stays on record for its post-mortem",
  async (step) => {
    const plan = aPlan(3);
    const answers = { ...untilMerged, sync: { reached: true, sha: "abc" }, [step]: new Refused("no more access") };
    expect(await deliverChange(subject, plan, recorded(answers))).toMatchObject({
      kind: "not-synced",
      outcome: {
        ...{ ending: "parked", because: "no more access", mergedSha: "abc" },
        ...{ proposal: { number: 7 }, remediation: plan.remediation },
      },
    });
  },
);

test("a clear no before the merge is not swallowed here", async () => {
  const run = recorded({ ...untilMerged, propose: new Refused("the branch is taken") });
  await expect(deliverChange(subject, aPlan(3), run)).rejects.toBeInstanceOf(Refused);
});

test("what was tried and reverted a short time ago escalates, with nothing proposed", async () => {
  const refusal = { kind: "refused", because: "#7 was merged and reverted by #8", repeated: true };
  const ended = await deliverChange(subject, aPlan(3), recorded({ gate: refusal }));
  expect(ended).toMatchObject({
    kind: "unmerged",
    outcome: { ending: "escalated", because: refusal.because, remediation: aPlan(3).remediation },
  });
  expect(ended).not.toHaveProperty("outcome.proposal");
});

test("shadow mode that begins right before the opening ends the incident with that reason, and parks nothing", async () => {
  const step: Run["step"] = async (name, work) => {
    if (name !== "propose") return recorded({ gate: gated, draft: {} }).step(name, work);
    const publish = () => Promise.reject(new Shut("shadow mode: nothing is written"));
    return work({ github: { publish } } as unknown as Ports);
  };
  expect(await deliverChange(subject, aPlan(3), { ...recorded({}), step })).toMatchObject({
    kind: "unmerged",
    outcome: { ending: "refused", because: expect.stringContaining("shadow mode") },
  });
});
