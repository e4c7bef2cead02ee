import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Octokit } from "@octokit/rest";
import { createEmulator } from "emulate";
import { emulateDiffers } from "../contracts/emulate-differs.ts";
import { type Place, type PlaceOptions, githubContract } from "../contracts/github.contract.ts";
import { key } from "./forge-shop.ts";

githubContract("emulate keeps the promises of GitHub", startEmulate, emulateDiffers);

async function startEmulate(options: PlaceOptions): Promise<Place> {
  const { owner, repo, people } = options;
  const logins = [owner, ...people.map(({ login }) => login)];
  const permissions = {
    ...{ administration: "read", checks: "write", contents: "write", issues: "write" },
    ...{ metadata: "read", pull_requests: "write" },
  };
  const emulator = await createEmulator({
    service: "github",
    port: await freePort(),
    seed: {
      tokens: Object.fromEntries(logins.map((login) => [tokenOf(login), { login, scopes: ["repo", "user"] }])),
      github: {
        users: logins.map((login) => ({ login })),
        repos: [{ owner, name: repo, private: true, auto_init: true }],
        apps: [
          {
            ...{ app_id: options.appId, slug: options.slug, name: options.slug, private_key: key },
            ...{ webhook_url: options.webhookUrl, webhook_secret: options.webhookSecret },
            ...{ permissions, events: ["issue_comment", "pull_request", "push", "check_run", "issues"] },
            installations: [{ installation_id: 100, account: owner, repository_selection: "all" }],
          },
        ],
      },
    },
  });
  await furnish(emulator.url, options);
  return placeOn(emulator.url, options, () => emulator.close());
}

function tokenOf(login: string): string {
  return `token-of-${login}`;
}

function as(login: string, baseUrl: string): Octokit {
  const nothing = () => undefined;
  const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  return new Octokit({ baseUrl, auth: tokenOf(login), log });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** People, files and protection, as far as the seed cannot make them. */
async function furnish(url: string, { owner, repo, people, files }: PlaceOptions): Promise<void> {
  const { rest } = as(owner, url);
  for (const { login, permission } of people) {
    const named = { read: "pull", write: "push", admin: "admin" }[permission];
    await rest.repos.addCollaborator({ owner, repo, username: login, permission: named });
  }
  for (const [path, content] of Object.entries(files))
    await commitFile(rest, { owner, repo }, { branch: "main", path, content });
  await rest.repos.updateBranchProtection({
    ...{ owner, repo, branch: "main", enforce_admins: false, restrictions: null, required_pull_request_reviews: null },
    required_status_checks: { strict: false, contexts: ["ci"] },
  });
}

async function commitFile(
  rest: Octokit["rest"],
  repository: { owner: string; repo: string },
  { branch, path, content }: { branch: string; path: string; content: string },
): Promise<string> {
  const parent = (await rest.git.getRef({ ...repository, ref: `heads/${branch}` })).data.object.sha;
  const entry = { path, content, mode: "100644" as const, type: "blob" as const };
  const base = (await rest.git.getCommit({ ...repository, commit_sha: parent })).data.tree.sha;
  const tree = (await rest.git.createTree({ ...repository, base_tree: base, tree: [entry] })).data.sha;
  const { data } = await rest.git.createCommit({ ...repository, message: `Add ${path}`, tree, parents: [parent] });
  await rest.git.updateRef({ ...repository, ref: `heads/${branch}`, sha: data.sha, force: true });
  return data.sha;
}

function placeOn(url: string, options: PlaceOptions, close: () => Promise<void>): Place {
  const { owner, repo } = options;
  const repository = { owner, repo };
  return {
    ...{ apiUrl: url, owner, repo, app: { id: options.appId, slug: options.slug, privateKey: key } },
    push: (branch, path, content) => commitFile(as(owner, url).rest, repository, { branch, path, content }),
    comment: async (issue_number, login, body) =>
      (await as(login, url).rest.issues.createComment({ ...repository, issue_number, body })).data.id,
    editComment: async (comment_id, login, body) => {
      await as(login, url).rest.issues.updateComment({ ...repository, comment_id, body });
    },
    reportCheck: async (head_sha, conclusion) => {
      await as(owner, url).rest.checks.create({ ...repository, name: "ci", head_sha, status: "completed", conclusion });
    },
    close,
  };
}
