import { inertCode } from "../../domain/text/inert.ts";
import { createHash } from "node:crypto";
import { readTrailer } from "../../domain/proposal/pull-request.ts";
import type { ProposalDraft } from "../../domain/proposal/pull-request.ts";
import type { GitHubClient } from "./github.ts";

/** A draft and the tree of its base, over which its own is built. */
export interface Draft extends ProposalDraft {
  readonly baseTree: string;
}

/** What a commit says about its origin. */
interface Commit {
  readonly message: string;
  readonly email: string;
  readonly tree: string;
}

export async function commitAt(client: GitHubClient, sha: string): Promise<Commit> {
  const commit = await client.read(() => client.octokit.rest.git.getCommit({ ...client.repository, commit_sha: sha }));
  return { message: commit.message, email: commit.author.email, tree: commit.tree.sha };
}

/**
 * Written by the App for this incident. Anyone who may push can forge it, so it only ever decides where a new commit
 * goes; what gets merged is decided by the files.
 */
export function isOurs(client: GitHubClient, commit: Pick<Commit, "message" | "email">, draft: Draft): boolean {
  const [address = ""] = commit.email.split("@");
  return (
    address.replace(/^\d+\+/, "") === client.login && readTrailer(commit.message, "Incident-UID") === draft.incident
  );
}

/**
 * True when a commit of ours holds every planned file but for prose: a post-mortem rendered anew by a repeated try is
 * no reason for a second commit. Nothing that the cluster reads may differ, and no other file.
 */
export async function holdsPlan(
  client: GitHubClient,
  draft: Draft,
  commit: Commit & { sha: string },
): Promise<boolean> {
  if (!isOurs(client, commit, draft) || readTrailer(commit.message, "Effect") !== draft.effect) return false;
  const query = { ...client.repository, basehead: `${draft.baseSha}...${commit.sha}` };
  const { files = [], behind_by } = await client.read(() =>
    client.octokit.rest.repos.compareCommitsWithBasehead(query),
  );
  const planned = new Map(draft.files.map((file) => [file.path, file.content === null ? gone : blobId(file.content)]));
  const there = new Map(files.map((file) => [file.filename, file.status === "removed" ? gone : file.sha]));
  const exact = [...planned].every(([path, id]) => isProse(path) || there.get(path) === id);
  return behind_by === 0 && exact && [...there.keys()].every((path) => planned.has(path));
}

const gone = "gone";

function isProse(path: string): boolean {
  return path.endsWith(".md");
}

/** The id that Git gives this content. */
function blobId(content: string): string {
  const bytes = Buffer.from(content);
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

// GitHub refuses longer ones.
const longestBody = 65_536;

/** The body; where the workload's own branch holds work of others, they are told that this is not part of it. */
export function bodyOn({ branch, body }: Draft, used: string): string {
  if (used === branch) return body;
  const note = `\n\nThe branch ${inertCode(branch)} holds commits of others, which this pull request does not contain.`;
  return body.length + note.length > longestBody ? body : body + note;
}

/** The base's files with the draft's in place. Doing it twice gives the same tree. */
export async function createTree(client: GitHubClient, draft: Draft): Promise<string> {
  const tree = draft.files.map(({ path, content }) => {
    const blob = { path, mode: "100644" as const, type: "blob" as const };
    return content === null ? { ...blob, sha: null } : { ...blob, content };
  });
  const paths = draft.files.map((file) => file.path);
  const detail = { paths, base: draft.baseSha, incident: draft.incident, effect: draft.effect };
  const request = { ...client.repository, base_tree: draft.baseTree, tree };
  return (await client.write("create tree", detail, () => client.octokit.rest.git.createTree(request))).sha;
}

/** A commit by the App without author fields comes back signed by GitHub. */
export async function createCommit(
  client: GitHubClient,
  draft: Draft,
  { tree, parents }: { tree: string; parents: string[] },
): Promise<string> {
  const detail = { tree, parents, incident: draft.incident, effect: draft.effect };
  const request = { ...client.repository, message: draft.commitMessage, tree, parents };
  return (await client.write("create commit", detail, () => client.octokit.rest.git.createCommit(request))).sha;
}
