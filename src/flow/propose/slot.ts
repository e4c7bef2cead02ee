import { courseOf } from "../../domain/incident/alert.ts";
import type { Candidate } from "../../domain/proposal/caps.ts";
import { renderRemediation } from "../../domain/kubernetes/remediation.ts";
import { holdBackOf } from "../../domain/evidence/self-healing.ts";
import { shadowReason } from "../../domain/guardrails/mode.ts";
import { isWatching } from "../../domain/guardrails/watchtower.ts";
import type { Message, Run } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";
import { type ChangeRequest, changeOf } from "../gate/change-request.ts";
import { guardrailsOf, isShadowedBy, type LoadedGuardrails } from "../collect/load-guardrails.ts";
import { pauseAfter } from "../collect/pause-after.ts";
import type { Plan } from "../plan/plan.ts";

/** Whether the proposal may be opened. `waited` = not at once, so its plan is old by now. */
type Slot = { readonly kind: "free"; readonly waited: boolean } | NotNeeded;

/** Why no proposal is opened: the alert resolved meanwhile, shadow mode, or a lease whose moment this is not. */
export interface NotNeeded {
  readonly kind: "not-needed";
  readonly because: string;
  readonly shadowed?: true;
}

/** What one look says. `watching` = Watchtower mode opens nothing, `capped` = the caps, or guardrails nobody can read. */
type SlotAnswer =
  | { readonly kind: "free" }
  | { readonly kind: "resolved" }
  | { readonly kind: "watching" | "capped" | "shadowed"; readonly because: string };

/** What a proposal waits under. The scale-down of a lease, and a rollback, have a place of their own each time. */
export function placeOf({ incident, lease, rollback }: Pick<ChangeRequest, "incident" | "lease" | "rollback">): string {
  if (rollback !== undefined) return `${incident.uid}/rollback/${rollback.comment}`;
  return lease === undefined ? incident.uid : `${incident.uid}/lease/${lease.renewals}`;
}

/**
 * Waits, durably, until the caps let this proposal be opened. A revert waits for Watchtower mode only. Who waits is planned
 * anew, so that the plan loses its files at once: hundreds may wait for days, each with a whole file before and after.
 */
export async function waitForSlot(subject: ChangeRequest, plan: Plan, run: Run): Promise<Slot> {
  let before: SlotAnswer | undefined;
  let message: Message | undefined;
  let pauseMs = 0;
  const candidate = candidateOf(subject, plan, run.timings.selfHealMs);
  for (;;) {
    const told = before;
    const stored = await run.step("queue", async (ports) => {
      // Who waits meanwhile may have been switched to shadow mode; at first the plan has just been looked at.
      // Each head is a fetch, and hundreds may look at once: one for each look.
      let loading: Promise<LoadedGuardrails> | undefined;
      const guardrails = () => (loading ??= guardrailsOf(ports));
      const change = changeOf(subject, plan.remediation);
      const shadowed = told !== undefined && isShadowedBy(await guardrails(), subject.incident, change);
      return shadowed
        ? shadowReason
        : storedForm(await askSlot(subject, candidate, { before: told, guardrails }, ports));
    });
    const answer = readStored(stored);
    if (answer.kind === "free") return { kind: "free", waited: before !== undefined };
    if (answer.kind === "resolved") return { kind: "not-needed", because: resolvedMeanwhile };
    if (answer.kind === "shadowed") return { kind: "not-needed", because: answer.because, shadowed: true };
    // What was measured for it would be old by then: the lease is looked at again instead.
    if (subject.lease !== undefined) return { kind: "not-needed", because: answer.because };
    before = answer;
    plan.files = [];
    pauseMs = pauseAfter(pauseMs, message, run.timings.pollMs);
    message = await run.message(pauseMs);
  }
}

const resolvedMeanwhile = "the alert resolved while the proposal waited its turn";
const resolvedLately = "the alert resolved a moment ago: nothing is proposed unless it fires again";
const watchtowerMark = "Watchtower mode: ";

/** The step's answer on record: nothing = open it now, empty = the alert is gone, otherwise why it waits. */
function storedForm(answer: SlotAnswer): string | undefined {
  if (answer.kind === "free") return undefined;
  if (answer.kind === "resolved") return "";
  return answer.because;
}

/** The one place that knows the stored form by its words. */
function readStored(stored: string | undefined): SlotAnswer {
  if (stored === undefined) return { kind: "free" };
  if (stored === "") return { kind: "resolved" };
  if (stored === shadowReason) return { kind: "shadowed", because: stored };
  return { kind: stored.startsWith(watchtowerMark) ? "watching" : "capped", because: stored };
}

interface Look {
  /** What the look before said. */
  readonly before: SlotAnswer | undefined;
  readonly guardrails: () => Promise<LoadedGuardrails>;
}

/** Asks once, and tells what is waited for when that is news. */
async function askSlot(
  subject: ChangeRequest,
  candidate: Candidate,
  { before, guardrails: load }: Look,
  ports: Ports,
): Promise<SlotAnswer> {
  const { incident } = subject;
  const watchtower = ports.watchtower?.state();
  const watching = watchtower !== undefined && isWatching(watchtower);
  const capped = ports.queue !== undefined && subject.failed === undefined;
  if (!watching && !capped) return { kind: "free" };
  const mayBeOver = subject.closesWhenResolved && before !== undefined;
  if (mayBeOver) {
    const course = courseOf(await ports.records.alertsOf(incident.uid), ports.clock.now(), ports.timings.lingerMs);
    if (course === "over") return { kind: "resolved" };
    if (course === "lingers") return { kind: "capped", because: resolvedLately };
  }
  if (watching) {
    const because = `${watchtowerMark}${watchtower.reasons.join("; ")}`;
    // Its reasons change with every slow answer: that it began is told, and no more.
    if (before?.kind !== "watching") ports.telemetry.log(incident.uid, "propose", `waits: ${because}`);
    return { kind: "watching", because };
  }
  if (ports.queue === undefined || !capped) return { kind: "free" };
  const guardrails = await load();
  if (!guardrails.ok) return { kind: "capped", because: guardrails.because };
  const limits = { ...guardrails.value, coolDownMs: ports.timings.coolDownMs };
  const slot = await ports.queue.ask(candidate, limits, ports.clock.now());
  if (slot.kind === "open") return { kind: "free" };
  const isNews = before?.kind !== "capped" || before.because !== slot.because;
  if (isNews) ports.telemetry.log(incident.uid, "propose", `waits: ${slot.because}`);
  return { kind: "capped", because: slot.because };
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
