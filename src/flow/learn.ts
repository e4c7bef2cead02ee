import type { Evidence } from "../domain/evidence/evidence.ts";
import type { Incident } from "../domain/incident/incident.ts";
import { leaseOf } from "../domain/proposal/lease.ts";
import { postMortemOf, postMortemPath, renderSealed, withdraw } from "../domain/records/post-mortem.ts";
import { renderOutcome, renderReverted } from "../domain/proposal/body/sticky.ts";
import type { IncidentOutcome } from "../domain/proposal/outcome.ts";
import { Refused } from "../ports/errors.ts";
import type { Ports } from "../ports/ports.ts";
import { dependenciesOf } from "./collect/dependencies.ts";
import { guardrailsOf, leaseDurationOf } from "./collect/load-guardrails.ts";
import { tellPeople } from "./propose/tell-people.ts";
import { reportEnded } from "./decide/report-ended.ts";

/**
 * Ends the incident: the outcome in the sticky comment, the completed post-mortem for the next pull request (its own is
 * merged already), and the record. Calling it twice is safe.
 */
export async function learn(
  incident: Incident,
  told: { readonly outcome: IncidentOutcome; readonly evidence: readonly Evidence[] },
  ports: Pick<Ports, "github" | "records" | "leases" | "clock" | "telemetry" | "sealKey" | "notifier">,
): Promise<void> {
  const { outcome, evidence } = told;
  const { ending, because, proposal, mergedSha } = outcome;
  const record = postMortemOf({ incident, outcome, evidence, now: ports.clock.now().toISOString() });
  const withdrawal = (await ports.records.withdrawals()).find((one) => one.incident === incident.uid);
  const postMortem = withdrawal === undefined ? record : withdraw(record, withdrawal);
  if (mergedSha !== undefined) {
    await ports.records.addPendingFile(postMortemPath(incident), renderSealed(postMortem, ports.sealKey), incident.uid);
  }
  if (proposal !== undefined && mergedSha !== undefined) {
    const report = ports.github.report(proposal, renderOutcome(outcome, postMortemPath(incident)));
    await whereAllowed(proposal.number, report, incident, ports);
  }
  const reverted = renderReverted(outcome, postMortemPath(incident));
  const back = outcome.revert?.proposal;
  if (reverted !== undefined && back)
    await whereAllowed(back.number, ports.github.report(back, reverted), incident, ports);
  const notice = { kind: "ended", incident, text: `${ending}: ${because}`, pull: proposal } as const;
  await tellPeople(notice, outcome.remediation, ports);
  if (ending === "parked") await tellParked(incident, because, ports);
  await beginLease(incident, outcome, ports);
  const depends = dependenciesOf(evidence, await ports.github.head());
  await ports.records.endIncident(incident.uid, { ending, because, outcome, depends });
  ports.telemetry.log(incident.uid, "learn", `${ending}: ${because}`);
}

/** A pull request that takes no comment, because it is locked, say, takes nothing from how its incident ended. */
async function whereAllowed(
  pull: number,
  told: Promise<void>,
  { uid }: Incident,
  { telemetry }: Pick<Ports, "telemetry">,
): Promise<void> {
  await told.catch((error: unknown) => {
    if (!(error instanceof Refused)) throw error;
    telemetry.log(uid, "learn", `#${pull} was not told how it ended: ${error.message}`);
  });
}

/** What stopped may have left a pull request open, or merged and not verified: whoever looks at it must know. */
async function tellParked(
  incident: Incident,
  because: string,
  ports: Pick<Ports, "github" | "records" | "telemetry">,
): Promise<void> {
  const { uid } = incident;
  const pull = await ports.records.lastPullOf(uid);
  if (pull === undefined) return;
  const told = `parked: ${because}. Nothing happens here any more until a person acts`;
  await whereAllowed(pull, reportEnded({ pull, incident: uid }, told, ports), incident, ports);
}

/** A verified scale-up is not for good: it is kept as long as the guardrails say, then looked at again. */
async function beginLease(
  incident: Incident,
  outcome: IncidentOutcome,
  { github, leases, clock, telemetry }: Pick<Ports, "github" | "leases" | "clock" | "telemetry">,
): Promise<void> {
  const duration = leaseDurationOf(await guardrailsOf({ github }));
  const lease = leases && leaseOf(incident, outcome, clock.now(), duration);
  if (lease === undefined) return;
  await leases?.begin(lease);
  telemetry.log(incident.uid, "lease", `begins: ${lease.field.to} are kept until ${lease.expires}`);
}
