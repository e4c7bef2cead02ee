import { expect, test } from "vitest";
import { verdictOf } from "../../../src/domain/backtest/verdict.ts";
import type { SelfHealing } from "../../../src/domain/evidence/self-healing.ts";
import { wouldHave } from "../../../src/flow/workflows/would-have.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { anIncident } from "../../builders.ts";
import { aCase, aPlan, gatePorts, type GateWorld } from "../../plan.ts";

const selfHealing: SelfHealing = { kind: "known", share: 1, atLeast: 0.7, firings: 9, because: "9 of 9 cleared" };
const { startedAt, workload } = anIncident();
const minutes = (count: number) => new Date(Date.parse(startedAt) + count * 60_000).toISOString();

function portsAt(now: string, guardrails: object = {}): Ports {
  const world: GateWorld = { now, guardrails: { mode: "shadow", ...guardrails } };
  return { ...gatePorts(world), timings: { selfHealMs: 600_000 } } as unknown as Ports;
}

const patient = aCase({ incident: { ...anIncident(), severity: "warning" }, selfHealing });

test("what is held back would be open when its time is over, and what people did before that was sooner", async () => {
  const would = await wouldHave(patient, aPlan(4), portsAt(minutes(1)));
  expect(would).toMatchObject({ kind: "proposed", heldBack: true, at: minutes(10) });
  const theirs = { sha: "a".repeat(40), at: minutes(8), changes: aPlan(4).effect.changes };
  const people = { kind: "known", commits: [theirs] } as const;
  const course = { workload, startedAt, endedAt: minutes(20), growthLimit: 3, people };
  expect(verdictOf(would, course)).toMatchObject({ kind: "agreed", leadMs: -120_000 });
  const alone = (end: number) => ({
    ...course,
    endedAt: minutes(end),
    people: { kind: "known", commits: [] } as const,
  });
  expect(verdictOf(would, alone(9)).because).toContain("would have waited for that");
  expect(verdictOf(would, alone(12)).because).toContain("would have been closed when it resolved");
});

test("what is not held back, or not any more, would be open now", async () => {
  const urgent = aCase({ incident: { ...anIncident(), severity: "critical" }, selfHealing });
  expect(await wouldHave(urgent, aPlan(4), portsAt(minutes(1)))).toMatchObject({ at: minutes(1) });
  expect(await wouldHave(patient, aPlan(4), portsAt(minutes(12)))).toMatchObject({ at: minutes(12) });
});
