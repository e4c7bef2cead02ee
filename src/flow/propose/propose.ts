import type { Incident } from "../../domain/incident/incident.ts";
import { leaseExpiry } from "../../domain/proposal/lease.ts";
import { postMortemOf, postMortemPath, renderSealed } from "../../domain/records/post-mortem.ts";
import { metricTitle, renderHead } from "../../domain/proposal/body/head.ts";
import { renderReport } from "../../domain/proposal/body/sticky.ts";
import { allowedLinks } from "../../domain/proposal/body/links.ts";
import { changedPlaces } from "../../domain/proposal/body/places.ts";
import type { ProposalBody } from "../../domain/proposal/body/proposal-body.ts";
import type { FailedChange } from "../../domain/proposal/body/reason.ts";
import { renderBody, renderCommitMessage, renderTitle } from "../../domain/proposal/proposal-text.ts";
import { renderChart } from "../../domain/evidence/chart.ts";
import { decisionTitle } from "../../domain/proposal/body/check-title.ts";
import { branchOf, titleAs, type WordingRules } from "../../domain/proposal/wording.ts";
import {
  type CheckVerdict,
  ownLabel,
  revertLabel,
  type Proposal,
  type ProposalDraft,
} from "../../domain/proposal/pull-request.ts";
import type { Ports } from "../../ports/ports.ts";
import type { ChangeRequest } from "../gate/change-request.ts";
import type { Gated } from "../gate/gate.ts";
import { leaseDurationOf, type LoadedGuardrails, loadGuardrails } from "../collect/load-guardrails.ts";
import { ledgerWith, sealedAmong } from "../collect/load-trust.ts";
import { tellPeople, type ToldChange } from "./tell-people.ts";
import type { Plan } from "../plan/plan.ts";

/** Everything that will be written, decided once: a repeated write must find what the first one meant. */
export async function draftProposal(
  subject: ChangeRequest,
  plan: Plan,
  gated: Gated,
  ports: Pick<Ports, "github" | "records" | "clock" | "sealKey" | "timings" | "places">,
): Promise<ProposalDraft> {
  const { incident, evidence } = subject;
  const { owners, warnings, effect, remediation, files, baseSha } = plan;
  const { risk, policy, selfMergeLacks } = gated;
  const guardrails = loadGuardrails(await ports.github.at(baseSha));
  const body: ProposalBody = {
    ...{ incident, evidence, cause: subject.cause, remediation, owners, warnings, effect },
    ...{ places: changedPlaces(files), writtenAt: ports.clock.now().toISOString(), failed: failedIn(subject) },
    links: linksFor(subject, ports.places, guardrails),
    course: { appliedBy: plan.entry.object, watchedMs: ports.timings.verifyTimeoutMs },
    ...{
      risk,
      policy,
      selfMergeLacks,
      chart: chartOf(subject),
      selfHealing: subject.selfHealing?.because,
      cost: gated.cost,
      budget: gated.budget,
    },
    ...{
      lease: subject.lease,
      rollback: subject.rollback,
      leaseExpires: expiryOf(subject, plan, leaseExpiry(ports.clock.now(), leaseDurationOf(guardrails))),
    },
    // A revert, the end of a lease and a rollback are not what the opinions are about.
    ...(subject.failed === undefined && subject.lease === undefined && subject.rollback === undefined
      ? { secondWitness: subject.secondWitness }
      : {}),
    precedents: subject.precedents,
  };
  const { branch, inHouse } = await wordingOf(subject, plan, { ...ports, guardrails });
  const carried = await filesBeside(subject, plan, ports);
  const waitsFor = selfMergeLacks.length === 0 ? ["the required checks"] : ["an approval of this exact change"];
  return {
    incident: incident.uid,
    branch,
    baseSha,
    title: renderTitle(body, inHouse),
    body: renderBody(body),
    labels: [ownLabel, `risk/${risk.level}`, ...(subject.lease === undefined ? [] : ["lease"]), ...revertLabels(plan)],
    ...(remediation.change.kind === "commit" ? { takesBack: remediation.change.sha } : {}),
    ...afterOf(subject),
    commitMessage: renderCommitMessage(body, inHouse),
    files: [...files.map(({ path, after }) => ({ path, content: after })), ...carried],
    effect: effect.hash,
    head: renderHead(body),
    report: renderReport({ state: "waiting", waitsFor, head: renderHead(body) }),
    check: checkFor(body, gated.conclusion),
    ...(guardrails.ok ? { asks: guardrails.value.notify } : {}),
  };
}

// So far back the history shows how subjects are written.
const historyMs = 90 * 24 * 3_600_000;

/** The branch, and the way in which the repository writes titles. A new plan of an open proposal keeps its branch. */
async function wordingOf(
  { incident, branch }: ChangeRequest,
  { remediation }: Plan,
  { github, clock, guardrails }: Pick<Ports, "github" | "clock"> & { readonly guardrails: LoadedGuardrails },
) {
  const rules: WordingRules = guardrails.ok ? guardrails.value : { branchPrefix: "rectify/" };
  const history = await github.commitsSince(new Date(clock.now().getTime() - historyMs));
  const subjects = history.flatMap(({ subject }) => subject ?? []);
  return {
    branch: branch ?? branchOf(remediation.workload, incident.cluster, rules),
    inHouse: (title: string) => titleAs(title, rules, subjects),
  };
}

function revertLabels({ remediation }: Plan): string[] {
  return remediation.change.kind === "commit" ? [revertLabel] : [];
}

/** An older pull request of this incident is not taken for the one that is to be opened. */
function afterOf({ lease, rollback }: ChangeRequest): Pick<ProposalDraft, "after"> {
  const after = lease?.latestPull ?? rollback?.latestPull;
  return after === undefined ? {} : { after };
}

/** The post-mortem of this incident, those that were completed since, and the ledger that counts them all. */
async function filesBeside(
  subject: ChangeRequest,
  plan: Plan,
  { github, records: onRecord, sealKey, clock }: Pick<Ports, "github" | "records" | "sealKey" | "clock">,
): Promise<readonly { path: string; content: string }[]> {
  const { incident, evidence } = subject;
  const path = postMortemPath(incident);
  const pending = await onRecord.pendingFiles(incident.uid);
  // A lease and a rollback follow an incident whose post-mortem is complete: it is among the pending ones, or in Git already.
  const outcome = subject.failed ?? { cause: subject.cause, remediation: plan.remediation, effect: plan.effect };
  const own = () => postMortemOf({ incident, outcome, evidence, now: clock.now().toISOString() });
  const records =
    subject.lease === undefined && subject.rollback === undefined
      ? [{ path, content: renderSealed(own(), sealKey) }, ...pending.filter((file) => file.path !== path)]
      : pending;
  const counted = sealedAmong(
    records.map(({ content }) => content),
    sealKey,
  );
  const ledger = ledgerWith(await github.at(plan.baseSha), counted);
  return ledger === undefined ? records : [...records, ledger];
}

/** When the lease of a scale-up will expire: it is written into the commit. */
function expiryOf({ lease, failed }: ChangeRequest, { remediation }: Plan, expires: string): string | undefined {
  return lease === undefined && failed === undefined && remediation.kind === "scale" ? expires : undefined;
}

/** Opens the one pull request of this change, or updates the one that an earlier try opened. */
export async function propose(
  draft: ProposalDraft,
  ports: Pick<Ports, "github" | "records" | "telemetry" | "clock" | "notifier">,
  { incident, change }: { readonly incident: Incident; readonly change: ToldChange },
): Promise<Proposal> {
  const proposal = await ports.github.publish(draft);
  await ports.records.recordPull(proposal.number, draft.incident);
  ports.telemetry.log(draft.incident, "propose", `#${proposal.number} ${draft.title} (${proposal.url})`);
  await tellPeople({ kind: "proposed", incident, text: draft.title, pull: proposal }, change, ports);
  return { ...proposal, openedAt: ports.clock.now().toISOString() };
}

function linksFor({ incident, evidence }: ChangeRequest, places: Ports["places"], guardrails: LoadedGuardrails) {
  const hosts = guardrails.ok ? guardrails.value.linkHosts : [];
  return allowedLinks({ incident, evidence }, places ?? {}, hosts);
}

/** The Check Run says the decision, and leads to the incident where that address is allowed. */
function checkFor(body: ProposalBody, conclusion: Gated["conclusion"]): CheckVerdict {
  const { risk, policy, selfMergeLacks, links = [] } = body;
  const details = links.find(({ name }) => name === "incident")?.url;
  return {
    ...{ conclusion, title: decisionTitle(risk, selfMergeLacks), summary: policy },
    ...(details === undefined ? {} : { details }),
  };
}

/** What this change reverts because it did not help. */
function failedIn({ failed }: ChangeRequest): FailedChange | undefined {
  if (failed?.proposal === undefined) return undefined;
  const { proposal, because, verification } = failed;
  return { pull: proposal.number, because, ...verification?.measured };
}

/** What the alert measures, as a chart with the line that it crossed. */
function chartOf({ incident, evidence, limit }: ChangeRequest): string | undefined {
  const item = evidence.find(({ key }) => key === "alert-metric");
  const series = item?.finding.kind === "series" ? item.finding.series[0] : undefined;
  if (item?.finding.kind !== "series" || series === undefined) return undefined;
  return renderChart({ title: metricTitle({ incident, evidence }), unit: item.finding.unit, series, limit });
}
