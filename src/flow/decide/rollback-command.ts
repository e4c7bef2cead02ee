import { parseCommands } from "../../domain/guardrails/command.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import type { Comment } from "../../domain/guardrails/commenter.ts";
import { rollbackOf } from "../../domain/proposal/rollback.ts";
import type { OutcomeOnRecord } from "../../domain/proposal/outcome.ts";
import type { Message } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";
import { acknowledge, authorize, liveComment } from "./authorize.ts";
import { guardrailsOf } from "../collect/load-guardrails.ts";
import { reportEnded } from "./report-ended.ts";

/** The merged proposal under which something was said. */
interface MergedProposal {
  readonly incident: Incident;
  readonly pull: number;
  /** How the incident ended, and its outcome; undefined while it goes on. */
  readonly ended: string | undefined;
  readonly outcome: OutcomeOnRecord | undefined;
}

type Asked = Pick<Ports, "people" | "github" | "records" | "rollbacks" | "telemetry" | "clock">;

/**
 * `/rollback` under a merged proposal: with permission for it, the change back is put on record, and a workflow of its own
 * proposes it. It approves nothing: that pull request waits for a person as every other one. Hearing the same comment
 * twice is safe.
 */
export async function runRollbackCommand(
  message: Extract<Message, { kind: "command" }>,
  about: MergedProposal,
  ports: Asked,
): Promise<void> {
  const { uid } = about.incident;
  const live = await liveComment(message, { incident: uid, pull: about.pull }, ports);
  if (live?.kind !== "live") return;
  const { comment, late } = live;
  if (!parseCommands(comment.body).some(({ kind }) => kind === "rollback")) return;
  if ((await ports.github.stateOf({ number: about.pull })).state !== "merged") return;
  const guardrails = await guardrailsOf(ports);
  const refusal =
    late ??
    (guardrails.ok ? await refusalOf({ comment, about, guardrails: guardrails.value }, ports) : guardrails.because);
  const { author } = comment;
  const outcome = refusal === undefined ? "is proposed" : `is refused, ${refusal}`;
  // While its workflow goes on the sticky comment is the workflow's.
  if (about.ended !== undefined) {
    const because = `${about.ended}; the rollback that ${author} asked for ${outcome}`;
    await reportEnded({ pull: about.pull, incident: uid }, because, ports);
  }
  await acknowledge(comment.id, { allowed: refusal === undefined, incident: uid }, ports);
  ports.telemetry.log(uid, "rollback", `${author} asked for it: it ${outcome}`);
}

interface Said {
  readonly comment: Comment;
  readonly about: MergedProposal;
  readonly guardrails: Guardrails;
}

async function refusalOf({ comment, about, guardrails }: Said, ports: Asked): Promise<string | undefined> {
  const { incident, pull, outcome, ended = "" } = about;
  const said = { by: comment.author, incident: incident.uid, proof: comment, guardrails };
  const refusal = await authorize("rollback", said, { kind: "ended", pull }, ports);
  if (refusal !== undefined) return refusal;
  const merged = rollbackOf(outcome, pull);
  if (typeof merged === "string") return merged;
  if (ports.rollbacks === undefined) return "this installation keeps no rollbacks";
  const { author: by, id } = comment;
  const asked = await ports.rollbacks.ask({ ...merged, incident, pull, by, comment: id, ended });
  return asked ? undefined : "one is under way already";
}
