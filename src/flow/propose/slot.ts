import { areResolved } from "../../domain/incident/alert.ts";
import type { Candidate } from "../../domain/proposal/caps.ts";
import { renderRemediation } from "../../domain/kubernetes/remediation.ts";
import { holdBackOf } from "../../domain/evidence/self-healing.ts";
import { isWatching } from "../../domain/guardrails/watchtower.ts";
import type { Message, Run } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";
import type { ChangeRequest } from "../gate/change-request.ts";
import { guardrailsOf } from "../collect/load-guardrails.ts";
import { pauseAfter } from "../collect/pause-after.ts";
import type { Plan } from "../plan/plan.ts";

/** `go` at once, `waited` first (the plan is old by now), or nothing to go for any more. */
export type Slot = "go" | "waited" | NotNeeded;

/** Why no proposal is opened: the alert resolved meanwhile, or a lease whose moment this is not. */
export interface NotNeeded {
  readonly because: string;
}

/** What a proposal waits under. The scale-down of a lease, and a rollback, have a place of their own each time. */
export function placeOf({ incident, lease, rollback }: Pick<ChangeRequest, "incident" | "lease" | "rollback">): string {
  if (rollback !== undefined) return `${incident.uid}/rollback/${rollback.comment}`;
  return lease === undefined ? incident.uid : `${incident.uid}/lease/${lease.renewals}`;
}

/** Waits, durably, until the caps let this proposal be opened. A revert waits for Watchtower mode only. */
export async function waitForSlot(subject: ChangeRequest, plan: Plan, run: Run): Promise<Slot> {
  let told = "";
  let message: Message | undefined;
  let pauseMs = 0;
  const candidate = candidateOf(subject, plan, run.timings.selfHealMs);
  for (let look = 1; ; look += 1) {
    const because = await run.step("queue", (ports) => askTurn(subject, candidate, told, ports));
    if (because === undefined) return look === 1 ? "go" : "waited";
    if (because === "") return { because: "the alert resolved while the proposal waited its turn" };
    // What was measured for it would be old by then: the lease is looked at again instead.
    if (subject.lease !== undefined) return { because };
    told = because;
    pauseMs = pauseAfter(pauseMs, message, run.timings.pollMs);
    message = await run.message(pauseMs);
  }
}

/** Undefined = open it now, empty = the alert is gone, otherwise why it waits. */
async function askTurn(
  subject: ChangeRequest,
  candidate: Candidate,
  told: string,
  ports: Ports,
): Promise<string | undefined> {
  const { incident } = subject;
  const watchtower = ports.watchtower?.state();
  const watching = watchtower !== undefined && isWatching(watchtower);
  const capped = ports.queue !== undefined && subject.failed === undefined;
  if (!watching && !capped) return undefined;
  const mayBeOver = subject.closesWhenResolved && told !== "";
  if (mayBeOver && areResolved(await ports.records.alertsOf(incident.uid))) return "";
  if (watching) {
    const because = `Watchtower mode: ${watchtower.reasons.join("; ")}`;
    if (!told.startsWith("Watchtower mode")) ports.telemetry.log(incident.uid, "propose", `waits: ${because}`);
    return because;
  }
  if (ports.queue === undefined || !capped) return undefined;
  const guardrails = await guardrailsOf(ports);
  if (!guardrails.ok) return guardrails.because;
  const limits = { ...guardrails.value, coolDownMs: ports.timings.coolDownMs };
  const turn = await ports.queue.ask(candidate, limits, ports.clock.now());
  if (turn.kind === "open") return undefined;
  if (turn.because !== told) ports.telemetry.log(incident.uid, "propose", `waits: ${turn.because}`);
  return turn.because;
}

function candidateOf(subject: ChangeRequest, { remediation }: Plan, withinMs: number): Candidate {
  const { incident, selfHealing } = subject;
  const { alert, severity, startedAt } = incident;
  return {
    ...{ incident: placeOf(subject), workload: remediation.workload, alert: alert.name, severity, startedAt },
    summary: renderRemediation(remediation),
    ...(subject.rollback === undefined ? {} : { asked: true as const }),
    heldBack: selfHealing && holdBackOf(selfHealing, { severity, startedAt, withinMs }),
  };
}
