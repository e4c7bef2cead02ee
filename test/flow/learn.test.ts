import { expect, test } from "vitest";
import { treeOf } from "../../src/domain/kubernetes/tree.ts";
import type { IncidentOutcome } from "../../src/domain/proposal/outcome.ts";
import { learn } from "../../src/flow/learn.ts";
import { Refused, Unavailable } from "../../src/ports/errors.ts";
import type { Ports } from "../../src/ports/ports.ts";
import { anIncident } from "../builders.ts";
import { aPlan } from "../plan.ts";

const { remediation, effect } = aPlan(3);
const proposal = { number: 7, headSha: "a", effect: "e", branch: "b", files: [], labels: [], url: "" };
const outcome = {
  ...{ ending: "recovered", because: "the metric is back", mergedSha: "abc", proposal, remediation, effect },
  cause: { sentence: "Two cannot carry it.", citing: [] },
} as unknown as IncidentOutcome;

async function ended(report: () => Promise<void>, ending = "recovered") {
  const done: unknown[] = [];
  const told: string[] = [];
  const guardrails = { ".github/rectify.yml": "namespaces: [shop-production]\n" };
  const ports = {
    github: { report, head: async () => ({ sha: "h", tree: treeOf(guardrails) }) },
    records: {
      withdrawals: async () => [],
      lastPullOf: async () => 7,
      addPendingFile: async (path: string) => void done.push(path),
      endIncident: async (_uid: string, end: { ending: string }) => void done.push(end.ending),
    },
    clock: { now: () => new Date("2026-11-24T03:00:00Z") },
    telemetry: { log: (_uid: string, verb: string, text: string) => void told.push(`${verb}: ${text}`) },
    sealKey: "k".repeat(32),
  } as unknown as Ports;
  await learn(anIncident(), { outcome: { ...outcome, ending } as IncidentOutcome, evidence: [] }, ports);
  return { done, told };
}

test.each(["recovered", "parked"])(
  "a pull request that takes no comment any more takes nothing from how its incident ended: %s",
  async (ending) => {
    const locked = () => Promise.reject(new Refused("GitHub 403: the conversation is locked"));
    const { done, told } = await ended(locked, ending);
    expect(done.at(-1)).toBe(ending);
    expect(told).toContainEqual(expect.stringContaining("#7 was not told how it ended"));
  },
);

test("while nobody answers the end waits", async () => {
  await expect(ended(() => Promise.reject(new Unavailable("GitHub 502")))).rejects.toBeInstanceOf(Unavailable);
});
