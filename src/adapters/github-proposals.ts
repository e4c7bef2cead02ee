import { incidentLine, checkName, readTrailer, stickyMarker } from "../domain/pull-request.ts";
import type { Proposal, ProposalDraft } from "../domain/pull-request.ts";
import { Refused } from "../ports.ts";
import type { GitHubClient } from "./github.ts";
import { statusOf } from "./github-pace.ts";

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
 */
export async function publishProposal(client: GitHubClient, draft: ProposalDraft): Promise<Proposal> {
  const pulls = await findPulls(client, draft.branch);
  const own = pulls.find((pull) => pull.body?.includes(incidentLine(draft.incident)));
  if (own) return adopt(client, draft, own);

  const foreign = pulls.find((pull) => pull.state === "open");
  if (foreign) throw new Refused(`the workload already has an open proposal: #${foreign.number}`);
  const branch = await createBranch(client, draft);
  const pull = await openPull(client, draft, branch.name);
  await complete(client, draft, pull, { labels: [], comment: undefined, checked: false });
  return proposalOf(draft, pull, branch.sha);
}

async function findPulls(client: GitHubClient, branch: string): Promise<Pull[]> {
  const { owner } = client.repository;
  const query = { ...client.repository, head: `${owner}:${branch}`, state: "all" as const, per_page: 30 };
  const pulls: Pull[] = await client.read(() => client.octokit.rest.pulls.list(query));
  return pulls.filter((pull) => pull.user?.login === client.login || pull.state === "open");
}

async function adopt(client: GitHubClient, draft: ProposalDraft, pull: Pull): Promise<Proposal> {
  if (pull.state !== "open") return proposalOf(draft, pull, pull.head.sha);
  const head = await commitAt(client, pull.head.sha);
  const ours = readTrailer(head.message, "Incident-UID") === draft.incident;
  const outdated = ours && readTrailer(head.message, "Effect") !== draft.effect;
  const sha = outdated ? await addCommit(client, draft, pull) : pull.head.sha;
  const comment = await findReport(client, pull.number);
  await complete(client, draft, pull, {
    labels: pull.labels.flatMap((label) => label.name ?? []),
    comment,
    checked: !outdated && (await hasCheck(client, sha)),
  });
  return proposalOf(draft, pull, sha);
}

/** The first commit on a fresh branch. A branch of that name that is not ours is left alone. */
async function createBranch(client: GitHubClient, draft: ProposalDraft): Promise<{ name: string; sha: string }> {
  const commit = await createCommit(client, draft, draft.baseSha);
  for (const name of [draft.branch, `${draft.branch}-${draft.incident.slice(0, 8)}`]) {
    const sha = await createOrAdoptRef(client, name, commit, draft);
    if (sha !== undefined) return { name, sha };
  }
  throw new Refused(`branch ${draft.branch} is taken by someone else`);
}

async function createOrAdoptRef(
  client: GitHubClient,
  name: string,
  commit: { sha: string; tree: string },
  draft: ProposalDraft,
): Promise<string | undefined> {
  try {
    const ref = { ...client.repository, ref: `refs/heads/${name}`, sha: commit.sha };
    await client.write("create branch", { branch: name, sha: commit.sha, incident: draft.incident }, () =>
      client.octokit.rest.git.createRef(ref),
    );
    return commit.sha;
  } catch (error) {
    if (statusOf(error) !== 422) throw error;
  }
  const taken = await client.find(() => client.octokit.rest.git.getRef({ ...client.repository, ref: `heads/${name}` }));
  if (!taken) return undefined;
  const there = await commitAt(client, taken.object.sha);
  const ours = readTrailer(there.message, "Incident-UID") === draft.incident && there.tree === commit.tree;
  return ours ? taken.object.sha : undefined;
}

/** A commit by the App without author fields comes back signed by GitHub. */
async function createCommit(
  client: GitHubClient,
  draft: ProposalDraft,
  parent: string,
): Promise<{ sha: string; tree: string }> {
  const tree = draft.files.map(({ path, content }) => ({
    path,
    content,
    mode: "100644" as const,
    type: "blob" as const,
  }));
  const paths = draft.files.map((file) => file.path);
  const detail = { paths, base: draft.baseSha, incident: draft.incident, effect: draft.effect };
  const created = await client.write("create tree", detail, () =>
    client.octokit.rest.git.createTree({ ...client.repository, base_tree: draft.baseSha, tree }),
  );
  const commit = await client.write("create commit", detail, () =>
    client.octokit.rest.git.createCommit({
      ...client.repository,
      message: draft.commitMessage,
      tree: created.sha,
      parents: [parent],
    }),
  );
  return { sha: commit.sha, tree: created.sha };
}

/** A changed plan goes on top of the branch, never over it. */
async function addCommit(client: GitHubClient, draft: ProposalDraft, pull: Pull): Promise<string> {
  const commit = await createCommit(client, draft, pull.head.sha);
  const ref = { ...client.repository, ref: `heads/${pull.head.ref}`, sha: commit.sha, force: false };
  const detail = { branch: pull.head.ref, sha: commit.sha, incident: draft.incident };
  await client.write("update branch", detail, () => client.octokit.rest.git.updateRef(ref));
  const text = { ...client.repository, pull_number: pull.number, title: draft.title, body: draft.body };
  await client.write("update pull request", detail, () => client.octokit.rest.pulls.update(text));
  return commit.sha;
}

async function openPull(client: GitHubClient, draft: ProposalDraft, branch: string): Promise<Pull> {
  const request = {
    ...client.repository,
    head: branch,
    base: client.defaultBranch,
    title: draft.title,
    body: draft.body,
  };
  const detail = { branch, incident: draft.incident, effect: draft.effect };
  return client.write("open pull request", detail, () => client.octokit.rest.pulls.create(request));
}

interface Present {
  readonly labels: readonly string[];
  readonly comment: number | undefined;
  readonly checked: boolean;
}

/** Labels, sticky comment and Check Run, as far as they are missing. */
async function complete(client: GitHubClient, draft: ProposalDraft, pull: Pull, present: Present): Promise<void> {
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
    await client.write("create comment", detail, () => client.octokit.rest.issues.createComment({ ...issue, body }));
  }
  if (present.checked) return;
  const { conclusion, title, summary } = draft.check;
  const run = {
    name: checkName,
    head_sha: pull.head.sha,
    status: "completed" as const,
    conclusion,
    external_id: draft.effect,
  };
  await client.write("create check run", { ...detail, conclusion }, () =>
    client.octokit.rest.checks.create({ ...client.repository, ...run, output: { title, summary } }),
  );
}

async function commitAt(client: GitHubClient, sha: string): Promise<{ message: string; tree: string }> {
  const commit = await client.read(() => client.octokit.rest.git.getCommit({ ...client.repository, commit_sha: sha }));
  return { message: commit.message, tree: commit.tree.sha };
}

/** The id of our sticky comment: ours by authorship, not by its text alone. */
export async function findReport(client: GitHubClient, number: number): Promise<number | undefined> {
  const query = { ...client.repository, issue_number: number, per_page: 100 };
  const comments = await client.read(() => client.octokit.rest.issues.listComments(query));
  return comments.find((comment) => comment.user?.login === client.login && comment.body?.startsWith(stickyMarker))?.id;
}

async function hasCheck(client: GitHubClient, sha: string): Promise<boolean> {
  const query = { ...client.repository, ref: sha, check_name: checkName };
  const { total_count } = await client.read(() => client.octokit.rest.checks.listForRef(query));
  return total_count > 0;
}

function proposalOf(draft: ProposalDraft, pull: Pull, headSha: string): Proposal {
  return {
    number: pull.number,
    url: pull.html_url,
    branch: pull.head.ref,
    headSha,
    effect: draft.effect,
    commitMessage: draft.commitMessage,
    files: draft.files.map((file) => file.path),
    labels: draft.labels,
  };
}
