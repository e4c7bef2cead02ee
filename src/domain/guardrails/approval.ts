import type { RuledWord } from "./command.ts";
import type { ApprovalRule, Guardrails } from "./guardrails.ts";
import type { Comment, Permission } from "./commenter.ts";
import { bodyHashOf } from "./commenter.ts";

/** The one who wrote a comment, asked live at execution. Undefined = the code host gave no answer. */
export interface Commenter {
  readonly login: string;
  readonly permission: Permission | undefined;
  /** The teams among those in the rule that the commenter is a member of, as organisation/team. */
  readonly teams: readonly string[] | undefined;
}

/** Where a comment stands. */
export interface Place {
  /** True for an open pull request that Rectify made from a branch of this repository. */
  readonly ours: boolean;
  readonly open: boolean;
  readonly author: string;
  readonly committers: readonly string[] | undefined;
}

interface CommentToAdmit {
  /** The comment as it stands now; undefined when it was deleted. */
  readonly comment: Comment | undefined;
  /** The hash of the body when it was created. */
  readonly bodyHash: string;
  readonly now: Date;
}

/** `ignored` gets no answer at all, `refused` one short one. */
export type Admission =
  // The word stands in audit rows.
  | { readonly kind: "heard" }
  | { readonly kind: "ignored"; readonly because: string }
  | { readonly kind: "refused"; readonly because: string };

// A command that was delivered later than this is judged as forgotten.
const longestDelayMs = 24 * 3_600_000;
const ladder: readonly Permission[] = ["none", "read", "triage", "write", "maintain", "admin"];
const withoutEntry: ApprovalRule = { users: [], teams: [], minimumPermission: "write", count: 1 };
const harmless: ApprovalRule = { ...withoutEntry, minimumPermission: "read" };

/** Is this still the comment that a person created? Edits, deletions, bots and old deliveries are never executed. */
export function admitComment({ comment, bodyHash, now }: CommentToAdmit): Admission {
  if (comment === undefined) return { kind: "ignored", because: "the comment was deleted" };
  if (!comment.byPerson) return { kind: "ignored", because: `${comment.author} is not a person` };
  if (comment.edited || bodyHashOf(comment.body) !== bodyHash) {
    return { kind: "ignored", because: "the comment was edited: commands count only as they were created" };
  }
  const age = now.getTime() - Date.parse(comment.createdAt);
  if (!(age <= longestDelayMs)) return { kind: "refused", because: "the command is older than a day: write it again" };
  return { kind: "heard" };
}

/** May this person use this command here? Every unanswered question is a no. */
export function admissionOf(word: RuledWord, commenter: Commenter, place: Place, guardrails: Guardrails): Admission {
  const refused = (because: string): Admission => ({ kind: "refused", because });
  if (!place.ours) return refused("this is not a pull request of Rectify");
  if (!place.open) return refused("this pull request is closed");
  if (commenter.permission === undefined) return refused("your permission could not be verified: try again later");
  const rule = ruleOf(word, guardrails);
  if (ladder.indexOf(commenter.permission) < ladder.indexOf(rule.minimumPermission)) {
    return refused(`/${word} needs the permission ${rule.minimumPermission}, yours is ${commenter.permission}`);
  }
  const listed = listing(rule, commenter);
  if (listed !== undefined) return refused(listed);
  return approves(word) ? ownWork(commenter, place) : { kind: "heard" };
}

/** Who may use a command, and how many must: the guardrails' entry, or the default of the command. */
export function ruleOf(word: RuledWord, guardrails: Pick<Guardrails, "approvers">): ApprovalRule {
  // Who may approve a change may approve the revert of a commit, unless the guardrails say who may.
  const entry =
    guardrails.approvers[word] ?? (word === "approve-revert" ? guardrails.approvers["approve-scale"] : undefined);
  return entry ?? (word === "help" || word === "explain" ? harmless : withoutEntry);
}

/** Why an approval no longer counts; undefined while what was approved is what would be merged. */
export function staleness(
  approved: { readonly headSha: string; readonly effect: string },
  now: { readonly headSha: string; readonly effect: string },
): string | undefined {
  if (approved.effect === now.effect) return undefined;
  return `you approved ${approved.headSha.slice(0, 7)}, head is ${now.headSha.slice(0, 7)} and changes something else`;
}

function approves(word: RuledWord): boolean {
  return word === "approve-scale" || word === "approve-revert" || word === "rollback";
}

function listing(rule: ApprovalRule, commenter: Commenter): string | undefined {
  if (rule.users.length === 0 && rule.teams.length === 0) return undefined;
  if (rule.users.some((user) => same(user, commenter.login))) return undefined;
  if (rule.teams.length > 0 && commenter.teams === undefined)
    return "your teams could not be verified: try again later";
  if (commenter.teams?.some((team) => rule.teams.some((listed) => same(listed, team)))) return undefined;
  return "you are not among the approvers in the guardrails";
}

function ownWork(commenter: Commenter, place: Place): Admission {
  if (place.committers === undefined)
    return { kind: "refused", because: "the committers could not be read: try again" };
  const own = [place.author, ...place.committers].some((login) => same(login, commenter.login));
  return own ? { kind: "refused", because: "nobody approves their own change" } : { kind: "heard" };
}

// Logins and team names do not differ by case.
function same(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
