import type { Store } from "../adapters/postgres/store.ts";
import { hearRollback } from "../flow/decide/hear-rollback.ts";
import { hearWithdrawal } from "../flow/decide/hear-withdrawal.ts";
import type { Message } from "../ports/workflow.ts";
import type { Ports } from "../ports/ports.ts";

/** What somebody wrote under a proposal of ours. */
export interface SaidAfterwards {
  readonly pull: number;
  readonly message: Extract<Message, { kind: "command" }>;
}

/** `/dispute`, `/forget` and `/rollback` count whenever they are said, also long after the story has ended. */
export async function hearAfterwards({ pull, message }: SaidAfterwards, store: Store, ports: Ports): Promise<void> {
  const incident = await store.incidentOfPull(pull);
  if (incident === undefined) return;
  const record = await store.incident(incident.uid);
  const ended = record?.ending === undefined ? undefined : `${record.ending}: ${record.because ?? ""}`;
  await hearWithdrawal(message, { incident: incident.uid, pull, ended }, ports);
  const story = ended === undefined ? undefined : record?.story;
  await hearRollback(message, { incident, pull, ended, story }, ports);
}
