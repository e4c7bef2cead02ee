import { crosses, type Threshold } from "../domain/incident/alert-rule.ts";
import type { Incident } from "../domain/incident/incident.ts";
import { doubtOf, type SelfHealing } from "../domain/evidence/self-healing.ts";
import { type Observation, type Verification, verificationOf } from "../domain/proposal/verification.ts";
import { isRolledOut } from "../domain/kubernetes/workload-state.ts";
import type { Workload } from "../domain/kubernetes/workload.ts";
import type { Ports } from "../ports/ports.ts";
import { Refused, Unavailable } from "../ports/errors.ts";
import type { Run } from "../ports/workflow.ts";
import { valueOf } from "./collect/collect.ts";

export interface Before {
  readonly threshold: Threshold | undefined;
  readonly value: number | undefined;
  readonly selfHealing?: SelfHealing;
}

/** Watches rollout, alert and metric until they agree or the time is up. `changed` is the workload whose field moved. */
export async function verify(incident: Incident, changed: Workload, before: Before, run: Run): Promise<Verification> {
  const { pollMs, settleMs, verifyTimeoutMs } = run.timings;
  const looks: Observation[] = [];
  let start: number | undefined;
  for (;;) {
    const { at, ...seen } = await run.step("verify", (ports) => observe(incident, changed, before.threshold, ports));
    start ??= at;
    looks.push({ ...seen, atMs: at - start });
    const judged = verificationOf(looks, { settleMs, timeoutMs: verifyTimeoutMs, before: before.value });
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
  incident: Incident,
  changed: Workload,
  threshold: Threshold | undefined,
  ports: Pick<Ports, "cluster" | "alerts" | "metrics" | "clock" | "timings">,
): Promise<Omit<Observation, "atMs"> & { at: number }> {
  const [state, active, value] = await Promise.all([
    orUnknown(() => ports.cluster.workload(changed)),
    orUnknown(() => ports.alerts.active()),
    threshold === undefined ? undefined : orUnknown(() => valueNow(incident, threshold, ports)),
  ]);
  return {
    at: ports.clock.now().getTime(),
    rolledOut: state === undefined ? undefined : isRolledOut(state),
    alertFiring:
      active === undefined ? undefined : active.some((alert) => alert.fingerprint === incident.alert.fingerprint),
    value,
    // A rule without a number to compare with leaves the alert itself as the only witness.
    crossing: threshold === undefined ? false : value === undefined ? undefined : crosses(threshold, value),
  };
}

async function valueNow(
  incident: Incident,
  threshold: Threshold,
  ports: Pick<Ports, "metrics" | "clock" | "timings">,
): Promise<number | undefined> {
  const to = ports.clock.now();
  const from = new Date(to.getTime() - 2 * ports.timings.pollMs - 1000);
  const { series, notes } = await ports.metrics.range(threshold.query, from, to);
  return valueOf({ kind: "series", unit: "", series, notes }, incident.workload, threshold);
}

/** A source that is away gives "unknown", which is never a success. */
async function orUnknown<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof Unavailable || error instanceof Refused) return undefined;
    throw error;
  }
}
