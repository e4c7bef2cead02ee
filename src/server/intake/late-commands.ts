import type { Store } from "../../adapters/postgres/store.ts";
import { bodyHashOf } from "../../domain/guardrails/commenter.ts";
import { parseCommands } from "../../domain/guardrails/command.ts";
import { acknowledge, commentUntold } from "../../flow/decide/authorize.ts";
import { reportEnded } from "../../flow/decide/report-ended.ts";
import { runRollbackCommand } from "../../flow/decide/rollback-command.ts";
import { runWithdrawalCommand } from "../../flow/decide/withdrawal-command.ts";
import type { Message } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";

const lateWords: readonly string[] = ["dispute", "forget", "rollback"];

/** True when the text has a command that counts after the workflow's end. */
export function saysLateWord(body: string): boolean {
  return lateWordIn(body) !== undefined;
}

function lateWordIn(body: string): string | undefined {
  return parseCommands(body).find(({ kind }) => lateWords.includes(kind))?.kind;
}

/** What somebody wrote under a proposal of ours. */
export interface LateCommand {
  readonly pull: number;
  readonly message: Extract<Message, { kind: "command" }>;
}

/** `/dispute`, `/forget` and `/rollback` count whenever they are said, also long after the workflow has ended. */
export async function runLateCommand({ pull, message }: LateCommand, store: Store, ports: Ports): Promise<void> {
  const incident = await store.incidentOfPull(pull);
  if (incident === undefined) return;
  // Most comments are no command of these: one look tells.
  const comment = await ports.people.comment(message.comment);
  if (comment === undefined || (comment !== "untold" && !saysLateWord(comment.body))) return;
  const record = await store.incident(incident.uid);
  const ended = record?.ending === undefined ? undefined : `${record.ending}: ${record.because ?? ""}`;
  if (comment === "untold")
    return answerUntold({ pull, comment: message.comment }, { uid: incident.uid, ended }, ports);
  await runWithdrawalCommand(message, { incident: incident.uid, pull, ended }, ports);
  const outcome = ended === undefined ? undefined : record?.outcome;
  await runRollbackCommand(message, { incident, pull, ended, outcome }, ports);
}

/** Whether it is a command at all is in the list of comments: what counts is the look at it alone, which was refused. */
async function answerUntold(
  said: { readonly pull: number; readonly comment: number },
  { uid, ended }: { readonly uid: string; readonly ended: string | undefined },
  ports: Ports,
): Promise<void> {
  const { pull, comment } = said;
  const listed = (await ports.people.commentsOn({ number: pull })).find(({ id }) => id === comment);
  const word = listed?.byPerson === true ? lateWordIn(listed.body) : undefined;
  // While it is open, the decision answers.
  if (listed === undefined || word === undefined || (await ports.github.stateOf({ number: pull })).state === "open")
    return;
  const detail = { comment, bodyHash: bodyHashOf(listed.body), pull, admitted: "untold" };
  await ports.records.audit({ incident: uid, actor: listed.author, action: `command ${word}`, detail });
  ports.telemetry.log(uid, "decide", `comment ${comment} under #${pull}: ${commentUntold}`);
  // While its workflow goes on the sticky comment is the workflow's.
  if (ended !== undefined) {
    const because = `${ended}; what ${listed.author} asked for is refused, ${commentUntold}`;
    await reportEnded({ pull, incident: uid }, because, ports);
  }
  await acknowledge(comment, { allowed: false, incident: uid }, ports);
}
