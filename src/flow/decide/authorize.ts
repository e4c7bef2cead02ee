import { admissionOf, ruleOf } from "../../domain/guardrails/approval.ts";
import type { CommandWord } from "../../domain/guardrails/command.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { bodyHashOf, type Comment } from "../../domain/guardrails/commenter.ts";
import type { Ports } from "../../ports/ports.ts";

/** A comment under a proposal that nobody decides any more. */
export interface SaidUnder {
  readonly comment: Comment;
  readonly incident: string;
  readonly pull: number;
  readonly guardrails: Guardrails;
}

/**
 * Why this person may not say this word now; undefined = they may. Rights are asked live, and the answer is on record
 * before anything follows from it. It approves nothing: neither an open proposal nor another committer is asked for.
 */
export async function authorizeLate(
  word: CommandWord,
  { comment, incident, pull, guardrails }: SaidUnder,
  { people, records }: Pick<Ports, "people" | "records">,
): Promise<string | undefined> {
  const { author, id, body } = comment;
  const [permission, teams] = await Promise.all([
    people.permissionOf(author),
    people.teamsOf(author, ruleOf(word, guardrails).teams),
  ]);
  const place = { ours: true, open: true, author: "", committers: [] };
  const admitted = admissionOf(word, { login: author, permission, teams }, place, guardrails);
  const detail = { comment: id, bodyHash: bodyHashOf(body), permission, admitted: admitted.kind, pull };
  await records.audit({ incident, actor: author, action: `command ${word}`, detail });
  return admitted.kind === "heard" ? undefined : admitted.because;
}
