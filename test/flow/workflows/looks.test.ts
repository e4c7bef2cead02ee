import { expect, test } from "vitest";
import { remediateIncident } from "../../../src/flow/workflows/remediate-incident.ts";
import type { Run } from "../../../src/ports/workflow.ts";
import { anIncident } from "../../builders.ts";

/** How often the incident is looked at when each look comes to this; the last one stays. */
async function looksAt(diagnoses: readonly object[]): Promise<number> {
  let looks = 0;
  const answers: Readonly<Record<string, () => unknown>> = {
    collect: () => ({ evidence: [] }),
    recall: () => ({ lines: [] }),
    diagnose: () => diagnoses[Math.min(looks++, diagnoses.length - 1)],
  };
  const run = {
    timings: { settleMs: 1, pollMs: 1 },
    few: (_severity: string, work: () => Promise<unknown>) => work(),
    message: async () => undefined,
    step: async (name: string) => answers[name]?.(),
  } as unknown as Run;
  // What becomes of it is not asked here.
  await remediateIncident(anIncident(), run).catch(() => undefined);
  return looks;
}

const why = { kind: "diagnosed", cause: { remedies: ["scale"] }, remedy: { kind: "change" } };
const where = { kind: "diagnosed", cause: { remedies: [] }, remedy: { kind: "none" }, unexplained: true };
const nothing = { kind: "abstained", because: "nothing stands out" };

test.each<[string, readonly object[], number]>([
  ["what is explained needs one look", [why], 1],
  ["where nothing stands out it is looked at again", [nothing, why], 2],
  ["where it hurts and not why, too: a metric over a window shows the reason later", [where, where, why], 3],
  ["and not for ever", [where], 3],
])("%s", async (_, diagnoses, looks) => expect(await looksAt(diagnoses)).toBe(looks));
