import type { MergeMethod } from "../../../domain/guardrails/merge-method.ts";
import type { MergeAnswer, Proposal } from "../../../domain/proposal/pull-request.ts";
import { mergeWaysOf } from "../checks.ts";
import type { GitHubClient } from "../github.ts";
import { enqueue, hasQueue } from "./queue.ts";
import { statusOf } from "../pace.ts";

export interface MergeWish {
  readonly approvedBy: readonly string[];
  /** The first that the repository allows. */
  readonly methods: readonly MergeMethod[];
}

/** A proposal as GitHub holds it, with the incident it is on record for. */
interface Recorded {
  readonly proposal: Proposal;
  readonly pull: { readonly state: string; readonly base: { readonly ref: string } };
  readonly incident: string | undefined;
}

/** Merges, or enters the merge queue where the branch has one. "Not yet" is quoted from GitHub. */
export async function tryMerge(client: GitHubClient, asked: Recorded, wish: MergeWish): Promise<MergeAnswer> {
  const { pull } = asked;
  const queued = { ...asked.proposal, incident: asked.incident };
  if (pull.state !== "open") return { kind: "not-yet", because: "Pull Request is not mergeable: it is not open" };
  const base = pull.base.ref;
  const ways = await mergeWaysOf(client, base);
  if (await hasQueue(client, { base, ruled: ways.mergeQueue })) return enqueue(client, queued);
  const methods = await allowedMethods(client, wish.methods, ways.mergeMethods);
  const chosen = wish.methods.join(", ");
  let because = `the repository allows none of the merge methods ${chosen}: allow one, or name another in mergeMethods (guardrails)`;
  for (const method of methods) {
    const answer = await mergeBy(method, client, asked, wish.approvedBy);
    if (answer.kind !== "not-yet") return answer;
    if (isQueueWanted(answer.because)) return enqueue(client, queued);
    if (!isMethodRefused(answer.because)) return answer;
    because = answer.because;
  }
  return { kind: "not-yet", because };
}

/** What is known to be forbidden is not tried. The repository's own switches are not shown to every App. */
async function allowedMethods(
  client: GitHubClient,
  wanted: readonly MergeMethod[],
  ruled: readonly MergeMethod[] | undefined,
): Promise<readonly MergeMethod[]> {
  // A method that was switched off since is refused by GitHub, and the next one is tried.
  const { methods: switches } = await client.about();
  return wanted.filter((method) => switches[method] !== false && (ruled?.includes(method) ?? true));
}

async function mergeBy(
  method: MergeMethod,
  client: GitHubClient,
  { proposal, incident }: Recorded,
  approvedBy: readonly string[],
): Promise<MergeAnswer> {
  const { octokit, repository } = client;
  const { number, headSha: sha, effect } = proposal;
  const [title = "", ...rest] = proposal.commitMessage.split("\n");
  const request = {
    ...{ ...repository, pull_number: number, sha, merge_method: method },
    commit_title: `${title} (#${number})`,
    commit_message: [rest.join("\n").trim(), ...approvedBy.map((login) => `Approved-by: ${login}`)].join("\n"),
  };
  try {
    const detail = { pull: number, incident, sha, effect, approvedBy, method };
    const merged = await client.write("merge", detail, () => octokit.rest.pulls.merge(request));
    return { kind: "merged", sha: merged.sha };
  } catch (error) {
    return mergeRefusal(error);
  }
}

// 405, 409 and 422 are states of the pull request, not failures of the call.
function mergeRefusal(error: unknown): MergeAnswer {
  const because = error instanceof Error ? error.message : String(error);
  switch (statusOf(error)) {
    case 409:
      return { kind: "moved", because };
    case 405:
    case 422:
      return { kind: isOvertaken(because) ? "overtaken" : "not-yet", because };
    default:
      throw error;
  }
}

// GitHub puts the merge commit together and then finds another one on the base: the same call goes through next time.
function isOvertaken(because: string): boolean {
  return /base branch was modified/i.test(because);
}

function isMethodRefused(because: string): boolean {
  return /(?:squash merges?|merge commits?|rebase merges?|merge method)\b.*\bnot allowed/i.test(because);
}

// Where the branch's own protection asks for the queue, nothing but this answer tells an App of it.
function isQueueWanted(because: string): boolean {
  return /through (?:the|a) merge queue/i.test(because);
}
