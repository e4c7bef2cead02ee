import { parseCommands } from "../../domain/guardrails/command.ts";
import type { Withdrawal } from "../../domain/records/post-mortem.ts";
import type { Message } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";
import { acknowledge, authorize, liveComment } from "./authorize.ts";
import { guardrailsOf } from "../collect/load-guardrails.ts";
import { reportEnded } from "./report-ended.ts";

type WithdrawalWord = "dispute" | "forget";
type Asked = Pick<Ports, "people" | "github" | "records" | "telemetry" | "clock">;

/** The words that take an incident out of the memory; what each makes of it. */
export const withdrawalKind: Readonly<Record<WithdrawalWord, Withdrawal["kind"]>> = {
  dispute: "disputed",
  forget: "forgotten",
};

/** The closed or merged proposal under which something was said. */
interface Afterwards {
  readonly incident: string;
  readonly pull: number;
  /** How the incident ended, for the sticky comment; undefined while its workflow goes on. */
  readonly ended: string | undefined;
}

/**
 * `/dispute` and `/forget` under a proposal that nobody decides any more: its workflow may have ended long ago. While it is
 * open, the decision runs them. Running the same comment twice is safe.
 */
export async function runWithdrawalCommand(
  message: Extract<Message, { kind: "command" }>,
  about: Afterwards,
  ports: Asked,
): Promise<void> {
  const live = await liveComment(message, about, ports);
  if (live?.kind !== "live") return;
  const { comment, late } = live;
  const words = parseCommands(comment.body).flatMap(({ kind }) =>
    kind === "dispute" || kind === "forget" ? [kind] : [],
  );
  const [word] = words;
  if (word === undefined || (await ports.github.stateOf({ number: about.pull })).state === "open") return;
  const guardrails = await guardrailsOf(ports);
  const { incident, pull } = about;
  const refusal =
    late ??
    (guardrails.ok
      ? await authorize(
          word,
          { by: comment.author, incident, proof: comment, guardrails: guardrails.value },
          { kind: "ended", pull },
          ports,
        )
      : guardrails.because);
  if (refusal === undefined) {
    const kind = withdrawalKind[word];
    await ports.records.withdraw(incident, { kind, by: comment.author, at: ports.clock.now().toISOString() });
    const ended = about.ended === undefined ? "" : `${about.ended}; `;
    const because = `${ended}${kind} by ${comment.author}: no precedent any more`;
    await reportEnded(about, because, ports);
  }
  await acknowledge(comment.id, { allowed: refusal === undefined, incident }, ports);
  const outcome = refusal === undefined ? "accepted" : `refused, ${refusal}`;
  ports.telemetry.log(incident, "learn", `${comment.author} said ${word}: ${outcome}`);
}
