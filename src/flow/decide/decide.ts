import { alikeTo, firing } from "../../domain/incident/firing.ts";
import { activeAlerts } from "../collect/concerns/active-alerts.ts";
import { areResolved } from "../../domain/incident/alert.ts";
import { ruleOf } from "../../domain/guardrails/approval.ts";
import { type Decision, decisionFor, loadIsBack, withoutVoided } from "../../domain/proposal/decision.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { approvalWord, type MergeAnswer, type Proposal } from "../../domain/proposal/pull-request.ts";
import { trustedChecks } from "../../domain/guardrails/required-check.ts";
import { codeOwnersOf } from "../../domain/proposal/body/code-owners.ts";
import { approversText, renderReport } from "../../domain/proposal/body/sticky.ts";
import { flappingOf } from "../../domain/gate/risk.ts";
import { autoMergeLacksNow } from "../../domain/guardrails/auto-merge.ts";
import { isWatching } from "../../domain/guardrails/watchtower.ts";
import type { Run } from "../../ports/workflow.ts";
import { Shut } from "../../ports/errors.ts";
import type { Ports } from "../../ports/ports.ts";
import { runNewCommands } from "./new-commands.ts";
import { closeProposal, isShadowed } from "./close-proposal.ts";
import type { CommandLog, Pending } from "./pending.ts";
import { firesFor } from "./lease-review.ts";
import { guardrailsOf, type LoadedGuardrails, loadGuardrails } from "../collect/load-guardrails.ts";
import {
  type Look,
  newsOf,
  nextReview,
  restsAfterRefusal,
  type Review,
  reviewAtFirst,
  type ReviewEvent,
  type Told,
  waitOf,
} from "./review.ts";

export type ReviewOutcome =
  | Extract<Decision, { kind: "merged" | "close" }>
  /** Plan anew: for a number that `by` asked for, for a base that moved, or because a person said so. */
  | {
      readonly kind: "replan";
      readonly by: string;
      readonly replicas: number | undefined;
      /** The whole commit is to be reverted. */
      readonly whole?: boolean;
      readonly commandLog: CommandLog;
    };

/** An open issue with this label stops every merge. */
const freezeLabel = "rectify-freeze";
/** Waits, durably, for checks, commands, approvals and the alert itself; merges or closes. */
export async function decide(pending: Pending, run: Run): Promise<ReviewOutcome> {
  const { proposal, earlier } = pending;
  const { effect, headSha, branch } = proposal;
  const begun = await run.step("begin to decide", async (ports) => ports.clock.now().getTime());
  const rules = { pollMs: run.timings.pollMs, lingerMs: run.timings.lingerMs, branch };
  const listened = new Set(earlier?.listened);
  let review = reviewAtFirst(pending);
  const happens = (event: ReviewEvent) => {
    review = nextReview(review, event, rules);
  };
  const commandLog = (): CommandLog => ({ listened: [...listened], standing: review.standing, effect, headSha });
  for (let count = 1; ; count += 1) {
    // What was written before this effect was there to be seen cannot mean it.
    const seen = count === 1 ? (earlier ?? proposal) : proposal;
    const { standing, reactAfter } = review;
    const round = await runNewCommands({ pending, standing, listened, seen, reactAfter }, run);
    happens({ kind: "commands", standing: round.standing });
    if (round.again) return { kind: "replan", ...round.again, commandLog: commandLog() };
    const before = review;
    const look = await run.step("decide", (ports) => judge(pending, before, begun, ports));
    const { decision } = look;
    happens({ kind: "looked", look, idle: round.idle });
    if (mayRebase(decision, pending)) return { kind: "replan", by: "", replicas: undefined, commandLog: commandLog() };
    const acts = decision.kind !== "wait" && !restsAfterRefusal(review, decision);
    const settled = acts ? await carryOut(pending, decision, run) : undefined;
    if (settled && settled.kind !== "not-yet") return settled;
    if (acts && settled?.overtaken !== true) happens({ kind: "refused" });
    const news = newsOf(review, waitingFor(decision, settled, review.told.waitsFor), rules);
    const approvedBy = decision.kind === "wait" || decision.kind === "merge" ? decision.approvedBy : undefined;
    if (news) await run.step("report", (ports) => report(proposal, { ...news, approvedBy }, ports));
    if (news) happens({ kind: "told", told: news });
    happens({ kind: "waits" });
    happens({ kind: "woken", message: await run.message(waitOf(review, rules)) });
  }
}

/** What GitHub itself misses is told in its words: only it knows the rules of the branch to the end. */
function waitingFor(decision: Decision, settled: NotYet | undefined, before: readonly string[]): readonly string[] {
  if (decision.kind === "wait") return decision.for;
  return settled === undefined ? before : [`GitHub to accept the merge (${settled.because})`];
}

interface NotYet {
  readonly kind: "not-yet";
  readonly because: string;
  /** Nothing stands in the way any more. */
  readonly overtaken?: boolean;
}

function mayRebase(decision: Decision, { canReplan, rebaseRefused }: Pending): boolean {
  return decision.kind === "wait" && decision.moved === true && canReplan && rebaseRefused !== true;
}

async function judge(pending: Pending, before: Review, begun: number, ports: Ports): Promise<Look> {
  const { resolvedAt } = before;
  const alertFiring = pending.closesWhenResolved ? await isFiring(pending.incident, ports) : undefined;
  const needed = pending.lease !== undefined && (await firesFor(pending.lease, ports)) === true;
  const { github } = ports;
  const [seen, { tree }, freezes] = await Promise.all([
    github.look(pending.proposal),
    github.head(),
    github.openIssuesWithLabel(freezeLabel),
  ]);
  const standing = withoutVoided(before.standing, before.place, seen.place, pending.proposal.branch);
  const guardrails = loadGuardrails(tree);
  const requiredChecks = trustedChecks(seen.requiredChecks, guardrails.ok ? guardrails.value : { requiredChecks: [] });
  const proposal = { ...seen, requiredChecks };
  const watchtower = ports.watchtower?.state();
  const watching = watchtower !== undefined && isWatching(watchtower);
  const { severity } = pending.incident;
  const now = ports.clock.now();
  const at = now.getTime();
  const resolved = alertFiring === false ? (resolvedAt ?? at) : undefined;
  const closesAt = resolved === undefined ? undefined : resolved + ports.timings.lingerMs;
  const lacksNow = guardrails.ok
    ? autoMergeLacksNow({ guardrails: guardrails.value, requiredChecks, severity, watching, now })
    : [];
  const ofAlert = await alertLacks(pending, alertFiring, { now, ports });
  const decision = decisionFor({
    effect: pending.proposal.effect,
    headSha: pending.proposal.headSha,
    branch: pending.proposal.branch,
    proposal,
    standing,
    alertFiring,
    closesAt: closesAt === undefined || at >= closesAt ? undefined : new Date(closesAt).toISOString(),
    overtaken: needed ? loadIsBack : undefined,
    shadowed: guardrails.ok && isShadowed(pending, guardrails.value),
    selfMergeLacks: [...new Set([...pending.selfMergeLacks, ...lacksNow, ...ofAlert])],
    approvalsNeeded: guardrails.ok ? ruleOf(approvalWord(pending.proposal), guardrails.value).count : 1,
    stopped: stopOf(guardrails, freezes),
    overdue: at - begun > ports.timings.decideTimeoutMs,
  });
  // What is not to be merged now must not be merged by the queue either.
  if (decision.kind === "wait" && decision.queued !== true && seen.queued !== undefined) {
    await github.leaveQueue(pending.proposal);
  }
  return { decision, at, resolvedAt: resolved, place: seen.place };
}

/** What stands against a merge without a person as the alert is now. Where nobody knows whether it fires, a person says. */
async function alertLacks(
  { incident, closesWhenResolved }: Pending,
  alertFiring: boolean | undefined,
  { now, ports }: { readonly now: Date; readonly ports: Pick<Ports, "records"> },
): Promise<readonly string[]> {
  const swings = flappingOf(await firingsOf(incident, now, ports));
  const isUnsure = closesWhenResolved && alertFiring === undefined;
  return [
    ...(isUnsure ? ["nobody knows whether the alert still fires"] : []),
    ...(swings === undefined ? [] : [swings]),
  ];
}

/** How often the alert began to fire within the hour. */
function firingsOf({ alert }: Incident, now: Date, { records }: Pick<Ports, "records">): Promise<number> {
  return records.firingsSince(alert.fingerprint, new Date(now.getTime() - 3_600_000).toISOString());
}

function stopOf(guardrails: LoadedGuardrails, freezes: readonly number[]): string | undefined {
  if (!guardrails.ok) return `valid guardrails: ${guardrails.problems[0] ?? ""}`;
  if (freezes.length > 0) return `the end of the freeze: ${freezes.map((number) => `#${number}`).join(", ")} is open`;
  return guardrails.value.freeze ? "the end of the freeze (guardrails)" : undefined;
}

const shadowStop = "the end of shadow mode for this class (guardrails: mode)";

/**
 * Undefined when nobody knows: then nothing is closed. What Alertmanager does not know may be lost in a restart: only
 * alerts that were seen to resolve are over.
 */
async function isFiring(
  { uid, workload }: Incident,
  ports: Pick<Ports, "alerts" | "concerns" | "records">,
): Promise<boolean | undefined> {
  const own = await ports.records.alertsOf(uid);
  if (firing({ workload, alerts: own }, await activeAlerts(ports, alikeTo(own))) === true) return true;
  return areResolved(own) ? false : undefined;
}

/** `not-yet` = GitHub refuses for now, and the waiting goes on. */
async function carryOut(
  pending: Pending,
  decision: Exclude<Decision, { kind: "wait" }>,
  run: Run,
): Promise<Extract<ReviewOutcome, { kind: "merged" | "close" }> | NotYet> {
  if (decision.kind === "merged") return decision;
  if (decision.kind === "close") {
    // Nothing is on record of what an older version closed.
    const closed = await run.step("close", (ports) => closeProposal(pending, decision, ports));
    if (closed?.kind === "shut") return { kind: "not-yet", because: closed.because };
    return closed === undefined ? decision : { ...decision, because: closed.because };
  }
  const answer = await run.step("merge", (ports) => merge(pending, decision.approvedBy, ports));
  if (answer.kind === "merged") return { kind: "merged", sha: answer.sha, because: decision.because };
  return { kind: "not-yet", because: answer.because, overtaken: answer.kind === "overtaken" };
}

async function merge(
  pending: Pending,
  approvedBy: readonly string[],
  { github }: Pick<Ports, "github">,
): Promise<MergeAnswer> {
  const guardrails = await guardrailsOf({ github });
  if (!guardrails.ok) return { kind: "not-yet", because: guardrails.because };
  if (isShadowed(pending, guardrails.value)) return { kind: "not-yet", because: shadowStop };
  try {
    return await github.merge(pending.proposal, approvedBy, guardrails.value.mergeMethods);
  } catch (error) {
    // Switched to shadow mode between the look and the merge: the next look withdraws it.
    if (error instanceof Shut) return { kind: "not-yet", because: error.message };
    throw error;
  }
}

async function report(
  proposal: Proposal,
  state: Pick<Told, "waitsFor" | "refusal"> & { readonly approvedBy: readonly string[] | undefined },
  ports: Pick<Ports, "github">,
): Promise<void> {
  const { tree } = await ports.github.head();
  const guardrails = loadGuardrails(tree);
  const owners = codeOwnersOf(tree, proposal.files);
  const approvers = guardrails.ok ? approversText(ruleOf(approvalWord(proposal), guardrails.value), owners) : undefined;
  const { head } = proposal;
  await ports.github.report(proposal, renderReport({ state: "waiting", ...state, head, approvers }));
}
