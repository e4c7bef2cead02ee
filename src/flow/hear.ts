import { admitComment, admitSpeaker, ruleOf } from "../domain/approval.ts";
import { type Command, type CommandWord, parseCommands, replicasProblem } from "../domain/command.ts";
import type { Guardrails } from "../domain/guardrails.ts";
import { bodyHashOf, type Comment } from "../domain/people.ts";
import type { Proposal } from "../domain/pull-request.ts";
import type { Message, Ports } from "../ports.ts";
import { loadGuardrails } from "./load-guardrails.ts";

/** What one command means for the decision. */
export type Heard =
  | { readonly kind: "approve"; readonly by: string; readonly replicas?: number }
  | { readonly kind: "reject" | "hold" | "resume"; readonly by: string }
  | { readonly kind: "explain"; readonly because: string }
  | { readonly kind: "nothing"; readonly because: string };

type Asked = Pick<Ports, "people" | "github" | "journal" | "telemetry" | "clock">;

interface About {
  readonly incident: string;
  readonly proposal: Proposal;
}

/**
 * Reads the comment again, live: it must still be what was first written, by a person who may say it now. The answer
 * is a reaction and, for what was not understood or not allowed, the reason in the sticky comment.
 */
export async function hear(
  message: Extract<Message, { kind: "command" }>,
  about: About,
  ports: Asked,
): Promise<readonly Heard[]> {
  const comment = await ports.people.comment(message.comment);
  const admitted = admitComment({ comment, bodyHash: message.bodyHash, now: ports.clock.now() });
  if (comment === undefined || admitted.kind === "ignored" || comment.proposal !== about.proposal.number) return [];
  const commands = parseCommands(comment.body).filter(isForUs);
  if (commands.length === 0) return [];
  if (admitted.kind === "refused") return refusal(comment, admitted.because, ports);
  const guardrails = loadGuardrails((await ports.github.head()).tree);
  if (!guardrails.ok) return refusal(comment, `the guardrails are invalid: ${guardrails.problems[0] ?? ""}`, ports);

  const heard: Heard[] = [];
  for (const command of commands)
    heard.push(await weigh(command, { comment, about, guardrails: guardrails.value }, ports));
  const understood = heard.every((item) => item.kind !== "nothing");
  await ports.people.react(comment.id, understood ? "+1" : "confused");
  const said = commands.map((command) => command.kind).join(", ");
  ports.telemetry.tell(about.incident, "decide", `${comment.author} said ${said}: ${heard.map(outcomeOf).join("; ")}`);
  return heard;
}

function outcomeOf(heard: Heard): string {
  return heard.kind === "nothing" ? `refused, ${heard.because}` : "heard";
}

async function refusal(comment: Comment, because: string, ports: Asked): Promise<readonly Heard[]> {
  await ports.people.react(comment.id, "confused");
  return [{ kind: "nothing", because }];
}

/** A slash word that is far from ours belongs to another bot: it gets no answer at all. */
function isForUs(command: Command): boolean {
  return command.kind !== "unknown" || command.didYouMean !== undefined;
}

interface Said {
  readonly comment: Comment;
  readonly about: About;
  readonly guardrails: Guardrails;
}

async function weigh(command: Command, said: Said, ports: Asked): Promise<Heard> {
  switch (command.kind) {
    case "approve":
      return approve(command.replicas, said, ports);
    case "reject":
    case "hold":
    case "resume":
      return permitted(command.kind, said, ports, { kind: command.kind, by: said.comment.author });
    case "invalid":
      return { kind: "nothing", because: `/${command.word} ${command.problem}` };
    case "unknown":
      return { kind: "nothing", because: `unknown command: did you mean /${command.didYouMean ?? "help"}?` };
    case "help":
    case "explain":
      return { kind: "explain", because: "/approve-scale [N], /reject, /hold, /resume: see the description above" };
    default:
      return { kind: "nothing", because: `/${command.kind} has no meaning for a proposal that waits for its merge` };
  }
}

async function approve(replicas: number | undefined, said: Said, ports: Asked): Promise<Heard> {
  const problem = replicas === undefined ? undefined : replicasProblem(replicas, said.guardrails);
  if (problem !== undefined) return { kind: "nothing", because: problem };
  const by = said.comment.author;
  return permitted("approve-scale", said, ports, {
    kind: "approve",
    by,
    ...(replicas === undefined ? {} : { replicas }),
  });
}

/** Rights are asked live, at execution, and the answer is on record before anything follows from it. */
async function permitted(
  word: CommandWord,
  { comment, about, guardrails }: Said,
  ports: Asked,
  heard: Heard,
): Promise<Heard> {
  const { teams } = ruleOf(word, guardrails);
  const [permission, memberOf, committers, facts] = await Promise.all([
    ports.people.permissionOf(comment.author),
    ports.people.teamsOf(comment.author, teams),
    ports.people.committersOf(about.proposal),
    ports.github.look(about.proposal),
  ]);
  const speaker = { login: comment.author, permission, teams: memberOf };
  const place = { ours: true, open: facts.state === "open", author: "", committers };
  const admitted = admitSpeaker(word, speaker, place, guardrails);
  await ports.journal.audit({
    incident: about.incident,
    actor: comment.author,
    action: `command ${word}`,
    detail: {
      ...{
        comment: comment.id,
        bodyHash: bodyHashOf(comment.body),
        permission,
        admitted: admitted.kind,
        pull: about.proposal.number,
      },
      ...{ head: facts.headSha, effect: about.proposal.effect },
    },
  });
  return admitted.kind === "heard" ? heard : { kind: "nothing", because: admitted.because };
}
