import { type Decision, decisionFor, type Standing } from "../domain/decision.ts";
import type { Incident } from "../domain/incident.ts";
import { parseCommands } from "../domain/command.ts";
import { bodyHashOf } from "../domain/people.ts";
import type { Proposal } from "../domain/pull-request.ts";
import { trustedChecks } from "../domain/required-check.ts";
import { renderReport } from "../domain/proposal-text.ts";
import { isWatching } from "../domain/watchtower.ts";
import type { Message, Ports, Run } from "../ports.ts";
import { hear, type Heard } from "./hear.ts";
import { type LoadedGuardrails, loadGuardrails } from "./load-guardrails.ts";
import { pauseAfter } from "./pause-after.ts";

/** What is being decided, and what a merge without a person still lacks. */
export interface Pending {
  readonly incident: Incident;
  readonly proposal: Proposal;
  readonly selfMergeLacks: readonly string[];
  /** Who asked for exactly this number: their words count as approval of the effect that came of it. */
  readonly approvedBy: string | undefined;
  /** A remedy is pointless once the alert is gone; a revert is not. */
  readonly closesWhenResolved: boolean;
  readonly canReplan: boolean;
  /** The change cannot be planned on the base that moved: only a person's number is planned anew. */
  readonly rebaseRefused?: boolean;
  /** What was heard before the change was planned anew; absent at first. */
  readonly earlier?: Hearings | undefined;
}

/** What people said so far, and the comments in which they said it: each is heard once. */
export interface Hearings {
  readonly listened: readonly number[];
  readonly standing: Standing;
  /** The effect that they saw. */
  readonly effect: string;
}

export type Decided =
  | Extract<Decision, { kind: "merged" | "close" }>
  /** Plan anew: for a number that `by` asked for, or for a base that moved. */
  | {
      readonly kind: "replan";
      readonly by: string;
      readonly replicas: number | undefined;
      readonly hearings: Hearings;
    };

/** An open issue with this label stops every merge. */
const freezeLabel = "rectify-freeze";
// A merge that GitHub refused is a state: without news it is asked for again this much later.
const mergePauseMs = 15 * 60_000;

/** Waits, durably, for checks, commands, approvals and the alert itself; merges or closes. */
export async function decide(pending: Pending, run: Run): Promise<Decided> {
  const { incident, proposal, earlier } = pending;
  const begun = await run.step("begin to decide", async (ports) => ports.clock.now().getTime());
  let standing = standingAtFirst(pending);
  const listened = new Set(earlier?.listened);
  // What was written before this effect was there to be seen cannot mean it.
  const seenAtFirst = earlier?.effect ?? proposal.effect;
  const hearings = (): Hearings => ({ listened: [...listened], standing, effect: proposal.effect });
  let told = "";
  let refusedAt = Number.NEGATIVE_INFINITY;
  let message: Message | undefined;
  let pauseMs = 0;
  for (let look = 1; ; look += 1) {
    const commands = await run.step("listen", (ports) => listen(proposal, [...listened], ports));
    for (const command of commands) {
      listened.add(command.comment);
      const heard = await run.step("hear", (ports) => hear(command, { incident: incident.uid, proposal }, ports));
      const about = { seen: look === 1 ? seenAtFirst : proposal.effect, now: proposal.effect };
      standing = heard.reduce((before, item) => withHeard(before, item, about), standing);
      const asked = heard.find(isNumber);
      if (asked && pending.canReplan) {
        return { kind: "replan", by: asked.by, replicas: asked.replicas, hearings: hearings() };
      }
    }
    const { decision, at } = await run.step("decide", (ports) => judge(pending, standing, begun, ports));
    if (mayRebase(decision, pending)) {
      return { kind: "replan", by: "", replicas: undefined, hearings: hearings() };
    }
    const acts = decision.kind !== "wait" && !pauses(decision, message, at - refusedAt);
    const settled = acts ? await carryOut(pending, decision, run) : undefined;
    if (settled) return settled;
    if (acts) refusedAt = at;
    const waitsFor = decision.kind === "wait" ? decision.for : ["GitHub to accept the merge"];
    if (waitsFor.length > 0 && `${waitsFor.join()}${standing.refusal}` !== told) {
      told = `${waitsFor.join()}${standing.refusal}`;
      const { refusal } = standing;
      await run.step("report", (ports) => report(proposal, { waitsFor, refusal }, ports));
    }
    pauseMs = pauseAfter(pauseMs, message, run.tempo.pollMs);
    message = await run.message(pauseMs);
  }
}

type CommandMessage = Extract<Message, { kind: "command" }>;

/**
 * The commands on the proposal that were not heard yet. The comments themselves are read, not the webhooks: one that was
 * lost, or came before the proposal was on record, is found all the same.
 */
async function listen(
  proposal: Proposal,
  heard: readonly number[],
  ports: Pick<Ports, "people">,
): Promise<readonly CommandMessage[]> {
  const comments = await ports.people.commentsOn(proposal);
  return comments
    .filter((comment) => comment.byPerson && !comment.edited && !heard.includes(comment.id))
    .filter((comment) => parseCommands(comment.body).length > 0)
    .map(({ id, body }) => ({ kind: "command", comment: id, bodyHash: bodyHashOf(body) }));
}

function pauses(decision: Decision, message: Message | undefined, sinceRefusalMs: number): boolean {
  return decision.kind === "merge" && message === undefined && sinceRefusalMs < mergePauseMs;
}

function isNumber(heard: Heard): heard is Extract<Heard, { kind: "approve" }> {
  return heard.kind === "approve" && heard.replicas !== undefined;
}

function mayRebase(decision: Decision, { canReplan, rebaseRefused }: Pending): boolean {
  return decision.kind === "wait" && decision.moved === true && canReplan && rebaseRefused !== true;
}

/** Approvals of another effect stay on record; they just do not count for this one. */
function standingAtFirst({ earlier, approvedBy, proposal }: Pending): Standing {
  const before = earlier?.standing ?? { approvals: [], rejectedBy: undefined, held: false, refusal: "" };
  if (approvedBy === undefined) return before;
  return { ...before, approvals: [...before.approvals, { by: approvedBy, effect: proposal.effect }], refusal: "" };
}

function withHeard(
  standing: Standing,
  heard: Heard,
  effect: { readonly seen: string; readonly now: string },
): Standing {
  switch (heard.kind) {
    case "approve":
      // A number that can no longer be planned approves nothing: it is not this effect that was asked for.
      if (heard.replicas !== undefined) return standing;
      return {
        ...standing,
        approvals: [...standing.approvals, { by: heard.by, effect: effect.seen }],
        refusal: effect.seen === effect.now ? standing.refusal : "the change is another one now: look at it again",
      };
    case "reject":
      return { ...standing, rejectedBy: heard.by };
    case "hold":
      return { ...standing, held: true };
    case "resume":
      return { ...standing, held: false };
    case "nothing":
    case "explain":
      return { ...standing, refusal: heard.because };
    default:
      return standing;
  }
}

/** The verdict of one look, and when it was taken. */
interface Look {
  readonly decision: Decision;
  readonly at: number;
}

async function judge(pending: Pending, standing: Standing, begun: number, ports: Ports): Promise<Look> {
  const alertFiring = pending.closesWhenResolved ? await isFiring(pending.incident, ports) : undefined;
  const { github } = ports;
  const [seen, { tree }, freezes] = await Promise.all([
    github.look(pending.proposal),
    github.head(),
    github.openIssuesWithLabel(freezeLabel),
  ]);
  const guardrails = loadGuardrails(tree);
  const requiredChecks = trustedChecks(seen.requiredChecks, guardrails.ok ? guardrails.value : { requiredChecks: [] });
  const proposal = { ...seen, requiredChecks };
  const watchtower = ports.watchtower?.state();
  const at = ports.clock.now().getTime();
  const decision = decisionFor({
    effect: pending.proposal.effect,
    headSha: pending.proposal.headSha,
    proposal,
    standing,
    alertFiring,
    selfMergeLacks: [
      ...pending.selfMergeLacks,
      ...(watchtower && isWatching(watchtower) ? ["Watchtower mode: nothing merges by itself"] : []),
      ...(proposal.requiredChecks.length === 0 ? ["the branch requires no check"] : []),
    ],
    approvalsNeeded: guardrails.ok ? (guardrails.value.approvers["approve-scale"]?.count ?? 1) : 1,
    stopped: stopOf(guardrails, freezes),
    overdue: at - begun > ports.tempo.decideTimeoutMs,
  });
  return { decision, at };
}

function stopOf(guardrails: LoadedGuardrails, freezes: readonly number[]): string | undefined {
  if (!guardrails.ok) return `valid guardrails: ${guardrails.problems[0] ?? ""}`;
  if (freezes.length > 0) return `the end of the freeze: ${freezes.map((number) => `#${number}`).join(", ")} is open`;
  return guardrails.value.freeze ? "the end of the freeze (guardrails)" : undefined;
}

/** Undefined when Alertmanager gives no answer: then nothing is closed. */
async function isFiring(incident: Incident, ports: Pick<Ports, "alerts" | "journal">): Promise<boolean | undefined> {
  const own = await ports.journal.alertsOf(incident.uid);
  if (own.length > 0 && own.every((alert) => alert.status === "resolved")) return false;
  const active = await ports.alerts.active().catch(() => undefined);
  if (active === undefined) return undefined;
  const firing = new Set(active.map((alert) => alert.fingerprint));
  return own.some((alert) => firing.has(alert.fingerprint)) || undefined;
}

/** Undefined = GitHub says not yet, and the waiting goes on. */
async function carryOut(
  pending: Pending,
  decision: Exclude<Decision, { kind: "wait" }>,
  run: Run,
): Promise<Decided | undefined> {
  if (decision.kind === "merged") return decision;
  if (decision.kind === "close") {
    await run.step("close", async (ports) => {
      await ports.github.report(pending.proposal, renderReport({ state: "closed", because: decision.because }));
      await ports.github.close(pending.proposal);
    });
    return decision;
  }
  const answer = await run.step("merge", (ports) => ports.github.merge(pending.proposal));
  return answer.kind === "merged" ? { kind: "merged", sha: answer.sha, because: decision.because } : undefined;
}

async function report(
  proposal: Proposal,
  state: { readonly waitsFor: readonly string[]; readonly refusal: string },
  ports: Pick<Ports, "github">,
): Promise<void> {
  await ports.github.report(proposal, renderReport({ state: "waiting", ...state }));
}
