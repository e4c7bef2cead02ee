import { renderReport } from "../../domain/proposal/body/sticky.ts";
import { remediationBack, type Rollback } from "../../domain/proposal/rollback.ts";
import type { Ports } from "../../ports/ports.ts";
import { Refused } from "../../ports/errors.ts";
import type { Run } from "../../ports/workflow.ts";
import { deliverChange } from "./deliver-change.ts";
import { planChange } from "../plan/plan.ts";
import { reportEnded } from "../decide/report-ended.ts";

interface Settled {
  readonly because: string;
  readonly merged: boolean;
}

/**
 * The workflow of a merged change that a person wants back: the change back goes the same line. The step names are a stored
 * format: see `workflowVersion`.
 */
export async function rollBack(rollback: Rollback, run: Run): Promise<void> {
  const settled = await revertMerged(rollback, run).catch((error: unknown): Settled => {
    if (!(error instanceof Refused)) throw error;
    return { because: error.message, merged: false };
  });
  await run.step("settle rollback", (ports) => settle(rollback, settled, ports));
}

async function revertMerged(rollback: Rollback, run: Run): Promise<Settled> {
  const { incident, by, pull } = rollback;
  const planned = await run.step("plan", (ports) => planChange(incident, remediationBack(rollback), ports));
  if (planned.kind === "none") return { because: `it could not be planned: ${planned.because}`, merged: false };
  const changed = await deliverChange(
    {
      ...{ incident, evidence: [], rollback, witnesses: "one", taintedOnly: false, precedents: [] },
      needsPerson: [`${by} asked for it, and somebody approves it`],
      closesWhenResolved: false,
      cause: { sentence: `${by} asked to revert pull request ${pull}.`, citing: [] },
    },
    planned,
    run,
  );
  const { proposal } = changed.kind === "synced" ? changed.change : changed.outcome;
  const number = proposal?.number;
  if (changed.kind === "unmerged") {
    const { because } = changed.outcome;
    return { because: number === undefined ? because : `pull request ${number} was closed: ${because}`, merged: false };
  }
  if (changed.kind === "not-synced") {
    return { because: `pull request ${number} was merged, but ${changed.outcome.because}`, merged: true };
  }
  const because = `reverted by pull request ${number}, and ${planned.entry.object ?? "the controller"} holds it`;
  await run.step("report rollback", async ({ github }) => {
    if (proposal) await github.report(proposal, renderReport({ state: "ended", because }));
  });
  return { because, merged: true };
}

/** On record, and where it was asked for. Doing it twice is safe. */
async function settle(
  { incident, pull, by, ended }: Rollback,
  { because, merged }: Settled,
  ports: Pick<Ports, "github" | "leases" | "rollbacks" | "telemetry">,
): Promise<void> {
  const { uid } = incident;
  if (merged) await ports.leases?.end(uid, `${by} rolled the scale-up back: ${because}`);
  const said = `${ended}; the rollback that ${by} asked for: ${because}`;
  await reportEnded({ pull, incident: uid }, said, ports);
  await ports.rollbacks?.end(pull, because);
  ports.telemetry.log(uid, "rollback", because);
}
