import type {
  FileProposal,
  GuardrailsFile,
  GuardrailsHost,
  GuardrailsVerdict,
  ProposedFile,
} from "../../ports/guardrails-host.ts";
import { visible } from "../../domain/text/visible.ts";
import { Refused } from "../../ports/errors.ts";
import type { GitHubClient } from "./github.ts";
import { statusOf } from "./pace.ts";

/** The guardrails file on the code host: as pull requests would have it, and the one that proposes it. */
export function guardrailsHost(client: GitHubClient): GuardrailsHost {
  // Only saves looks: after a restart the pull request is found again by its branch.
  let proposed: ProposedFile | undefined;
  return {
    login: client.login,
    changedIn: (pull, path) => changedIn(client, pull, path),
    pullsSince: async (since) => {
      const query = { ...client.repository, state: "open", sort: "updated", direction: "desc" } as const;
      const pulls = await client.readAll(async (at) => {
        const { data } = await client.octokit.rest.pulls.list({ ...query, ...at });
        // The first older one ends the reading.
        return { data: data.filter((pull) => Date.parse(pull.updated_at) >= since.getTime()) };
      });
      return pulls.filter((pull) => pull.user?.login !== client.login).map((pull) => pull.number);
    },
    check: (file, verdict) => check(client, file, verdict),
    proposeOnce: async (proposal) => {
      proposed ??= await proposeOnce(client, proposal);
      return proposed;
    },
  };
}

async function changedIn(client: GitHubClient, pull: number, path: string): Promise<GuardrailsFile | undefined> {
  const { octokit, repository } = client;
  const at = { ...repository, pull_number: pull };
  const { head, state } = await client.read(() => octokit.rest.pulls.get(at));
  if (state !== "open") return undefined;
  const files = await client.readAll((page) => octokit.rest.pulls.listFiles({ ...at, ...page }));
  const file = files.find(({ filename }) => filename === path);
  if (file === undefined) return undefined;
  const about = { pull, headSha: head.sha, blob: file.sha ?? "" };
  if (file.status === "removed" || file.sha === null) return { ...about, bytes: undefined };
  // By its own id, not by path and branch: it is the very text that the head holds, also in a fork.
  const blob = await client.read(() => octokit.rest.git.getBlob({ ...repository, file_sha: about.blob }));
  return { ...about, bytes: Buffer.from(blob.content, "base64") };
}

const checkName = "rectify-guardrails";
// GitHub takes fifty annotations with one call.
const mostAnnotations = 50;

async function check(
  client: GitHubClient,
  { pull, headSha, blob }: GuardrailsFile,
  { path, conclusion, title, summary, problems }: GuardrailsVerdict,
): Promise<void> {
  const { octokit, repository, appId } = client;
  const query = { ...repository, ref: headSha, check_name: checkName, app_id: appId };
  const { check_runs } = await client.read(() => octokit.rest.checks.listForRef(query));
  if (check_runs.some((run) => run.external_id === blob && run.conclusion === conclusion)) return;
  const annotations = problems.slice(0, mostAnnotations).map(({ line, text }) => ({
    ...{ path, start_line: line, end_line: line, message: visible(text), annotation_level: "failure" as const },
  }));
  const about = { name: checkName, head_sha: headSha, external_id: blob, status: "completed" as const, conclusion };
  await client.write("create check run", { pull, sha: headSha, conclusion }, () =>
    octokit.rest.checks.create({
      ...repository,
      ...about,
      output: { title: visible(title), summary: visible(summary), annotations },
    }),
  );
}

async function proposeOnce(client: GitHubClient, proposal: FileProposal): Promise<ProposedFile> {
  const { octokit, repository } = client;
  const { defaultBranch } = await client.about();
  const { branch, title, body, path, content } = proposal;
  const query = { ...repository, head: `${repository.owner}:${branch}`, state: "all" as const };
  const earlier = await client.read(() => octokit.rest.pulls.list(query));
  // Whatever became of it: a person who closed it has answered.
  const [before] = earlier;
  if (before !== undefined) return { pull: before.number, isNew: false, isOpen: before.state === "open" };
  const base = await client.read(() => octokit.rest.repos.getBranch({ ...repository, branch: defaultBranch }));
  const made = { ...repository, base_tree: base.commit.commit.tree.sha };
  const file = { path, content, mode: "100644" as const, type: "blob" as const };
  const tree = await client.write("create tree", { paths: [path] }, () =>
    octokit.rest.git.createTree({ ...made, tree: [file] }),
  );
  const commit = await client.write("create commit", { tree: tree.sha }, () =>
    octokit.rest.git.createCommit({ ...repository, message: title, tree: tree.sha, parents: [base.commit.sha] }),
  );
  const ref = { ...repository, ref: `refs/heads/${branch}`, sha: commit.sha };
  await client
    .write("create branch", { branch, sha: commit.sha }, () => octokit.rest.git.createRef(ref))
    .catch(async (error) => {
      if (statusOf(error) !== 422) throw error;
      await mustAddOnly(client, branch, path);
    });
  const request = { ...repository, head: branch, base: defaultBranch, title, body };
  const opened = await client.write("open pull request", { branch }, () => octokit.rest.pulls.create(request));
  return { pull: opened.number, isNew: true, isOpen: true };
}

/** An earlier try may have made the branch and died before it could open the pull request; another's is left alone. */
async function mustAddOnly(client: GitHubClient, branch: string, path: string): Promise<void> {
  const { defaultBranch } = await client.about();
  const query = { ...client.repository, basehead: `${defaultBranch}...${branch}` };
  const { files = [] } = await client.read(() => client.octokit.rest.repos.compareCommitsWithBasehead(query));
  if (files.length === 1 && files[0]?.filename === path) return;
  throw new Refused(`branch ${branch} is taken by someone else: delete it, and the guardrails are proposed`);
}
