import type { components } from "@octokit/openapi-types";
import type { CommitRecord, Signature } from "../git/git-store.ts";
import type { Part } from "./views.ts";
import { accountView, apiOf, pageOf } from "./views.ts";
import type { ForgeState } from "../world.ts";
import { accountByEmail } from "../world.ts";

type Schemas = components["schemas"];

/** A commit as the Git database endpoints show it. */
export function gitCommitView(world: ForgeState, commit: CommitRecord) {
  return {
    sha: commit.sha,
    node_id: `C_${commit.sha}`,
    url: `${apiOf(world)}/git/commits/${commit.sha}`,
    html_url: `${pageOf(world)}/commit/${commit.sha}`,
    author: person(commit.author),
    committer: person(commit.committer),
    message: commit.message.replace(/\n$/, ""),
    tree: { sha: commit.tree, url: `${apiOf(world)}/git/trees/${commit.tree}` },
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${apiOf(world)}/git/commits/${sha}`,
      html_url: `${pageOf(world)}/commit/${sha}`,
    })),
    verification: verificationOf(commit),
  } satisfies Part<Schemas["git-commit"]>;
}

function person({ name, email, date }: Signature) {
  return { name, email, date };
}

// What an App commits through the API without author fields is signed by GitHub.
function verificationOf(commit: CommitRecord) {
  const verified = commit.committer.email === "noreply@github.com";
  return { verified, reason: verified ? "valid" : "unsigned", payload: null, signature: null, verified_at: null };
}

/** A commit as the repository endpoints show it. */
export function commitView(world: ForgeState, commit: CommitRecord) {
  const shown = (email: string) => {
    const account = accountByEmail(world, email);
    return account ? accountView(world, account) : null;
  };
  return {
    sha: commit.sha,
    node_id: `C_${commit.sha}`,
    url: `${apiOf(world)}/commits/${commit.sha}`,
    html_url: `${pageOf(world)}/commit/${commit.sha}`,
    comments_url: `${apiOf(world)}/commits/${commit.sha}/comments`,
    commit: {
      url: `${apiOf(world)}/git/commits/${commit.sha}`,
      author: person(commit.author),
      committer: person(commit.committer),
      message: commit.message.replace(/\n$/, ""),
      tree: { sha: commit.tree, url: `${apiOf(world)}/git/trees/${commit.tree}` },
      comment_count: 0,
      verification: verificationOf(commit),
    },
    author: shown(commit.author.email),
    committer: shown(commit.committer.email),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${apiOf(world)}/commits/${sha}`,
      html_url: `${pageOf(world)}/commit/${sha}`,
    })),
  } satisfies Part<Schemas["commit"]>;
}
