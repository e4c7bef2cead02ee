import { admitComment } from "../../domain/guardrails/approval.ts";
import { parseCommands } from "../../domain/guardrails/command.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import type { Comment } from "../../domain/guardrails/commenter.ts";
import { rollbackOf } from "../../domain/proposal/rollback.ts";
import type { IncidentOutcome } from "../../domain/proposal/outcome.ts";
import type { Message } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";
import { authorizeLate } from "./authorize.ts";
import { loadGuardrails } from "../collect/load-guardrails.ts";
import { reportEnded } from "./report-ended.ts";

/** The merged proposal under which something was said. */
export interface MergedProposal {
  readonly incident: Incident;
  readonly pull: number;
  /** How the incident ended, and its story; undefined while it goes on. */
  readonly ended: string | undefined;
  readonly story: IncidentOutcome | undefined;
}

type Asked = Pick<Ports, "people" | "github" | "records" | "rollbacks" | "telemetry" | "clock">;

/**
 * `/rollback` under a merged proposal: with the rights for it, the change back is put on record, and a story of its own
 * proposes it. It approves nothing: that pull request waits for a person as every other one. Hearing the same comment
 * twice is safe.
 */
export async function runRollbackCommand(
  message: Extract<Message, { kind: "command" }>,
  about: MergedProposal,
  ports: Asked,
): Promise<void> {
  const comment = await ports.people.comment(message.comment);
  const admitted = admitComment({ comment, bodyHash: message.bodyHash, now: ports.clock.now() });
  if (comment === undefined || admitted.kind === "ignored" || comment.proposal !== about.pull) return;
  if (!parseCommands(comment.body).some(({ kind }) => kind === "rollback")) return;
  if ((await ports.github.look({ number: about.pull })).state !== "merged") return;
  const guardrails = loadGuardrails((await ports.github.head()).tree);
  const refusal =
    admitted.kind === "refused"
      ? admitted.because
      : guardrails.ok
        ? await refusalOf({ comment, about, guardrails: guardrails.value }, ports)
        : "the guardrails are invalid";
  const { author } = comment;
  const { uid } = about.incident;
  const outcome = refusal === undefined ? "is proposed" : `is refused, ${refusal}`;
  // While its story goes on the sticky comment is the story's.
  if (about.ended !== undefined) {
    const because = `${about.ended}; the rollback that ${author} asked for ${outcome}`;
    await reportEnded({ pull: about.pull, incident: uid }, because, ports);
  }
  await ports.people.react(comment.id, refusal === undefined ? "+1" : "confused", uid);
  ports.telemetry.log(uid, "rollback", `${author} asked for it: it ${outcome}`);
}

interface Said {
  readonly comment: Comment;
  readonly about: MergedProposal;
  readonly guardrails: Guardrails;
}

async function refusalOf({ comment, about, guardrails }: Said, ports: Asked): Promise<string | undefined> {
  const { incident, pull, story, ended = "" } = about;
  const refusal = await authorizeLate("rollback", { comment, incident: incident.uid, pull, guardrails }, ports);
  if (refusal !== undefined) return refusal;
  const merged = rollbackOf(story, pull);
  if (typeof merged === "string") return merged;
  if (ports.rollbacks === undefined) return "this installation keeps no rollbacks";
  const { author: by, id } = comment;
  const asked = await ports.rollbacks.ask({ ...merged, incident, pull, by, comment: id, ended });
  return asked ? undefined : "one is under way already";
}
