import { expect, test } from "vitest";
import type { Alert } from "../../../src/domain/incident/alert.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import type { Observed } from "../../../src/flow/collect/collect.ts";
import { shadowOutcome } from "../../../src/flow/workflows/shadow.ts";
import { wouldHave } from "../../../src/flow/workflows/would-have.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import type { Run } from "../../../src/ports/workflow.ts";
import { anAlert, anIncident } from "../../builders.ts";
import { aCase, aPlan, gatePorts } from "../../plan.ts";
import { aDeployment } from "../../policies.ts";

const begun = Date.parse("2026-11-24T02:00:00.000Z");
const minutes = (count: number) => new Date(begun + count * 60_000).toISOString();

interface Told {
  /** When people made 4 or so of 2 replicas. */
  readonly commitAt: string;
  readonly replicas?: number;
  /** The guardrails while it is looked at, and those at its verdict. */
  readonly guardrails?: readonly [object, object];
  /** Seen as resolved from minute 30 on. */
  readonly resolved?: readonly Alert[];
}

/** The verdict of a workflow whose proposal is to scale from 2 to 4. */
async function verdictWith({ commitAt, replicas = 4, guardrails, resolved = [anAlert({ status: "resolved" })] }: Told) {
  const before = { namespaces: ["shop-production"], mode: "shadow" };
  const [first, last] = guardrails ?? [before, before];
  let now = begun + 30_000;
  let rules: object = first;
  const tree = (count: number) =>
    treeOf({
      "apps/web.yaml": JSON.stringify(aDeployment("web", { replicas: count })),
      ".github/rectify.yml": JSON.stringify(rules),
    });
  const github = {
    at: async (sha: string) => tree(sha.startsWith("b") ? replicas : 2),
    head: async () => ({ sha: "b", tree: tree(replicas) }),
    commitsSince: async () => [{ sha: "b".repeat(40), parent: "a".repeat(40), at: commitAt }],
  };
  const entry = { tool: "flux", path: "apps" } as const;
  const isOver = () => now - begun > 1_800_000;
  const ports = {
    ...gatePorts({}),
    ...{ github, people: {}, cluster: { workload: async () => ({}), entryOf: async () => entry } },
    ...{ clock: { now: () => new Date(now) }, timings: { selfHealMs: 600_000 } },
    records: { ...gatePorts({}).records, alertsOf: async () => (isOver() ? resolved : [anAlert()]) },
  } as unknown as Ports;
  const run: Run = {
    timings: { pollMs: 60_000, lingerMs: 300_000, decideTimeoutMs: 7_200_000 } as Run["timings"],
    step: async (name, work) => {
      if (name === "shadow verdict") rules = last;
      return work(ports);
    },
    few: (_severity, work) => work(),
    message: async (ms) => {
      now += ms;
      return undefined;
    },
  };
  const would = (given: Ports) => wouldHave(aCase(), aPlan(4), given);
  const subject = {
    incident: anIncident(),
    observed: { evidence: [] } as unknown as Observed,
    remedy: "scale",
    would,
  } as const;
  const { shadow } = await shadowOutcome(subject, run);
  return shadow;
}

const usual = { namespaces: ["shop-production"], mode: "shadow" };

test.each([
  ["cannot be read any more", [usual, { mode: 7 }], 5, "earlier"],
  ["allow less by now", [usual, { ...usual, growthLimit: 1.1 }], 5, "earlier"],
  [
    "allowed less then",
    [
      { ...usual, growthLimit: 2 },
      { ...usual, growthLimit: 9 },
    ],
    9,
    "different",
  ],
] as const)(
  "amounts are compared by the guardrails that the proposal passed, which %s",
  async (_, guardrails, replicas, kind) => {
    const record = await verdictWith({ commitAt: minutes(20), replicas, guardrails });
    expect(record?.verdict).toMatchObject({ kind });
    expect(record?.would).not.toHaveProperty("growthLimit");
  },
);

const ended = (minute: number | undefined, more: Partial<Alert> = {}) =>
  anAlert({ status: "resolved", ...(minute === undefined ? {} : { endsAt: minutes(minute) }), ...more });

test.each([
  ["its own word", [ended(20)], 20, "healed-by-itself"],
  ["the word of the last", [ended(20), ended(27, { fingerprint: "b" })], 27, "earlier"],
  ["our look, where one does not say", [ended(20), ended(undefined, { fingerprint: "b" })], undefined, "earlier"],
  ["our look, where it names a later time", [ended(50)], undefined, "earlier"],
] as const)("the end is %s", async (_, resolved, minute, kind) => {
  const record = await verdictWith({ commitAt: minutes(25), resolved });
  expect(record?.verdict.kind).toBe(kind);
  if (minute === undefined) expect(Date.parse(record?.endedAt ?? "")).toBeGreaterThan(begun + 1_800_000);
  else expect(record?.endedAt).toBe(minutes(minute));
});
