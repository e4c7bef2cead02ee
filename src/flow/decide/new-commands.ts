import { staleness } from "../../domain/guardrails/approval.ts";
import { parseCommands } from "../../domain/guardrails/command.ts";
import type { ReviewState } from "../../domain/proposal/decision.ts";
import { bodyHashOf } from "../../domain/guardrails/commenter.ts";
import type { Proposal } from "../../domain/proposal/pull-request.ts";
import type { Message, Run } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";
import { guardrailsOf } from "../collect/load-guardrails.ts";
import { isShadowed } from "./close-proposal.ts";
import type { Pending } from "./pending.ts";
import { isForUs, runCommand, type CommandOutcome } from "./run-command.ts";

type Seen = Pick<Proposal, "effect" | "headSha">;

interface Round {
  readonly pending: Pending;
  readonly standing: ReviewState;
  /** Grows by what is run now. */
  readonly listened: Set<number>;
  /** What was there to be seen when it was written. */
  readonly seen: Seen;
  /** Before this moment (Unix milliseconds) what changes nothing gets no reaction. */
  readonly reactAfter: number;
}

interface CommandRound {
  readonly standing: ReviewState;
  /** Something was run that changed nothing. */
  readonly idle: boolean;
  /** The change is to be planned anew, with the number that `by` asked for. */
  readonly again?: { readonly by: string; readonly replicas: number | undefined; readonly whole?: boolean };
}

/** Runs what was written since, each comment once. */
export async function runNewCommands(
  { pending, listened, seen, reactAfter, ...before }: Round,
  run: Run,
): Promise<CommandRound> {
  const { incident, proposal, cause, canReplan } = pending;
  let { standing } = before;
  let idle = false;
  const commands = await run.step("listen", (ports) => listen(pending, [...listened], ports));
  for (const command of commands) {
    listened.add(command.comment);
    // Of a flood only the first gets an answer.
    const silentUntil = idle ? Number.POSITIVE_INFINITY : reactAfter;
    const about = { incident: incident.uid, proposal, cause, reactAfter: silentUntil };
    const outcomes: readonly CommandOutcome[] = await run.step("hear", (ports) => runCommand(command, about, ports));
    standing = outcomes.reduce((so, item) => withOutcome(so, item, { seen, now: proposal }), standing);
    idle ||= outcomes.some(({ kind }) => kind === "nothing" || kind === "explain");
    const asked = outcomes.find(asksForPlan);
    if (!asked || !canReplan) continue;
    const replicas = asked.kind === "approve" ? asked.replicas : undefined;
    const whole = asked.kind === "approve" && asked.whole === true;
    const by = replicas === undefined && !whole ? "" : asked.by;
    return { standing, idle, again: { by, replicas, ...(whole ? { whole } : {}) } };
  }
  return { standing, idle };
}

type CommandMessage = Extract<Message, { kind: "command" }>;

/**
 * The commands on the proposal that were not run yet. The comments themselves are read, not the webhooks: one that was
 * lost, or came before the proposal was on record, is found all the same. In shadow mode nobody is answered: what is open
 * is withdrawn.
 */
async function listen(
  pending: Pending,
  listened: readonly number[],
  ports: Pick<Ports, "people" | "github">,
): Promise<readonly CommandMessage[]> {
  const comments = await ports.people.commentsOn(pending.proposal);
  if (comments.length === 0) return [];
  const guardrails = await guardrailsOf(ports);
  if (guardrails.ok && isShadowed(pending, guardrails.value)) return [];
  return comments
    .filter((comment) => comment.byPerson && !listened.includes(comment.id))
    .filter((comment) => parseCommands(comment.body).some(isForUs))
    .map(({ id, body }) => ({ kind: "command", comment: id, bodyHash: bodyHashOf(body) }));
}

function asksForPlan(outcome: CommandOutcome): outcome is Extract<CommandOutcome, { kind: "approve" | "retry" }> {
  return outcome.kind === "retry" || (outcome.kind === "approve" && isForAnother(outcome));
}

/** A number, or the whole commit: what is approved has to be planned first. */
function isForAnother({ replicas, whole }: Extract<CommandOutcome, { kind: "approve" }>): boolean {
  return replicas !== undefined || whole === true;
}

function withOutcome(
  standing: ReviewState,
  outcome: CommandOutcome,
  effect: { readonly seen: Seen; readonly now: Seen },
): ReviewState {
  switch (outcome.kind) {
    case "approve":
      // A number that can no longer be planned approves nothing: it is not this effect that was asked for.
      if (isForAnother(outcome)) return standing;
      return {
        ...standing,
        approvals: [...standing.approvals, { by: outcome.by, effect: effect.seen.effect }],
        refusal: staleness(effect.seen, effect.now) ?? standing.refusal,
      };
    case "reject":
      return { ...standing, rejectedBy: outcome.by };
    case "hold":
      return { ...standing, held: true };
    case "resume":
      return { ...standing, held: false };
    case "retry":
      return { ...standing, refusal: "the change was planned anew too often: /reject it, or merge it by hand" };
    case "nothing":
    case "explain":
      return { ...standing, refusal: outcome.because };
    default:
      return standing;
  }
}
