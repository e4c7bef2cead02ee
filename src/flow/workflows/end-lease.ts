import { type Lease, type LeaseDecision, leaseExpiry, shortExpiry } from "../../domain/proposal/lease.ts";
import { renderReport } from "../../domain/proposal/body/sticky.ts";
import { loweredLease } from "../../domain/kubernetes/remediation.ts";
import type { Ports } from "../../ports/ports.ts";
import { Refused } from "../../ports/errors.ts";
import type { Run } from "../../ports/workflow.ts";
import { deliverChange } from "./deliver-change.ts";
import { guardrailsOf, leaseDurationOf } from "../collect/load-guardrails.ts";
import { lookAtLease, type LookedAt } from "../decide/lease-review.ts";
import { planChange } from "../plan/plan.ts";
import { verify } from "../verify.ts";

/** What becomes of a lease. `soon` = only the moment was wrong. */
type Settled =
  | { readonly kind: "keep"; readonly because: string; readonly soon: boolean; readonly latestPull: number }
  | { readonly kind: "over"; readonly because: string; readonly byOthers: boolean };

/**
 * The workflow of a lease whose time is up: the scale-down goes the same line as the scale-up went, or the lease is renewed
 * with the reason, or it ends because somebody else decided. The step names are a stored format: see `workflowVersion`.
 */
export async function endLease(lease: Lease, run: Run): Promise<void> {
  const settled = await judged(lease, run).catch((error: unknown): Settled => {
    if (!(error instanceof Refused)) throw error;
    return { kind: "keep", because: error.message, soon: true, latestPull: lease.latestPull };
  });
  await run.step("settle lease", (ports) => settle(lease, settled, ports));
}

async function judged(lease: Lease, run: Run): Promise<Settled> {
  const looked = await run.step("look at lease", (ports) => lookAtLease(lease, ports));
  const { decision } = looked;
  if (decision.kind === "keep") {
    return { kind: "keep", because: decision.because, soon: false, latestPull: lease.latestPull };
  }
  if (decision.kind === "over") return { kind: "over", because: decision.because, byOthers: true };
  return revertLease({ lease, looked, decision }, run);
}

interface LeaseRevert {
  readonly lease: Lease;
  readonly looked: LookedAt;
  readonly decision: Extract<LeaseDecision, { readonly kind: "scale-down" }>;
}

/** gate → propose → decide → sync → verify of the scale-down. */
async function revertLease({ lease, looked, decision }: LeaseRevert, run: Run): Promise<Settled> {
  const { incident, remediation } = lease;
  const keep = (because: string, soon: boolean, latestPull = lease.latestPull): Settled => ({
    ...{ kind: "keep", because, soon, latestPull },
  });
  const wanted = loweredLease(remediation, decision.to, [decision.because, ...decision.arithmetic]);
  const planned = await run.step("plan", (ports) => planChange(incident, wanted, ports));
  if (planned.kind === "none") return keep(`the scale-down could not be planned: ${planned.because}`, false);
  const { evidence, threshold, condition, value } = looked;
  const changed = await deliverChange(
    {
      ...{ incident, evidence, lease, limit: threshold?.limit },
      ...{ witnesses: "one", taintedOnly: false, precedents: [], closesWhenResolved: false },
      cause: { sentence: decision.because, citing: citingOf(looked) },
    },
    planned,
    run,
  );
  if (changed.kind === "unmerged") {
    const { proposal, because, closed } = changed.outcome;
    if (proposal === undefined || closed !== undefined) return keep(because, proposal === undefined, proposal?.number);
    return { kind: "over", because: `pull request ${proposal.number} was closed: ${because}`, byOthers: false };
  }
  if (changed.kind === "not-synced") {
    const { proposal, because } = changed.outcome;
    return {
      kind: "over",
      because: `pull request ${proposal.number} was merged, but ${because}`,
      byOthers: false,
    };
  }
  const { proposal } = changed.change;
  const verification = await verify(incident, remediation.workload, { threshold, condition, value }, run);
  const because = `reverted by pull request ${proposal.number}, ${verification.kind}: ${verification.because}`;
  await run.step("report lease", async (ports) => {
    await ports.github.report(proposal, renderReport({ state: "ended", because }));
  });
  return { kind: "over", because, byOthers: false };
}

function citingOf({ evidence }: LookedAt): readonly string[] {
  const shows = new Set(["alert-metric", "cpu-used", "cpu-requested"]);
  return evidence.flatMap(({ id, key }) => (key !== undefined && shows.has(key) ? [id] : []));
}

/** Renews the lease or ends it, on record. Doing it twice is safe. */
async function settle(
  { incident, renewals, termSince }: Lease,
  settled: Settled,
  ports: Pick<Ports, "github" | "leases" | "changes" | "clock" | "telemetry">,
): Promise<void> {
  const { uid } = incident;
  if (settled.kind === "over") {
    await ports.leases?.end(uid, settled.because);
    // Somebody else set the number: what it cost is no longer ours to count.
    if (settled.byOthers) await ports.changes?.settle(uid);
    ports.telemetry.log(uid, "lease", `ended: ${settled.because}`);
    return;
  }
  const duration = leaseDurationOf(await guardrailsOf(ports));
  const now = ports.clock.now();
  const expires = settled.soon ? shortExpiry(now, duration) : leaseExpiry(now, duration);
  const { because, latestPull, soon } = settled;
  const term = { expires, termSince: soon ? termSince : now.toISOString() };
  await ports.leases?.renew(uid, { ...term, because, latestPull, renewals: renewals + 1 });
  ports.telemetry.log(uid, "lease", `renewed until ${expires}: ${because}`);
}
