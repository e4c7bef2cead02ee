import type { Store } from "../../adapters/postgres/store.ts";
import { bodyHashOf, type Comment } from "../../domain/guardrails/commenter.ts";
import type { Ports } from "../../ports/ports.ts";
import { latchOver } from "./shadow/shadow-latch.ts";
import { checkGuardrails } from "../../flow/gate/check-guardrails.ts";
import { eachApart } from "../../adapters/http/repeat.ts";
import { reconcileRollbacks, type RollbackKeeping } from "./rollbacks.ts";
import { type LateCommand, runLateCommand, saysLateWord } from "../intake/late-commands.ts";

/** What is looked at because a webhook may be lost. */
export interface LateLooks {
  readonly store: Pick<Store, "lookedUntil" | "lookedAt" | "ranComment" | "incidentOfPull">;
  readonly ports: Pick<Ports, "people" | "guardrailsHost" | "clock" | "telemetry">;
  readonly run: (command: LateCommand) => Promise<void>;
  /** `by` wrote what is new in it, where that is known. */
  readonly check: (pull: number, by?: string) => Promise<void>;
  /** Reads what the guardrails say about writing, so that it is on record when nobody can read them any more. */
  readonly remember: () => Promise<unknown>;
}

// A command counts for a day; what is older than our first look was somebody else's to hear.
const firstLookMs = 24 * 3_600_000;
// GitHub's lists lag: what was written just before a look may be missing in it.
const overlapMs = 120_000;

// Webhooks tell at once: this is for those that were lost.
const leastPauseMs = 60_000;

/**
 * `/dispute`, `/forget` and `/rollback` under a proposal whose workflow has ended, found among the repository's newest
 * comments: no workflow looks there any more.
 */
export async function lookForLateCommands(looks: LateLooks): Promise<void> {
  const { people, telemetry } = looks.ports;
  const tell = ({ id }: Comment, because: string) =>
    telemetry.log("", "commands", `comment ${id} could not be run: ${because}`);
  await lookSince("comments", looks, async (since) =>
    eachApart(await people.commentsSince(since), (comment) => runOnce(comment, looks), tell),
  );
}

/** The guardrails as they are, and as open pull requests would have them: those that changed since. */
export async function lookForGuardrails(looks: LateLooks): Promise<void> {
  // Where nothing is ever written, nobody else asks.
  await looks.remember();
  const host = looks.ports.guardrailsHost;
  if (host === undefined) return;
  const tell = (pull: number, because: string) =>
    looks.ports.telemetry.log("", "guardrails", `#${pull} could not be checked: ${because}`);
  await lookSince("pull requests", looks, async (since) =>
    eachApart(await host.pullsSince(since), (pull) => looks.check(pull), tell),
  );
}

/** The place up to which was looked moves on only when everything found was settled. */
async function lookSince(
  what: string,
  { store, ports }: LateLooks,
  look: (since: Date) => Promise<void>,
): Promise<void> {
  const now = ports.clock.now();
  const until = await store.lookedUntil(what);
  if (until !== undefined && now.getTime() - until.getTime() < leastPauseMs) return;
  await look(new Date((until?.getTime() ?? now.getTime() - firstLookMs) - overlapMs));
  await store.lookedAt(what, now);
}

async function runOnce({ id, body, byPerson, proposal }: Comment, { store, ports, run }: LateLooks): Promise<void> {
  if (!byPerson || !saysLateWord(body)) return;
  const incident = await store.incidentOfPull(proposal);
  if (incident === undefined || (await store.ranComment(incident.uid, id))) return;
  ports.telemetry.log(incident.uid, "intake", `comment ${id} under #${proposal} was found by looking`);
  await run({ pull: proposal, message: { kind: "command", comment: id, bodyHash: bodyHashOf(body) } });
}

interface LateLooking {
  readonly store: Store;
  readonly ports: Ports;
  readonly keeping: RollbackKeeping;
}

/** What people say after an incident, and what they change in the guardrails: told by webhooks, and looked for. */
export function lateLooksOf({ store, ports, keeping }: LateLooking): LateLooks {
  const { guardrailsHost: host } = ports;
  const latch = latchOver(store, () => ports.github.head());
  return {
    ...{ store, ports },
    remember: latch.isOn,
    run: async (command) => {
      await runLateCommand(command, store, ports);
      await store.alone("rollbacks", () => reconcileRollbacks(keeping));
    },
    // What we write ourselves needs no verdict, and in shadow mode there is none.
    check: async (pull, by) => {
      if (host && by !== host.login && !(await latch.isOn())) await checkGuardrails(pull, host);
    },
  };
}
