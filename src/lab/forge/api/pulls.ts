import type { Call, Routes } from "../http.ts";
import { Problem, bodyText, created, invalid, notFound, ok, paged, requiredText, textOf } from "../http.ts";
import { announce, editText, issueOf, setState } from "./issues.ts";
import { mergePull, mergeabilityOf } from "./merging.ts";
import type { Account, IssueRecord, MergeMethod, PullRecord, ReviewRecord, ForgeState } from "../world.ts";
import { commitView } from "./commit-views.ts";
import { accountView, apiOf, pageOf, pullView, reviewView } from "./views.ts";

/** Pull requests: open, find, change, merge. */
export function pullRoutes(world: ForgeState): Routes {
  const at = "/repos/{owner}/{repo}/pulls";
  return {
    [`GET ${at}`]: (call) => paged(call, listPulls(world, call)),
    [`POST ${at}`]: async (call) => {
      const issue = await openPull(world, requestOf(call), world.bot);
      const view = await fullView(world, issue, issue.pull as PullRecord);
      // Opening is no question yet: the next one is the first.
      if (issue.pull) issue.pull.askedFor = undefined;
      return created(view);
    },
    [`GET ${at}/{number}`]: async (call) => {
      const [issue, pull] = pullOf(world, call);
      return ok(await fullView(world, issue, pull));
    },
    [`PATCH ${at}/{number}`]: async (call) => {
      const [issue, pull] = pullOf(world, call);
      editText(world, issue, call);
      setState(world, issue, textOf(call, "state", "PullRequest"), world.bot);
      return ok(await fullView(world, issue, pull));
    },
    [`PUT ${at}/{number}/merge`]: async (call) => {
      const [issue, pull] = pullOf(world, call);
      const sha = await mergePull(world, issue, pull, {
        by: world.bot,
        sha: textOf(call, "sha", "PullRequest"),
        method: (textOf(call, "merge_method", "PullRequest") ?? "merge") as MergeMethod,
        title: textOf(call, "commit_title", "PullRequest"),
        message: textOf(call, "commit_message", "PullRequest"),
      });
      return ok({ sha, merged: true, message: "Pull Request successfully merged" });
    },
    [`GET ${at}/{number}/merge`]: (call) => {
      const [, pull] = pullOf(world, call);
      if (pull.mergedAt === null) throw notFound();
      return { status: 204 };
    },
    [`GET ${at}/{number}/commits`]: async (call) => {
      return paged(call, await commitsOf(world, ...pullOf(world, call)));
    },
    [`GET ${at}/{number}/files`]: async (call) => {
      return paged(call, await filesOf(world, ...pullOf(world, call)));
    },
    [`GET ${at}/{number}/reviews`]: (call) => {
      const [issue, pull] = pullOf(world, call);
      return paged(
        call,
        pull.reviews.map((review) => reviewView(world, issue.number, review)),
      );
    },
  };
}

function pullOf(world: ForgeState, call: Call): [IssueRecord, PullRecord] {
  const issue = issueOf(world, call);
  if (!issue.pull) throw notFound();
  return [issue, issue.pull];
}

function listPulls(world: ForgeState, call: Call) {
  const state = call.query.get("state") ?? "open";
  const head = call.query.get("head");
  const base = call.query.get("base");
  const pulls = [...world.issues.values()].flatMap((issue) => (issue.pull ? [{ issue, pull: issue.pull }] : []));
  const chosen = pulls
    .filter(({ issue }) => state === "all" || issue.state === state)
    // A head without `owner:` is ignored.
    .filter(({ pull }) => head === null || !head.includes(":") || head === `${world.options.owner}:${pull.headRef}`)
    .filter(({ pull }) => base === null || pull.baseRef === base);
  if ((call.query.get("direction") ?? "desc") === "desc") chosen.reverse();
  return chosen.map(({ issue, pull }) => pullView(world, issue, pull));
}

interface PullRequest {
  readonly title: string;
  readonly body: string | undefined;
  readonly head: string;
  readonly base: string;
  readonly draft: boolean;
}

function requestOf(call: Call): PullRequest {
  const head = requiredText(call, "head", "PullRequest");
  return {
    title: requiredText(call, "title", "PullRequest"),
    body: bodyText(call, "PullRequest"),
    head: head.includes(":") ? head.slice(head.indexOf(":") + 1) : head,
    base: requiredText(call, "base", "PullRequest"),
    draft: call.body.draft === true,
  };
}

export async function openPull(world: ForgeState, request: PullRequest, author: Account): Promise<IssueRecord> {
  const { head, base } = request;
  const headSha = await world.store.resolve(`refs/heads/${head}`);
  const baseSha = await world.store.resolve(`refs/heads/${base}`);
  if (headSha === undefined) throw invalid("PullRequest", "head", { code: "invalid" });
  if (baseSha === undefined) throw invalid("PullRequest", "base", { code: "invalid" });
  const custom = (message: string) =>
    new Problem(422, "Validation Failed", [{ resource: "PullRequest", code: "custom", message }]);
  const same = [...world.issues.values()].some(
    (issue) => issue.state === "open" && issue.pull?.headRef === head && issue.pull.baseRef === base,
  );
  if (same) throw custom(`A pull request already exists for ${world.options.owner}:${head}.`);
  if ((await world.store.commitsBetween(baseSha, headSha)).length === 0) {
    throw custom(`No commits between ${base} and ${head}`);
  }
  const now = world.now();
  const pull: PullRecord = {
    ...{ id: world.nextId(), headRef: head, headSha, baseRef: base, baseSha, draft: request.draft },
    ...{ mergedAt: null, mergedBy: undefined, mergeSha: null, askedFor: undefined, reviews: [] },
  };
  const issue: IssueRecord = {
    ...{ number: world.nextNumber(), id: world.nextId(), title: request.title, body: request.body ?? null },
    ...{ state: "open", author, labels: [], createdAt: now, updatedAt: now, closedAt: null, pull },
  };
  world.issues.set(issue.number, issue);
  announce(world, issue, "opened", author);
  return issue;
}

/** A pull request as it stands alone: with its merge state and its size. */
export async function fullView(world: ForgeState, issue: IssueRecord, pull: PullRecord) {
  const { mergeable, state } = await mergeabilityOf(world, issue, pull);
  const files = await filesOf(world, issue, pull);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  return {
    ...pullView(world, issue, pull),
    merged: pull.mergedAt !== null,
    mergeable,
    mergeable_state: state,
    rebaseable: mergeable,
    merged_by: pull.mergedBy ? accountView(world, pull.mergedBy) : null,
    comments: [...world.comments.values()].filter((comment) => comment.issue === issue.number).length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: (await commitsOf(world, issue, pull)).length,
    additions: sum(files.map((file) => file.additions)),
    deletions: sum(files.map((file) => file.deletions)),
    changed_files: files.length,
  };
}

async function commitsOf(world: ForgeState, issue: IssueRecord, pull: PullRecord) {
  const shas = await world.store.commitsBetween(await baseOf(world, issue, pull), pull.headSha);
  const commits = await Promise.all(shas.map((sha) => world.store.commit(sha)));
  return commits.flatMap((commit) => (commit ? [commitView(world, commit)] : []));
}

/** Changes count from where the branches parted; while it is open, from the base as it is now. */
async function baseOf(world: ForgeState, issue: IssueRecord, pull: PullRecord): Promise<string> {
  const tip = issue.state === "open" ? await world.store.resolve(`refs/heads/${pull.baseRef}`) : undefined;
  return tip ?? pull.baseSha;
}

export async function filesOf(world: ForgeState, issue: IssueRecord, pull: PullRecord) {
  const base = await baseOf(world, issue, pull);
  const from = (await world.store.mergeBase(base, pull.headSha)) ?? base;
  return (await world.store.filesBetween(from, pull.headSha)).map((file) => ({
    ...file,
    changes: file.additions + file.deletions,
    blob_url: `${pageOf(world)}/blob/${pull.headSha}/${file.filename}`,
    raw_url: `${pageOf(world)}/raw/${pull.headSha}/${file.filename}`,
    contents_url: `${apiOf(world)}/contents/${file.filename}?ref=${pull.headSha}`,
  }));
}

/** A person's review of the head as it is now; gives its id. */
export function addReview(
  world: ForgeState,
  issue: IssueRecord,
  pull: PullRecord,
  { author, state }: Pick<ReviewRecord, "author" | "state">,
): number {
  const review = { id: world.nextId(), author, state, body: "", commit: pull.headSha, submittedAt: world.now() };
  pull.reviews.push(review);
  const about = { pull_request: pullView(world, issue, pull), review: reviewView(world, issue.number, review) };
  world.emit("pull_request_review", { action: "submitted", ...about }, author);
  return review.id;
}
