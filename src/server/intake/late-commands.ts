import type { Store } from "../../adapters/postgres/store.ts";
import { parseCommands } from "../../domain/guardrails/command.ts";
import { runRollbackCommand } from "../../flow/decide/rollback-command.ts";
import { runWithdrawalCommand } from "../../flow/decide/withdrawal-command.ts";
import type { Message } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";

const lateWords: readonly string[] = ["dispute", "forget", "rollback"];

/** True when the text has a command that counts after the workflow's end. */
export function saysLateWord(body: string): boolean {
  return parseCommands(body).some(({ kind }) => lateWords.includes(kind));
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
  if (comment === undefined || !saysLateWord(comment.body)) return;
  const record = await store.incident(incident.uid);
  const ended = record?.ending === undefined ? undefined : `${record.ending}: ${record.because ?? ""}`;
  await runWithdrawalCommand(message, { incident: incident.uid, pull, ended }, ports);
  const story = ended === undefined ? undefined : record?.story;
  await runRollbackCommand(message, { incident, pull, ended, story }, ports);
}
