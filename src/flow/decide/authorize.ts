import { admitComment, admissionOf, ruleOf } from "../../domain/guardrails/approval.ts";
import type { RuledWord } from "../../domain/guardrails/command.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { bodyHashOf, type Comment } from "../../domain/guardrails/commenter.ts";
import type { Proposal } from "../../domain/proposal/pull-request.ts";
import type { Message } from "../../ports/workflow.ts";
import type { Ports } from "../../ports/ports.ts";

/** Where a command stands: under a proposal that waits, under one that nobody decides any more, or on the dashboard. */
export type CommandPlace =
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  | { readonly kind: "ended"; readonly pull: number }
  | { readonly kind: "dashboard"; readonly issue: number };

/** Who said it about which incident, and what proves that they did: the comment, or the name of a delivery. */
interface Said {
  readonly by: string;
  readonly incident: string;
  readonly proof: Pick<Comment, "id" | "body"> | string;
  readonly guardrails: Guardrails;
}

/**
 * Why this person may not use this command here now; undefined = they may. Permissions are asked live, and the answer
 * is on record before anything follows from it.
 */
export async function authorize(
  word: RuledWord,
  { by, incident, proof, guardrails }: Said,
  place: CommandPlace,
  { people, github, records }: Pick<Ports, "people" | "github" | "records">,
): Promise<string | undefined> {
  const [permission, teams, found] = await Promise.all([
    people.permissionOf(by),
    people.teamsOf(by, ruleOf(word, guardrails).teams),
    lookAround(place, { people, github }),
  ]);
  const standing = { ours: true, open: found.open, author: "", committers: found.committers };
  const admitted = admissionOf(word, { login: by, permission, teams }, standing, guardrails);
  const said = typeof proof === "string" ? { proof } : { comment: proof.id, bodyHash: bodyHashOf(proof.body) };
  const detail = { ...said, permission, admitted: admitted.kind, ...found.detail };
  await records.audit({ incident, actor: by, action: `command ${word}`, detail });
  return admitted.kind === "heard" ? undefined : admitted.because;
}

interface Surroundings {
  readonly open: boolean;
  readonly committers: readonly string[] | undefined;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Only where something is approved it matters who wrote the change, and whether it is still open. */
async function lookAround(
  place: CommandPlace,
  { people, github }: Pick<Ports, "people" | "github">,
): Promise<Surroundings> {
  if (place.kind === "dashboard") return { open: true, committers: [], detail: { issue: place.issue } };
  if (place.kind === "ended") return { open: true, committers: [], detail: { pull: place.pull } };
  const { proposal } = place;
  const [committers, facts] = await Promise.all([people.committersOf(proposal), github.stateOf(proposal)]);
  const detail = { pull: proposal.number, head: facts.headSha, effect: proposal.effect };
  return { open: facts.state === "open", committers, detail };
}

/** A comment that gets an answer; `late` refuses whatever it says. Nothing that it says counts while it is untold. */
type LiveComment =
  | { readonly kind: "live"; readonly comment: Comment; readonly late: string | undefined }
  | { readonly kind: "untold" };

/** The answer to a command that the code host did not show again. */
export const commentUntold = "the comment could not be verified: try again later";

/**
 * Reads the comment again, live: it must still be what a person first wrote under this pull request. Undefined = it
 * gets no answer.
 */
export async function liveComment(
  { comment: id, bodyHash }: Extract<Message, { kind: "command" }>,
  { incident, pull }: { readonly incident: string; readonly pull: number },
  { people, clock, telemetry }: Pick<Ports, "people" | "clock" | "telemetry">,
): Promise<LiveComment | undefined> {
  const comment = await people.comment(id);
  if (comment === "untold") {
    telemetry.log(incident, "decide", `comment ${id} under #${pull}: ${commentUntold}`);
    return { kind: "untold" };
  }
  const admitted = admitComment({ comment, bodyHash, now: clock.now() });
  if (admitted.kind === "ignored") telemetry.log(incident, "decide", `ignored: ${admitted.because}`);
  if (comment === undefined || admitted.kind === "ignored" || comment.proposal !== pull) return undefined;
  return { kind: "live", comment, late: admitted.kind === "refused" ? admitted.because : undefined };
}

/** Shows the writer whether the command was understood and allowed. */
export async function acknowledge(
  comment: number,
  { allowed, incident }: { readonly allowed: boolean; readonly incident: string },
  { people }: Pick<Ports, "people">,
): Promise<void> {
  await people.react(comment, allowed ? "+1" : "confused", incident);
}
