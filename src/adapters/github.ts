import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import { Refused } from "../ports.ts";
import { paceOf, statusOf } from "./github-pace.ts";

export interface GitHubOptions {
  readonly apiUrl: string;
  readonly repository: { readonly owner: string; readonly repo: string };
  readonly app: { readonly id: number; readonly privateKey: string };
  readonly writeGapMs: number;
  /** Called before each mutating call leaves. */
  readonly audit: (action: string, detail: Readonly<Record<string, unknown>>) => Promise<void>;
}

/** What the adapter's parts share: one client with the App's identity, one pace. */
export interface GitHubClient {
  readonly octokit: Octokit;
  readonly repository: { readonly owner: string; readonly repo: string };
  /** The bot's own login, `<slug>[bot]`. */
  readonly login: string;
  readonly defaultBranch: string;
  /** Public repositories must not show log lines. */
  readonly isPublic: boolean;
  read<T>(call: () => Promise<{ data: T }>): Promise<T>;
  /** As `read`, but a 404 is an answer. */
  find<T>(call: () => Promise<{ data: T }>): Promise<T | undefined>;
  write<T>(action: string, detail: Readonly<Record<string, unknown>>, call: () => Promise<{ data: T }>): Promise<T>;
}

/** Connects as the App's installation on the repository. Throws `Refused` when it is not installed there. */
export async function connectGitHub(
  options: GitHubOptions,
): Promise<GitHubClient & { authorization(): Promise<string> }> {
  const { repository, app } = options;
  const pace = paceOf(options.writeGapMs);
  const asApp = new Octokit({
    baseUrl: options.apiUrl,
    authStrategy: createAppAuth,
    auth: { appId: app.id, privateKey: app.privateKey },
    log: silent,
  });
  const [self, installation] = await pace
    .run("read", () =>
      Promise.all([asApp.rest.apps.getAuthenticated(), asApp.rest.apps.getRepoInstallation(repository)]),
    )
    .catch((cause) => {
      if (statusOf(cause) === undefined) throw cause;
      throw new Refused(
        `the App is not installed on ${repository.owner}/${repository.repo}, or its id or key is wrong`,
        { cause },
      );
    });
  const auth = { appId: app.id, privateKey: app.privateKey, installationId: installation.data.id };
  const octokit = new Octokit({ baseUrl: options.apiUrl, authStrategy: createAppAuth, auth, log: silent });
  const read = async <T>(call: () => Promise<{ data: T }>) => (await pace.run("read", call)).data;
  const about = await read(() => octokit.rest.repos.get(repository));
  return {
    octokit,
    repository,
    login: `${self.data?.slug ?? "rectify"}[bot]`,
    defaultBranch: about.default_branch,
    isPublic: !about.private,
    read,
    find: (call) =>
      read(call).catch((error) => {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }),
    write: async (action, detail, call) => {
      await options.audit(action, detail);
      return (await pace.run("write", call)).data;
    },
    authorization: async () => {
      const { token } = (await octokit.auth({ type: "installation" })) as { token: string };
      return `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
    },
  };
}

const nothing = () => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
