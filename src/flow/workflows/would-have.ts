import type { WouldHave } from "../../domain/backtest/verdict.ts";
import { holdBackOf } from "../../domain/evidence/self-healing.ts";
import { loweredTo } from "../../domain/kubernetes/remediation.ts";
import type { Ports } from "../../ports/ports.ts";
import { loadGuardrails } from "../collect/load-guardrails.ts";
import type { ChangeRequest } from "../gate/change-request.ts";
import { gate, type Gated } from "../gate/gate.ts";
import { type Plan, planChange, type Planned } from "../plan/plan.ts";

/** A change that nobody will write: planned, proved and gated as if it were. */
export async function wouldHave(subject: ChangeRequest, planned: Planned, ports: Ports): Promise<WouldHave> {
  const { sentence: cause, confidence } = subject.cause;
  const known = { cause, confidence };
  if (planned.kind === "none") {
    const kind = planned.ending === "refused" ? "refused" : "no-remedy";
    return { kind, because: planned.because, ...known };
  }
  const passed = await gated(subject, planned, ports);
  if ("because" in passed) return { kind: "refused", because: passed.because, ...known };
  const { plan, verdict } = passed;
  const guardrails = loadGuardrails(await ports.github.at(plan.baseSha));
  const { severity, startedAt } = subject.incident;
  const withinMs = ports.timings.selfHealMs;
  const held = subject.selfHealing && holdBackOf(subject.selfHealing, { severity, startedAt, withinMs });
  return {
    ...{ kind: "proposed", at: later(ports.clock.now().toISOString(), held?.until), remediation: plan.remediation },
    ...{ changes: plan.effect.changes, confidence: confidence ?? 0, cause, risk: verdict.risk.level },
    ...(verdict.cost === undefined ? {} : { perMonth: verdict.cost.perMonth, currency: verdict.cost.currency }),
    ...(guardrails.ok ? { growthLimit: guardrails.value.growthLimit } : {}),
    ...(held === undefined ? {} : { heldBack: true }),
  };
}

/** What is held back would not be open now. */
function later(now: string, until: string = now): string {
  return Date.parse(until) > Date.parse(now) ? until : now;
}

type Passed = { readonly plan: Plan; readonly verdict: Gated };

/** As a proposal is opened: where the policies refuse its number, with the nearest one that they let pass. */
async function gated(subject: ChangeRequest, plan: Plan, ports: Ports): Promise<Passed | { readonly because: string }> {
  const asked = { ...subject, hypothetical: true } as const;
  const verdict = await gate(asked, plan, ports);
  if (verdict.kind === "passed") return { plan, verdict };
  if (verdict.offer === undefined || plan.remediation.kind !== "scale") return { because: verdict.because };
  const lowered = await planChange(
    subject.incident,
    loweredTo(plan.remediation, verdict.offer, verdict.because),
    ports,
  );
  if (lowered.kind === "none") return { because: verdict.because };
  const second = await gate(asked, lowered, ports);
  return second.kind === "passed" ? { plan: lowered, verdict: second } : { because: verdict.because };
}
