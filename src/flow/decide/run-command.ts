import {
  type Command,
  type RuledWord,
  parseCommands,
  renderHelp,
  replicasProblem,
} from "../../domain/guardrails/command.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { Comment } from "../../domain/guardrails/commenter.ts";
import { approvalWord, type Proposal } from "../../domain/proposal/pull-request.ts";
import type { Message } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";
import { acknowledge, authorize, commentUntold, liveComment } from "./authorize.ts";
import { withdrawalKind } from "./withdrawal-command.ts";
import { guardrailsOf } from "../collect/load-guardrails.ts";

/** What one command means for the decision. */
export type CommandOutcome =
  | { readonly kind: "approve"; readonly by: string; readonly replicas?: number; readonly whole?: true }
  | { readonly kind: "reject" | "hold" | "resume" | "retry"; readonly by: string }
  | { readonly kind: "explain"; readonly because: string }
  | { readonly kind: "nothing"; readonly because: string };

type Asked = Pick<Ports, "people" | "github" | "records" | "telemetry" | "clock">;

interface About {
  readonly incident: string;
  readonly proposal: Proposal;
  readonly cause?: string | undefined;
  /** Before this moment (Unix milliseconds) what changes nothing gets no reaction. */
  readonly reactAfter: number;
}

/**
 * Runs what one comment says, by a person who may say it now. The answer is a reaction and, for what was not understood
 * or not allowed, the reason in the sticky comment.
 */
export async function runCommand(
  message: Extract<Message, { kind: "command" }>,
  about: About,
  ports: Asked,
): Promise<readonly CommandOutcome[]> {
  const { incident, proposal } = about;
  const live = await liveComment(message, { incident, pull: proposal.number }, ports);
  if (live === undefined) return [];
  const answers = ports.clock.now().getTime() >= about.reactAfter;
  if (live.kind === "untold") {
    if (answers) await acknowledge(message.comment, { allowed: false, incident }, ports);
    return [{ kind: "nothing", because: commentUntold }];
  }
  const { comment, late } = live;
  const commands = parseCommands(comment.body).filter(isForUs);
  if (commands.length === 0) return [];
  const guardrails = await guardrailsOf(ports);
  const stopped = late ?? (guardrails.ok ? undefined : guardrails.because);

  const outcomes: CommandOutcome[] = [];
  for (const command of commands) {
    if (stopped !== undefined || !guardrails.ok) outcomes.push({ kind: "nothing", because: stopped ?? "" });
    else outcomes.push(await weigh(command, { comment, about, guardrails: guardrails.value }, ports));
  }
  const acts = outcomes.some(({ kind }) => kind !== "nothing" && kind !== "explain");
  const understood = outcomes.every(({ kind }) => kind !== "nothing");
  if (acts || answers) {
    await acknowledge(comment.id, { allowed: understood, incident }, ports);
  }
  const said = commands.map((command) => command.kind).join(", ");
  ports.telemetry.log(incident, "decide", `${comment.author} said ${said}: ${outcomes.map(outcomeOf).join("; ")}`);
  return outcomes;
}

function outcomeOf(outcome: CommandOutcome): string {
  return outcome.kind === "nothing" ? `refused, ${outcome.because}` : "accepted";
}

/** A slash word that is far from ours belongs to another bot: it gets no answer at all. */
export function isForUs(command: Command): boolean {
  return command.kind !== "unknown" || command.didYouMean !== undefined;
}

interface Said {
  readonly comment: Comment;
  readonly about: About;
  readonly guardrails: Guardrails;
}

async function weigh(command: Command, said: Said, ports: Asked): Promise<CommandOutcome> {
  switch (command.kind) {
    case "approve":
      return approve({ word: approvalWord(said.about.proposal) }, said, ports);
    case "approve-scale":
      return approve({ word: command.kind, replicas: command.replicas }, said, ports);
    case "approve-revert":
      return approve({ word: command.kind, whole: command.all || undefined }, said, ports);
    case "reject":
    case "hold":
    case "resume":
    case "retry":
      return ifAuthorized(command.kind, said, ports, { kind: command.kind, by: said.comment.author });
    case "dispute":
    case "forget":
      return withdrawal(command.kind, said, ports);
    case "invalid":
      return { kind: "nothing", because: `/${command.word} ${command.problem}` };
    case "unknown":
      return { kind: "nothing", because: `unknown command: did you mean /${command.didYouMean ?? "help"}?` };
    case "help":
      return { kind: "explain", because: renderHelp() };
    case "explain":
      return { kind: "explain", because: explanationOf(said.about) };
    case "rollback":
      return { kind: "nothing", because: "nothing is merged that could be rolled back: /reject closes this proposal" };
    default:
      return { kind: "nothing", because: `/${command.kind} has no meaning for a proposal that waits for its merge` };
  }
}

function explanationOf({ cause, incident, proposal }: About): string {
  const why = cause === undefined ? "" : `${cause} `;
  return `${why}The description above holds evidence, arithmetic and risk of effect ${proposal.effect.slice(0, 12)}; rectify explain ${incident} prints all of it`;
}

/** For good, and whatever becomes of the proposal. */
async function withdrawal(word: "dispute" | "forget", said: Said, ports: Asked): Promise<CommandOutcome> {
  const kind = withdrawalKind[word];
  const by = said.comment.author;
  const because = `this incident is ${kind} by ${by} and will be no precedent`;
  const outcome = await ifAuthorized(word, said, ports, { kind: "explain", because });
  if (outcome.kind !== "explain") return outcome;
  await ports.records.withdraw(said.about.incident, { kind, by, at: ports.clock.now().toISOString() });
  return outcome;
}

interface Approving {
  readonly word: "approve-scale" | "approve-revert";
  readonly replicas?: number | undefined;
  readonly whole?: true | undefined;
}

/** Only by the command that names what is proposed, which may ask for more than another: its title and label are ours. */
async function approve({ word, replicas, whole }: Approving, said: Said, ports: Asked): Promise<CommandOutcome> {
  if (word !== approvalWord(said.about.proposal)) {
    const not = word === "approve-scale" ? "this proposal reverts a commit" : "this proposal reverts no commit";
    return { kind: "nothing", because: `${not}: /approve approves it` };
  }
  const problem = replicas === undefined ? undefined : replicasProblem(replicas, said.guardrails);
  if (problem !== undefined) return { kind: "nothing", because: problem };
  return ifAuthorized(word, said, ports, {
    ...{ kind: "approve", by: said.comment.author },
    ...(replicas === undefined ? {} : { replicas }),
    ...(whole ? { whole } : {}),
  });
}

/** The outcome, if the writer may say it under this proposal. */
async function ifAuthorized(
  word: RuledWord,
  { comment, about, guardrails }: Said,
  ports: Asked,
  outcome: CommandOutcome,
): Promise<CommandOutcome> {
  const { incident, proposal } = about;
  const said = { by: comment.author, incident, proof: comment, guardrails };
  const because = await authorize(word, said, { kind: "proposal", proposal }, ports);
  return because === undefined ? outcome : { kind: "nothing", because };
}
