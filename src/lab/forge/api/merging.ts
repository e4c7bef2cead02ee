import { moveBranch } from "./branches.ts";
import { Problem } from "../http.ts";
import { closeIssue } from "./issues.ts";
import type { Account, IssueRecord, PullRecord, ForgeState } from "../world.ts";
import { permissionOf, signatureOf, webFlow } from "../world.ts";

export type MergeMethod = "merge" | "squash" | "rebase";

export interface MergeRequest {
  readonly by: Account;
  /** The head that the caller saw. */
  readonly sha: string | undefined;
  readonly method: MergeMethod;
  readonly title: string | undefined;
  readonly message: string | undefined;
}

/** Merges as GitHub does and gives the new commit on the base. Throws 405 and 409 for what stands in the way. */
export async function mergePull(
  world: ForgeState,
  issue: IssueRecord,
  pull: PullRecord,
  request: MergeRequest,
): Promise<string> {
  if (issue.state !== "open") throw new Problem(405, "Pull Request is not mergeable");
  if (request.sha !== undefined && request.sha !== pull.headSha) {
    throw new Problem(409, "Head branch was modified. Review and try the merge again.");
  }
  if (pull.draft) throw new Problem(405, "Pull Request is still a draft");
  if (!["merge", "squash"].includes(request.method)) {
    throw new Problem(405, "Rebase merges are not allowed on this repository.");
  }
  const [lacking] = protectionLacks(world, pull);
  if (lacking !== undefined && pull.baseRef === "main") throw new Problem(405, lacking);
  const base = (await world.store.resolve(`refs/heads/${pull.baseRef}`)) ?? pull.baseSha;
  const tree = await world.store.mergeTree(base, pull.headSha);
  if (tree === undefined) throw new Problem(405, "Pull Request is not mergeable");

  const now = world.now();
  const squash = request.method === "squash";
  const sha = await world.store.writeCommit({
    tree,
    parents: squash ? [base] : [base, pull.headSha],
    message: messageOf(world, issue, pull, request),
    author: signatureOf(squash ? issue.author : request.by, now),
    committer: webFlow(now),
  });
  pull.baseSha = base;
  pull.mergeSha = sha;
  pull.mergedAt = now;
  pull.mergedBy = request.by;
  closeIssue(world, issue, request.by);
  await moveBranch(world, { branch: pull.baseRef, before: base, after: sha }, request.by);
  return sha;
}

function messageOf(world: ForgeState, issue: IssueRecord, pull: PullRecord, request: MergeRequest): string {
  const merge = `Merge pull request #${issue.number} from ${world.options.owner}/${pull.headRef}`;
  const title = request.title ?? (request.method === "squash" ? `${issue.title} (#${issue.number})` : merge);
  const message = request.message ?? (request.method === "squash" ? "" : issue.title);
  return message === "" ? `${title}\n` : `${title}\n\n${message}\n`;
}

/** What the base's protection still wants before a merge, in GitHub's words. */
export function protectionLacks(world: ForgeState, pull: PullRecord): string[] {
  const { requiredChecks, rulesetChecks = [], requiredReviews = 0 } = world.options;
  const wanted: NonNullable<typeof world.options.rulesetChecks> = [...requiredChecks, ...rulesetChecks];
  const checks = wanted.flatMap(({ name, appId }) => {
    const run = world.checks.findLast(
      (one) => one.sha === pull.headSha && one.name === name && (appId === undefined || one.appId === appId),
    );
    if (!run) return [`Required status check "${name}" is expected.`];
    if (run.status !== "completed") return [`Required status check "${name}" is in progress.`];
    // GitHub counts neutral and skipped as passed.
    const passed = run.conclusion !== null && ["success", "neutral", "skipped"].includes(run.conclusion);
    return passed ? [] : [`Required status check "${name}" is failing.`];
  });
  const latest = new Map(pull.reviews.filter(({ state }) => state !== "COMMENTED").map((one) => [one.author.id, one]));
  const counted = [...latest.values()].filter(({ author }) => canWrite(world, author));
  if (counted.some(({ state }) => state === "CHANGES_REQUESTED")) checks.push("Changes have been requested.");
  const approvals = counted.filter(({ state }) => state === "APPROVED").length;
  if (approvals >= requiredReviews) return checks;
  const needed = requiredReviews === 1 ? "1 approving review is" : `${requiredReviews} approving reviews are`;
  return [...checks, `At least ${needed} required by reviewers with write access.`];
}

function canWrite(world: ForgeState, account: Account): boolean {
  return ["admin", "maintain", "write"].includes(permissionOf(world, account.login));
}

/** GitHub works the mergeability out in the background: asked first after a change, it does not know yet. */
export async function mergeabilityOf(
  world: ForgeState,
  issue: IssueRecord,
  pull: PullRecord,
): Promise<{ mergeable: boolean | null; state: string }> {
  if (issue.state !== "open") return { mergeable: null, state: "unknown" };
  const base = (await world.store.resolve(`refs/heads/${pull.baseRef}`)) ?? pull.baseSha;
  const question = `${pull.headSha} ${base}`;
  if (pull.askedFor !== question) {
    pull.askedFor = question;
    return { mergeable: null, state: "unknown" };
  }
  const mergeable = (await world.store.mergeTree(base, pull.headSha)) !== undefined;
  if (!mergeable) return { mergeable, state: "dirty" };
  if (pull.draft) return { mergeable, state: "draft" };
  return { mergeable, state: protectionLacks(world, pull).length > 0 ? "blocked" : "clean" };
}
