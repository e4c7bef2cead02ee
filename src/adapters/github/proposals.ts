import { switchedToShadow } from "../../domain/proposal/decision.ts";
import { incidentLine, stickyMarker } from "../../domain/proposal/pull-request.ts";
import type { Proposal, ProposalDraft } from "../../domain/proposal/pull-request.ts";
import { Refused, Shut, Unavailable, unlessShut } from "../../ports/errors.ts";
import { type GitHubClient, keepReport } from "./github.ts";
import { type Draft, bodyOn, commitAt, createCommit, createTree, holdsPlan, isOurs } from "./commits.ts";
import { ownCheck, writeCheck } from "./checks.ts";
import { askPeople } from "./reviewers.ts";
import { statusOf } from "./pace.ts";

/** The part of a pull request's answer that we use. */
interface Pull {
  readonly number: number;
  readonly html_url: string;
  readonly state: string;
  readonly body: string | null;
  readonly user: { readonly login: string } | null;
  readonly head: { readonly sha: string; readonly ref: string };
  readonly labels: readonly { readonly name?: string | undefined }[];
}

/**
 * Opens the pull request of an incident, or finds the one that an earlier try opened. The look at the start tells
 * which it is: after it, a new pull request needs no further looks, an adopted one is completed piece by piece.
 * `baseTree` is the tree of the draft's base.
 */
export async function publishProposal(client: GitHubClient, asked: ProposalDraft, baseTree: string): Promise<Proposal> {
  const draft: Draft = { ...asked, baseTree };
  const pulls = await findPulls(client, draft.branch);
  const own = await ownAmong(client, draft, pulls);
  if (own) return adopt(client, draft, own);

  const other = pulls.find((pull) => pull.state === "open");
  if (other) throw new Refused(`the workload already has an open proposal: #${other.number}`);
  const tree = await createTree(client, draft);
  const branch = await createBranch(client, draft, tree);
  const pull = await openPull(client, draft, branch.name);
  if (pull === undefined) {
    return adopt(client, draft, await findOpened(client, draft, branch.name));
  }
  // Shadow mode may begin right here: what is open by now is told to whoever withdraws it.
  const present = { pull, sha: branch.sha, labels: [], comment: undefined, foreign: false };
  const check = await unlessShut(complete(client, draft, present));
  return proposalOf(draft, pull, branch.sha, check);
}

/** The pull request that GitHub says exists: ours, as soon as it is listed, unless somebody else's is. */
async function findOpened(client: GitHubClient, draft: Draft, branch: string): Promise<Pull> {
  const pulls = (await allPulls(client, branch)).filter((pull) => pull.state === "open");
  const own = pulls.find((pull) => pull.user?.login === client.login && isOwn(pull, draft));
  if (own) return own;
  if (pulls.length === 0) client.doubts.await(`a pull request of branch ${branch}`);
  throw new Refused(`branch ${branch} already has a pull request of someone else`);
}

async function ownAmong(client: GitHubClient, draft: Draft, pulls: readonly Pull[]): Promise<Pull | undefined> {
  for (const pull of pulls) {
    if (pull.number <= (draft.after ?? 0) || !isOwn(pull, draft)) continue;
    if (pull.state === "open" || !(await isWithdrawn(client, pull))) return pull;
  }
  return undefined;
}

/** Closed by us for shadow mode: that is no word on the change, which may be proposed again. */
async function isWithdrawn(client: GitHubClient, { number }: Pull): Promise<boolean> {
  return (await ownReport(client, number))?.body?.includes(switchedToShadow) === true;
}

/** One incident may have several over time (a remedy, then its revert): a finished one counts only for its own effect. */
function isOwn(pull: Pull, draft: Draft): boolean {
  if (!pull.body?.includes(incidentLine(draft.incident))) return false;
  return pull.state === "open" || pull.body.includes(draft.effect);
}

/** The App's own pull requests for this branch. What others opened is no proposal, whatever its text says. */
async function findPulls(client: GitHubClient, branch: string): Promise<Pull[]> {
  return (await allPulls(client, branch)).filter((pull) => pull.user?.login === client.login);
}

function allPulls(client: GitHubClient, branch: string): Promise<Pull[]> {
  const { owner } = client.repository;
  const query = { ...client.repository, head: `${owner}:${branch}`, state: "all" as const, per_page: 30 };
  return client.read(() => client.octokit.rest.pulls.list(query));
}

async function adopt(client: GitHubClient, draft: Draft, pull: Pull): Promise<Proposal> {
  return brought(client, draft, pull).catch(async (error: unknown) => {
    // What an earlier try opened is open, whatever is shut by now: whoever withdraws it must know it. Of an older plan of
    // ours somebody does.
    if (!(error instanceof Shut) || !pull.body?.includes(draft.effect)) throw error;
    return proposalOf(draft, pull, await lastOwnCommit(client, draft, pull));
  });
}

/** As far as it lacks something, it is brought up to the draft. */
async function brought(client: GitHubClient, draft: Draft, pull: Pull): Promise<Proposal> {
  if (pull.state !== "open") return proposalOf(draft, pull, pull.head.sha);
  const tree = await createTree(client, draft);
  const head = await commitAt(client, pull.head.sha);
  // The planned files, or our own older plan, which gets the new one on top. Else a person took over.
  const current = head.tree === tree || (await holdsPlan(client, draft, { ...head, sha: pull.head.sha }));
  const foreign = !current && !isOurs(client, head, draft);
  const sha = foreign
    ? await lastOwnCommit(client, draft, pull)
    : current
      ? pull.head.sha
      : await addCommit(client, draft, { tree, branch: pull.head.ref, head: pull.head.sha });
  if (!foreign && !(current && pull.body?.includes(draft.effect))) await rewrite(client, draft, pull);
  const comment = await findReport(client, pull.number);
  const check = foreign ? undefined : await ownCheck(client, draft, sha);
  const labels = pull.labels.flatMap((label) => label.name ?? []);
  const completed = await unlessShut(complete(client, draft, { pull, sha, labels, comment, foreign, check }));
  return proposalOf(draft, pull, sha, completed);
}

/** The head that the workflow goes on with when a person pushed on top of it: theirs is never merged as ours. */
async function lastOwnCommit(client: GitHubClient, draft: Draft, pull: Pull): Promise<string> {
  const query = { ...client.repository, pull_number: pull.number };
  const commits = await client.readAll((at) => client.octokit.rest.pulls.listCommits({ ...query, ...at }));
  const own = commits.findLast(({ commit }) =>
    isOurs(client, { message: commit.message, email: commit.author?.email ?? "" }, draft),
  );
  if (!own) throw new Refused(`a person replaced the commits of #${pull.number}`);
  return own.sha;
}

interface Branch {
  readonly name: string;
  readonly sha: string;
}

/** The first commit on a fresh branch. A branch of that name that is not ours is left alone. */
async function createBranch(client: GitHubClient, draft: Draft, tree: string): Promise<Branch> {
  const commit = await createCommit(client, draft, { tree, parents: [draft.baseSha] });
  for (const name of [draft.branch, `${draft.branch}-${draft.incident.slice(0, 8)}`]) {
    const made = await createRef(client, draft, { name, sha: commit });
    if (made === "created") return { name, sha: commit };
    const sha = await adoptBranch(client, draft, { name, tree, exists: made === "exists" });
    if (sha !== undefined) return { name, sha };
  }
  throw new Refused(`branch ${draft.branch} is taken by someone else`);
}

/** `refused` = GitHub does not take this name, or does not say why. */
async function createRef(
  client: GitHubClient,
  draft: Draft,
  { name, sha }: Branch,
): Promise<"created" | "exists" | "refused"> {
  const ref = { ...client.repository, ref: `refs/heads/${name}`, sha };
  return client
    .write("create branch", { branch: name, sha, incident: draft.incident }, () =>
      client.octokit.rest.git.createRef(ref),
    )
    .then(
      () => "created" as const,
      (error) => {
        if (statusOf(error) !== 422) throw error;
        if (/rule violations/i.test(error.message)) throw againstRules(error.message);
        return /already exists/i.test(error.message) ? "exists" : "refused";
      },
    );
}

/** What the repository's own rules forbid is quoted, with the fields of the guardrails that can help. */
function againstRules(message: string): Refused {
  return new Refused(`${message.replace(/\s+/g, " ").trim()} (guardrails: branchPrefix, titleTemplate)`);
}

/** The head of a branch that an earlier try made for this incident, brought up to the draft; undefined: not ours. */
async function adoptBranch(
  client: GitHubClient,
  draft: Draft,
  { name, tree, exists }: { name: string; tree: string; exists: boolean },
): Promise<string | undefined> {
  const taken = await client.find(() => client.octokit.rest.git.getRef({ ...client.repository, ref: `heads/${name}` }));
  if (!taken) {
    if (exists) client.doubts.await(`branch ${name}`);
    return undefined;
  }
  const head = taken.object.sha;
  const there = await commitAt(client, head);
  if (!isOurs(client, there, draft)) return undefined;
  const current = there.tree === tree || (await holdsPlan(client, draft, { ...there, sha: head }));
  return current ? head : addCommit(client, draft, { tree, branch: name, head });
}

/** A changed plan goes on top of the branch, never over it. */
async function addCommit(
  client: GitHubClient,
  draft: Draft,
  { tree, branch, head }: { tree: string; branch: string; head: string },
): Promise<string> {
  const basehead = `${draft.baseSha}...${head}`;
  const query = { ...client.repository, basehead, per_page: 1 };
  const { behind_by } = await client.read(() => client.octokit.rest.repos.compareCommitsWithBasehead(query));
  // Planned on a newer base: without it as a parent its changes would count as ours.
  const parents = behind_by > 0 ? [head, draft.baseSha] : [head];
  const sha = await createCommit(client, draft, { tree, parents });
  const ref = { ...client.repository, ref: `heads/${branch}`, sha, force: false };
  const detail = { branch, sha, incident: draft.incident };
  await client
    .write("update branch", detail, () => client.octokit.rest.git.updateRef(ref))
    .catch((error) => {
      // A person pushed just now: the next try sees their commit.
      if (statusOf(error) === 422 && /fast.forward/i.test(error.message)) throw new Unavailable("the branch moved");
      throw error;
    });
  return sha;
}

async function rewrite(client: GitHubClient, draft: Draft, pull: Pull): Promise<void> {
  const detail = { pull: pull.number, incident: draft.incident, effect: draft.effect };
  const text = {
    ...client.repository,
    pull_number: pull.number,
    title: draft.title,
    body: bodyOn(draft, pull.head.ref),
  };
  await client.write("update pull request", detail, () => client.octokit.rest.pulls.update(text));
}

/** Undefined when the branch already has an open pull request. */
async function openPull(client: GitHubClient, draft: Draft, branch: string): Promise<Pull | undefined> {
  const { title } = draft;
  const body = bodyOn(draft, branch);
  const { defaultBranch } = await client.about();
  const request = { ...client.repository, head: branch, base: defaultBranch, title, body };
  const detail = { branch, incident: draft.incident, effect: draft.effect };
  return client
    .write("open pull request", detail, () => client.octokit.rest.pulls.create(request))
    .catch((error) => {
      if (statusOf(error) === 422 && /already exists/.test(error.message)) return undefined;
      throw error;
    });
}

interface Present {
  readonly pull: Pull;
  /** The commit that the check is about. */
  readonly sha: string;
  readonly labels: readonly string[];
  readonly comment: number | undefined;
  /** A person's commit is its head: there our check would be about what we did not propose. */
  readonly foreign: boolean;
  readonly check?: number | undefined;
}

/** Labels, sticky comment and Check Run, as far as they are missing. The answer is the id of the Check Run. */
async function complete(client: GitHubClient, draft: Draft, present: Present): Promise<number | undefined> {
  const { pull, sha } = present;
  const issue = { ...client.repository, issue_number: pull.number };
  const detail = { pull: pull.number, incident: draft.incident };
  const labels = draft.labels.filter((label) => !present.labels.includes(label));
  if (labels.length > 0) {
    await client.write("add labels", { ...detail, labels }, () =>
      client.octokit.rest.issues.addLabels({ ...issue, labels }),
    );
  }
  if (present.comment === undefined) {
    const body = `${stickyMarker}\n${draft.report}`;
    const request = { ...issue, body };
    const { id } = await client.doubts.once(`the comment of #${pull.number}`, () =>
      client.write("create comment", detail, () => client.octokit.rest.issues.createComment(request)),
    );
    keepReport(client, pull.number, { id, body });
  }
  if (present.comment === undefined) await askPeople(client, draft, pull);
  if (present.foreign || present.check !== undefined) return present.check;
  return writeCheck(client, draft, { pull: pull.number, sha });
}

/** The id of our sticky comment. */
export async function findReport(client: GitHubClient, number: number): Promise<number | undefined> {
  return (await ownReport(client, number))?.id;
}

/** Our sticky comment: ours by authorship, not by its text alone. */
async function ownReport(client: GitHubClient, number: number) {
  const query = { ...client.repository, issue_number: number, per_page: 100 };
  const comments = await client.read(() => client.octokit.rest.issues.listComments(query));
  return comments.find((comment) => comment.user?.login === client.login && comment.body?.startsWith(stickyMarker));
}

function proposalOf(draft: Draft, pull: Pull, headSha: string, check?: number): Proposal {
  return {
    number: pull.number,
    url: pull.html_url,
    branch: pull.head.ref,
    headSha,
    effect: draft.effect,
    commitMessage: draft.commitMessage,
    files: draft.files.map((file) => file.path),
    labels: draft.labels,
    ...(draft.head === undefined ? {} : { head: draft.head }),
    ...(check === undefined ? {} : { checkRun: { id: check, summary: draft.check.summary } }),
  };
}
