import { mergeMethods } from "../../domain/guardrails/merge-method.ts";
import type { Comment, Permission } from "../../domain/guardrails/commenter.ts";
import type { MergeAnswer, Proposal, ProposalFacts, PullPlace } from "../../domain/proposal/pull-request.ts";
import { displacements, incidentIn, readTrailer, stickyMarker } from "../../domain/proposal/pull-request.ts";
import { unlessShut } from "../../ports/errors.ts";
import { type GitHost, type People, withdrawing } from "../../ports/github.ts";
import { type GitHubClient, keepReport, type RepositoryAbout } from "./github.ts";
import { branchProtection, checksOn, settleCheck } from "./checks.ts";
import { issuesOf, openIssues } from "./issues.ts";
import { marksOf } from "./marks.ts";
import { leaveQueue, queueEntry, renderEntry } from "./merge/queue.ts";
import { type MergeWish, tryMerge } from "./merge/merging.ts";
import { statusOf } from "./pace.ts";
import { findReport, publishProposal } from "./proposals.ts";
import type { Mirror } from "../git-mirror.ts";

/** The code host port: reads of files from the mirror, everything else through the API. */
export function gitHost(client: GitHubClient, mirror: Mirror): GitHost {
  return {
    head: () => mirror.head(),
    at: (sha) => mirror.at(sha),
    commitsSince: (since) => mirror.commitsSince(since),
    contains: (descendant, ancestor) => mirror.contains(descendant, ancestor),
    publish: async (draft) => publishProposal(client, draft, await mirror.treeId(draft.baseSha)),
    report: async (proposal, markdown, decided) => {
      const body = `${stickyMarker}\n${markdown}`;
      // After a restart the comment is found again by its author and marker.
      const known = client.reports.get(proposal.number);
      if (known?.body !== body) {
        const id = await unlessShut(writeReport(client, proposal, body, known?.id));
        if (id !== undefined) keepReport(client, proposal.number, { id, body });
      }
      if (decided === undefined) return;
      // The comment says it all: a title that GitHub does not take stops nothing.
      await unlessShut(settleCheck(client, proposal, { ...onRecord(proposal), title: decided })).catch(unlessRefused);
    },
    ...issuesOf(client),
    ...marksOf(client),
    look: (proposal) => look(client, proposal),
    stateOf: async (proposal) => {
      const { state, headSha } = pullState(await pullOf(client, proposal));
      return { state, headSha };
    },
    openProposals: async () => {
      const own = await openIssues(client, { creator: client.login });
      return own
        .filter((issue) => issue.pull_request)
        .map(({ number, body }) => ({ number, incident: incidentIn(body ?? "") }));
    },
    merge: (proposal, approvedBy = [], methods = mergeMethods) => merge(client, proposal, { approvedBy, methods }),
    leaveQueue: (proposal) => leaveQueue(client, onRecord(proposal)),
    close: (proposal) => close(client, proposal),
    withdraw: (proposal, markdown) => withdraw(client, proposal, `${stickyMarker}\n${markdown}`),
  };
}

/** What every row about a proposal names. */
function onRecord({ number, commitMessage }: Pick<Proposal, "number" | "commitMessage">) {
  return { pull: number, incident: readTrailer(commitMessage, "Incident-UID") };
}

async function close(client: GitHubClient, proposal: Proposal): Promise<void> {
  const request = { ...client.repository, pull_number: proposal.number, state: "closed" as const };
  const update = () => client.octokit.rest.pulls.update(request);
  await client.write("close pull request", onRecord(proposal), update);
  await deleteBranch(client, proposal);
}

/** The writes of a withdrawal have names of their own, so that the last door knows them. */
async function withdraw(client: GitHubClient, proposal: Proposal, body: string): Promise<void> {
  if (pullState(await pullOf(client, proposal)).state !== "open") return;
  const write: GitHubClient["write"] = (action, ...asked) => client.write(`${withdrawing}${action}`, ...asked);
  const last = { ...client, write };
  // A closed pull request is in no queue and waits for nobody: neither no keeps it open.
  await leaveQueue(last, onRecord(proposal)).catch(unlessRefused);
  await writeReport(last, proposal, body, client.reports.get(proposal.number)?.id).catch(unlessRefused);
  await close(last, proposal);
}

// The oldest come first, so that a flood would hide what is said behind it. GitHub takes 2,500 comments under one thing.
const pagesOfOne = 25;
const pagesOfAll = 100;

type Page = (at: { page: number; per_page: number }) => Promise<{ data: RawComment[] }>;

/** The people port. */
export function people(client: GitHubClient): People {
  const { octokit, repository } = client;
  return {
    comment: async (id) => {
      const request = { ...repository, comment_id: id };
      const found = await told(async () => ({ raw: await client.find(() => octokit.rest.issues.getComment(request)) }));
      if (found === undefined) return "untold";
      return found.raw && commentOf(found.raw);
    },
    commentsOn: async (proposal) => {
      const query = { ...repository, issue_number: proposal.number };
      const page: Page = (at) => octokit.rest.issues.listComments({ ...query, ...at });
      return (await client.readAll(page, pagesOfOne)).map(commentOf);
    },
    commentsSince: async (since) => {
      const query = { ...repository, since: since.toISOString(), sort: "updated" as const, direction: "asc" as const };
      const page: Page = (at) => octokit.rest.issues.listCommentsForRepo({ ...query, ...at });
      return (await client.readAll(page, pagesOfAll)).map(commentOf);
    },
    permissionOf: async (username) => {
      const query = { ...repository, username };
      return told(async () => {
        const answer = await client.find(() => octokit.rest.repos.getCollaboratorPermissionLevel(query));
        return answer === undefined ? "none" : permissionIn(answer);
      });
    },
    teamsOf: async (username, teams) => {
      return told(async () => {
        const memberOf = await Promise.all(teams.map((team) => isMember(client, username, team)));
        return teams.filter((_, at) => memberOf[at]);
      });
    },
    committersOf: async (proposal) => {
      const query = { ...repository, pull_number: proposal.number };
      const commits = await told(() => client.readAll((at) => octokit.rest.pulls.listCommits({ ...query, ...at })));
      const logins = commits?.flatMap(({ author, committer }) => [author?.login ?? [], committer?.login ?? []].flat());
      return logins && [...new Set(logins)];
    },
    react: async (comment_id, content, incident) => {
      const request = { ...repository, comment_id, content };
      const detail = { comment: comment_id, content, incident };
      await unlessShut(client.write("react", detail, () => octokit.rest.reactions.createForIssueComment(request)))
        // A locked conversation, a deleted comment, shadow mode: nothing depends on a reaction.
        .catch(unlessRefused);
    },
  };
}

const permissions: readonly string[] = ["admin", "maintain", "write", "triage", "read", "none"] satisfies Permission[];

// `role_name` tells maintain and triage apart, which `permission` folds into write and read. It may also be the name
// of a role that an organisation made up, or empty: then only the folded one can be understood.
function permissionIn({ role_name, permission }: { role_name: string; permission: string }): Permission {
  const known = [role_name, permission].find((name) => permissions.includes(name));
  return (known ?? "none") as Permission;
}

async function isMember({ find, octokit }: GitHubClient, username: string, team: string): Promise<boolean> {
  const [org = "", team_slug = ""] = team.split("/");
  const found = await find(() => octokit.rest.teams.getMembershipForUserInOrg({ org, team_slug, username }));
  return found?.state === "active";
}

/** What GitHub refuses (403, 410, 451) or leaves open (304) about one person or comment must not end a workflow. */
async function told<T>(ask: () => Promise<T>): Promise<T | undefined> {
  return ask().catch(unlessRefused);
}

function unlessRefused(error: unknown): undefined {
  if (statusOf(error) === undefined) throw error;
}

/** What was deleted meanwhile needs nothing any more. */
function unlessGone(error: unknown): undefined {
  if (statusOf(error) !== 404) throw error;
}

interface RawComment {
  readonly id: number;
  readonly issue_url: string;
  readonly body?: string | undefined;
  readonly user: { readonly login: string; readonly type: string } | null;
  readonly performed_via_github_app?: object | null | undefined;
  readonly created_at: string;
  readonly updated_at: string;
}

function commentOf(raw: RawComment): Comment {
  return {
    id: raw.id,
    proposal: Number(raw.issue_url.split("/").at(-1)),
    author: raw.user?.login ?? "",
    byPerson: raw.user?.type === "User" && !raw.performed_via_github_app,
    body: raw.body ?? "",
    createdAt: raw.created_at,
    edited: raw.updated_at !== raw.created_at,
  };
}

async function writeReport(
  client: GitHubClient,
  proposal: Pick<Proposal, "number" | "commitMessage">,
  body: string,
  known: number | undefined,
): Promise<number> {
  const { octokit, repository } = client;
  const id = known ?? (await findReport(client, proposal.number));
  const detail = onRecord(proposal);
  if (id !== undefined) {
    const request = { ...repository, comment_id: id, body };
    const updated = await client
      .write("update comment", detail, () => octokit.rest.issues.updateComment(request))
      .catch(unlessGone);
    if (updated) return id;
  }
  const request = { ...repository, issue_number: proposal.number, body };
  const make = () => client.write("create comment", detail, () => octokit.rest.issues.createComment(request));
  return (await client.doubts.once(`the comment of #${proposal.number}`, make)).id;
}

function pullOf({ octokit, repository, read }: GitHubClient, { number }: Pick<Proposal, "number">) {
  return read(() => octokit.rest.pulls.get({ ...repository, pull_number: number }));
}

function pullState(pull: Awaited<ReturnType<typeof pullOf>>): Pick<ProposalFacts, "state" | "headSha"> {
  const state = pull.merged ? "merged" : pull.state === "open" ? "open" : "closed";
  return { state, headSha: pull.head.sha };
}

async function look(client: GitHubClient, proposal: Pick<Proposal, "number">): Promise<ProposalFacts> {
  const pull = await pullOf(client, proposal);
  const { state, headSha } = pullState(pull);
  const about = {
    ...{ state, headSha, place: placeOf(await client.about(), pull) },
    conflicting: pull.mergeable === null ? undefined : !pull.mergeable,
  };
  if (state !== "open") {
    const mergedSha = pull.merged ? (pull.merge_commit_sha ?? undefined) : undefined;
    const mergedBy = pull.merged_by?.type === "Bot" ? pull.merged_by.login : undefined;
    return { ...about, mergedSha, requiredChecks: [], mergedBy };
  }
  const protection = await branchProtection(client, pull.base.ref);
  const [checks, queued] = await Promise.all([
    checksOn(client, protection.checks, pull.head.sha),
    queueEntry(client, { number: proposal.number, base: pull.base.ref, ruled: protection.mergeQueue }),
  ]);
  return {
    ...about,
    mergedSha: undefined,
    requiredChecks: checks.required,
    failedChecks: checks.failed,
    behind: pull.mergeable_state === "behind",
    queued: queued && renderEntry(queued),
  };
}

function placeOf(
  { defaultBranch }: RepositoryAbout,
  pull: { base: { ref: string }; head: { ref: string }; draft?: boolean | undefined },
): PullPlace {
  return { base: pull.base.ref, branch: pull.head.ref, draft: pull.draft === true, defaultBranch };
}

async function merge(client: GitHubClient, proposal: Proposal, how: MergeWish): Promise<MergeAnswer> {
  // GitHub binds a merge to the head and to nothing else, and the turn to write may have come much later than the look.
  const pull = await pullOf(client, proposal);
  const changed = pull.merged ? [] : displacements(placeOf(await client.about(), pull), proposal.branch);
  if (changed.length > 0) return { kind: "not-yet", because: `waiting for ${changed.join(", ")}` };
  const answer = await tryMerge(client, { proposal, pull, incident: onRecord(proposal).incident }, how);
  // An earlier try may have merged it and died before it could say so.
  const now = answer.kind === "merged" ? undefined : await look(client, proposal);
  const merged = now?.state === "merged" && now.mergedSha !== undefined ? now.mergedSha : undefined;
  const settled: MergeAnswer = merged === undefined ? answer : { kind: "merged", sha: merged };
  if (settled.kind === "merged") await deleteBranch(client, proposal);
  return settled;
}

/** Deletes the branch while it holds nothing but what we put there: a person's commits are theirs to keep. */
async function deleteBranch(client: GitHubClient, proposal: Proposal): Promise<void> {
  const { branch, headSha } = proposal;
  if (branch === "") return;
  const { octokit, repository } = client;
  const ref = { ...repository, ref: `heads/${branch}` };
  const there = await client.find(() => octokit.rest.git.getRef(ref));
  if (there?.object.sha !== headSha) return;
  await client
    .write("delete branch", { ...onRecord(proposal), branch }, () => octokit.rest.git.deleteRef(ref))
    .catch((error) => {
      // Already gone, or not to be deleted by the repository's rules: neither undoes what was merged or closed.
      if (statusOf(error) === undefined) throw error;
    });
}
