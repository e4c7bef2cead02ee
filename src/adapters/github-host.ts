import type { Comment, Permission } from "../domain/people.ts";
import type { MergeAnswer, Proposal, ProposalFacts, RequiredCheck } from "../domain/pull-request.ts";
import { stickyMarker } from "../domain/pull-request.ts";
import type { GitHost, People } from "../ports.ts";
import type { GitHubClient } from "./github.ts";
import { statusOf } from "./github-pace.ts";
import { findReport, publishProposal } from "./github-proposals.ts";
import type { Mirror } from "./mirror.ts";

/** The code host port: reads of files from the mirror, everything else through the API. */
export function gitHost(client: GitHubClient, mirror: Mirror): GitHost {
  // Only saves a look: after a restart the comment is found again by its author and marker.
  const reports = new Map<number, number>();
  return {
    head: () => mirror.head(),
    contains: (descendant, ancestor) => mirror.contains(descendant, ancestor),
    publish: (draft) => publishProposal(client, draft),
    report: async (proposal, markdown) => {
      const id = await writeReport(client, proposal, `${stickyMarker}\n${markdown}`, reports.get(proposal.number));
      reports.set(proposal.number, id);
    },
    look: (proposal) => look(client, proposal),
    merge: (proposal) => merge(client, proposal),
    close: async (proposal) => {
      const detail = { pull: proposal.number };
      const request = { ...client.repository, pull_number: proposal.number, state: "closed" as const };
      await client.write("close pull request", detail, () => client.octokit.rest.pulls.update(request));
      await deleteBranch(client, proposal.branch);
    },
  };
}

/** The people port. */
export function people(client: GitHubClient): People {
  const { octokit, repository } = client;
  return {
    comment: async (id) => {
      const found = await client.find(() => octokit.rest.issues.getComment({ ...repository, comment_id: id }));
      return found && commentOf(found);
    },
    commentsSince: async (proposal, since) => {
      const query = { ...repository, issue_number: proposal.number, since, per_page: 100 };
      return (await client.read(() => octokit.rest.issues.listComments(query))).map(commentOf);
    },
    permissionOf: async (username) => {
      const query = { ...repository, username };
      const answer = await client.find(() => octokit.rest.repos.getCollaboratorPermissionLevel(query));
      // `role_name` tells maintain and triage apart, which `permission` folds into write and read.
      return ((answer?.role_name || answer?.permission) ?? "none") as Permission;
    },
    committersOf: async (proposal) => {
      const query = { ...repository, pull_number: proposal.number, per_page: 100 };
      const commits = await client.read(() => octokit.rest.pulls.listCommits(query));
      return [
        ...new Set(commits.flatMap((commit) => [commit.author?.login ?? [], commit.committer?.login ?? []].flat())),
      ];
    },
    react: async (comment_id, content) => {
      const request = { ...repository, comment_id, content };
      await client.write("react", { comment: comment_id, content }, () =>
        octokit.rest.reactions.createForIssueComment(request),
      );
    },
  };
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
  proposal: Proposal,
  body: string,
  known: number | undefined,
): Promise<number> {
  const { octokit, repository } = client;
  const id = known ?? (await findReport(client, proposal.number));
  const detail = { pull: proposal.number };
  if (id !== undefined) {
    const request = { ...repository, comment_id: id, body };
    await client.write("update comment", detail, () => octokit.rest.issues.updateComment(request));
    return id;
  }
  const request = { ...repository, issue_number: proposal.number, body };
  return (await client.write("create comment", detail, () => octokit.rest.issues.createComment(request))).id;
}

async function look(client: GitHubClient, proposal: Proposal): Promise<ProposalFacts> {
  const { octokit, repository } = client;
  const pull = await client.read(() => octokit.rest.pulls.get({ ...repository, pull_number: proposal.number }));
  const state = pull.merged ? "merged" : pull.state === "open" ? "open" : "closed";
  return {
    state,
    headSha: pull.head.sha,
    mergedSha: pull.merged ? (pull.merge_commit_sha ?? undefined) : undefined,
    requiredChecks: state === "open" ? await requiredChecks(client, pull.base.ref, pull.head.sha) : [],
    conflicting: pull.mergeable === null ? undefined : !pull.mergeable,
  };
}

/** Checks that the branch's protection asks for. Passed only when the expected App said success on this very commit. */
async function requiredChecks(client: GitHubClient, branch: string, sha: string): Promise<RequiredCheck[]> {
  const { octokit, repository } = client;
  const base = await client.read(() => octokit.rest.repos.getBranch({ ...repository, branch }));
  const wanted = (base.protection?.required_status_checks as { checks?: WantedCheck[] } | undefined)?.checks ?? [];
  if (wanted.length === 0) return [];
  const query = { ...repository, ref: sha, filter: "latest" as const, per_page: 100 };
  const { check_runs } = await client.read(() => octokit.rest.checks.listForRef(query));
  return wanted.map(({ context, app_id }) => {
    const runs = check_runs.filter(
      (run) => run.name === context && (app_id == null || app_id < 0 || run.app?.id === app_id),
    );
    return { name: context, state: checkState(runs) };
  });
}

interface WantedCheck {
  readonly context: string;
  readonly app_id?: number | null;
}

/** A check that is missing, restarted, neutral or skipped has not passed. */
function checkState(runs: readonly { status: string; conclusion: string | null }[]): RequiredCheck["state"] {
  if (runs.length === 0 || runs.some((run) => run.status !== "completed")) return "pending";
  return runs.every((run) => run.conclusion === "success") ? "passed" : "failed";
}

async function merge(client: GitHubClient, proposal: Proposal): Promise<MergeAnswer> {
  const { octokit, repository } = client;
  const [title = "", ...rest] = proposal.commitMessage.split("\n");
  const request = {
    ...repository,
    pull_number: proposal.number,
    sha: proposal.headSha,
    merge_method: "squash" as const,
    commit_title: `${title} (#${proposal.number})`,
    commit_message: rest.join("\n").trim(),
  };
  try {
    const detail = { pull: proposal.number, sha: proposal.headSha, effect: proposal.effect };
    const merged = await client.write("merge", detail, () => octokit.rest.pulls.merge(request));
    await deleteBranch(client, proposal.branch);
    return { kind: "merged", sha: merged.sha };
  } catch (error) {
    const answer = mergeRefusal(error);
    // An earlier try may have merged it and died before it could say so.
    const now = await look(client, proposal);
    return now.state === "merged" && now.mergedSha !== undefined ? { kind: "merged", sha: now.mergedSha } : answer;
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
      return { kind: "not-yet", because };
    default:
      throw error;
  }
}

async function deleteBranch(client: GitHubClient, branch: string): Promise<void> {
  const request = { ...client.repository, ref: `heads/${branch}` };
  await client
    .write("delete branch", { branch }, () => client.octokit.rest.git.deleteRef(request))
    .catch((error) => {
      // Already gone, for instance deleted by the repository's own setting.
      if (statusOf(error) !== 422 && statusOf(error) !== 404) throw error;
    });
}
