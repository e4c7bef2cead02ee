import { type Condition, crosses, type Threshold } from "../domain/incident/condition.ts";
import { alikeTo, firing } from "../domain/incident/firing.ts";
import type { Incident } from "../domain/incident/incident.ts";
import { doubtOf, type SelfHealing } from "../domain/evidence/self-healing.ts";
import { type Observation, type Verification, verificationOf } from "../domain/proposal/verification.ts";
import { isRolledOut } from "../domain/kubernetes/workload-state.ts";
import type { Workload } from "../domain/kubernetes/workload.ts";
import type { Ports } from "../ports/ports.ts";
import { known } from "../ports/errors.ts";
import type { Run } from "../ports/workflow.ts";
import { activeAlerts } from "./collect/concerns/active-alerts.ts";
import { unitOf } from "../domain/evidence/unit.ts";
import { measure, type Measured } from "./collect/measure.ts";

interface Before {
  readonly threshold: Threshold | undefined;
  /** Absent in what older versions stored: then the threshold is all of it. */
  readonly condition?: Condition | undefined;
  readonly value: number | undefined;
  readonly selfHealing?: SelfHealing;
}

/** Watches rollout, alert and metric until they agree or the time is up. `changed` is the workload whose field moved. */
export async function verify(incident: Incident, changed: Workload, before: Before, run: Run): Promise<Verification> {
  const { pollMs, settleMs, verifyTimeoutMs } = run.timings;
  const looks: Observation[] = [];
  let start: number | undefined;
  for (;;) {
    const { at, ...seen } = await run.step("verify", (ports) => observe(incident, changed, conditionIn(before), ports));
    start ??= at;
    looks.push({ ...seen, atMs: at - start });
    const judged = verificationOf(looks, {
      ...{ settleMs, timeoutMs: verifyTimeoutMs, before: before.value },
      unit: unitOf(conditionIn(before)?.threshold?.query ?? ""),
    });
    if (judged) {
      const verdict = weighed(
        judged,
        { startedAt: incident.startedAt, syncedAt: start, withinMs: run.timings.selfHealMs },
        before.selfHealing,
      );
      await run.step("report verification", async (ports) =>
        ports.telemetry.log(incident.uid, "verify", `${verdict.kind}: ${verdict.because}`),
      );
      return verdict;
    }
    await run.message(pollMs);
  }
}

function conditionIn({ condition, threshold }: Before): Condition | undefined {
  return condition ?? (threshold && { query: threshold.query, threshold, exact: true });
}

interface Course {
  readonly startedAt: string;
  /** Unix milliseconds. */
  readonly syncedAt: number;
  readonly withinMs: number;
}

/** A recovery is told together with what such alerts mostly do by themselves. */
function weighed(
  verdict: Verification,
  { startedAt, syncedAt, withinMs }: Course,
  healing: SelfHealing | undefined,
): Verification {
  if (verdict.kind !== "recovered" || healing === undefined) return verdict;
  const recoveredAt = new Date(syncedAt + verdict.afterMs).toISOString();
  const doubt = doubtOf(healing, { startedAt, recoveredAt, withinMs });
  if (doubt === undefined) return verdict;
  return { ...verdict, because: `${verdict.because}, but ${doubt.because}`, proves: doubt.proves };
}

async function observe(
  { uid, alert, workload }: Incident,
  changed: Workload,
  condition: Condition | undefined,
  ports: Pick<Ports, "cluster" | "alerts" | "concerns" | "records" | "metrics" | "clock" | "timings">,
): Promise<Omit<Observation, "atMs"> & { at: number }> {
  const recorded = await ports.records.alertsOf(uid);
  const subject = { workload, alerts: recorded.length > 0 ? recorded : [alert] };
  const [state, active, measured] = await Promise.all([
    known(() => ports.cluster.workload(changed)),
    activeAlerts(ports, alikeTo(subject.alerts)),
    condition && known(() => measure(condition, subject, ports)),
  ]);
  return {
    at: ports.clock.now().getTime(),
    rolledOut: state === undefined ? undefined : isRolledOut(state),
    alertFiring: firing(subject, active),
    value: measured && shownValue(measured, condition?.threshold),
    // A rule that nobody could read leaves the alerts themselves as the only evidence, and the verdict says so.
    ...(condition === undefined ? { crossing: false, unmeasured: true } : { crossing: measured?.holds }),
  };
}

/** A value that is still beyond its line, while the whole condition does not hold, is no sign of a recovery. */
function shownValue({ value, holds }: Measured, threshold: Threshold | undefined): number | undefined {
  const strange = holds === false && value !== undefined && threshold !== undefined && crosses(threshold, value);
  return strange ? undefined : value;
}
