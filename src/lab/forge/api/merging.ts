import { moveBranch } from "./branches.ts";
import { Problem } from "../http.ts";
import { closeIssue } from "./issues.ts";
import { latestStatuses } from "./checks.ts";
import type { Account, IssueRecord, MergeMethod, PullRecord, ForgeState } from "../world.ts";
import { permissionOf, signatureOf, webFlow } from "../world.ts";

interface MergeRequest {
  readonly by: Account;
  /** The head that the caller saw. */
  readonly sha: string | undefined;
  readonly method: MergeMethod;
  readonly title: string | undefined;
  readonly message: string | undefined;
  /** True when the merge queue merges. */
  readonly byQueue?: boolean;
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
  if (!world.settings.mergeMethods.includes(request.method)) throw new Problem(405, refusedMethod[request.method]);
  if (world.settings.mergeQueue !== undefined && request.byQueue !== true && pull.baseRef === "main") {
    throw new Problem(405, "Changes must be made through the merge queue");
  }
  const [lacking] = [...(await behindBase(world, pull)), ...protectionLacks(world, pull)];
  if (lacking !== undefined && pull.baseRef === "main") throw new Problem(405, lacking);
  const base = (await world.store.resolve(`refs/heads/${pull.baseRef}`)) ?? pull.baseSha;
  const tree = await world.store.mergeTree(base, pull.headSha);
  if (tree === undefined) throw new Problem(405, "Pull Request is not mergeable");

  const sha = await mergedCommit(world, { issue, pull, request, base, tree });
  pull.baseSha = base;
  pull.mergeSha = sha;
  pull.mergedAt = world.now();
  pull.mergedBy = request.by;
  closeIssue(world, issue, request.by);
  await moveBranch(world, { branch: pull.baseRef, before: base, after: sha }, request.by);
  return sha;
}

const refusedMethod: Readonly<Record<MergeMethod, string>> = {
  squash: "Squash merges are not allowed on this repository.",
  merge: "Merge commits are not allowed on this repository.",
  rebase: "Rebase merges are not allowed on this repository.",
};

interface Merging {
  readonly issue: IssueRecord;
  readonly pull: PullRecord;
  readonly request: MergeRequest;
  readonly base: string;
  readonly tree: string;
}

async function mergedCommit(world: ForgeState, { issue, pull, request, base, tree }: Merging): Promise<string> {
  if (request.method === "rebase") return rebased(world, pull, base);
  const now = world.now();
  const squash = request.method === "squash";
  return world.store.writeCommit({
    tree,
    parents: squash ? [base] : [base, pull.headSha],
    message: messageOf(world, issue, pull, request),
    author: signatureOf(squash ? issue.author : request.by, now),
    committer: webFlow(now),
  });
}

/** Each commit of the branch once more on top of the base, with its own message; merges of the base are left out. */
async function rebased(world: ForgeState, pull: PullRecord, base: string): Promise<string> {
  let onto = base;
  for (const sha of await world.store.commitsBetween(base, pull.headSha)) {
    const commit = await world.store.commit(sha);
    const tree = await world.store.mergeTree(base, sha);
    if (!commit || tree === undefined) throw new Problem(405, "This branch can't be rebased");
    const { message, author } = commit;
    onto = await world.store.writeCommit({ tree, parents: [onto], message, author, committer: webFlow(world.now()) });
  }
  return onto;
}

/** Where the protection is strict, a branch that does not hold the tip of its base. */
async function behindBase(world: ForgeState, pull: PullRecord): Promise<string[]> {
  const base = await world.store.resolve(`refs/heads/${pull.baseRef}`);
  const isBehind = base !== undefined && !(await world.store.isAncestor(base, pull.headSha));
  return world.settings.strict && pull.baseRef === "main" && isBehind
    ? ["Head branch is out of date. Review and try the merge again."]
    : [];
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
    const status = statusLack(world, { sha: pull.headSha, name, appId });
    if (status !== undefined && status !== "") return [status];
    const run = world.checks.findLast(
      (one) => one.sha === pull.headSha && one.name === name && (appId === undefined || one.appId === appId),
    );
    if (!run && status === "") return [];
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

/** What a commit status of that name lacks; empty = nothing, undefined = there is none that counts. */
function statusLack(
  world: ForgeState,
  { sha, name, appId }: { readonly sha: string; readonly name: string; readonly appId: number | undefined },
): string | undefined {
  const status = latestStatuses(world, sha).find(({ context }) => context === name);
  if (status === undefined || (appId !== undefined && status.creator.login !== `app-${appId}[bot]`)) return undefined;
  if (status.state === "success") return "";
  return `Required status check "${name}" is ${status.state === "pending" ? "pending" : "failing"}.`;
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
  if ((await behindBase(world, pull)).length > 0) return { mergeable, state: "behind" };
  return { mergeable, state: protectionLacks(world, pull).length > 0 ? "blocked" : "clean" };
}
