import { createAppAuth } from "@octokit/auth-app";
import { Octokit } from "@octokit/rest";
import type { MergeMethod } from "../../domain/guardrails/merge-method.ts";
import { Refused, Shut } from "../../ports/errors.ts";
import type { SharedPace } from "../../ports/github.ts";
import { onceAtATime } from "../http/repeat.ts";
import { cloneAddress } from "./clone-address.ts";
import { type Doubts, doubtsOf, paceOf, statusOf } from "./pace.ts";
import { keepNewest } from "../../domain/text/keep-newest.ts";

interface GitHubOptions {
  readonly apiUrl: string;
  /** Only to fetch from another path of the same host; by default the address is GitHub's own. */
  readonly cloneUrl?: string | undefined;
  readonly repository: { readonly owner: string; readonly repo: string };
  readonly app: { readonly id: number; readonly privateKey: string };
  /** Asks for tokens that are good for this repository alone, where the installation has others as well. */
  readonly onlyThis?: boolean;
  readonly writeGapMs: number;
  /** The pace of all processes that call with this installation. */
  readonly pace?: SharedPace;
  /** How long one call may take; Octokit itself would wait for ever. */
  readonly deadlineMs?: number;
  readonly now?: () => number;
  /** Why a mutating call may not leave now: asked before each of them waits for its turn, and again right before it leaves. */
  readonly mayNotWrite?: (action: string, detail: Readonly<Record<string, unknown>>) => Promise<string | undefined>;
  /** Called before each mutating call leaves. */
  readonly audit: (action: string, detail: Readonly<Record<string, unknown>>) => Promise<void>;
  /** Hears of every call, for metrics; without a status nobody answered. */
  readonly onCall?: (call: {
    readonly method: string;
    readonly status: number | undefined;
    readonly durationMs: number;
    readonly date: string | undefined;
  }) => void;
}

interface Report {
  readonly id: number;
  readonly body: string;
}

/** By which ways a branch takes a merge. Without `mergeMethods` its rules allow each. */
export interface MergeWays {
  readonly mergeMethods: readonly MergeMethod[] | undefined;
  readonly mergeQueue: boolean;
}

const mostReports = 100;

/** Of more than a hundred the one that was written longest ago is forgotten: it would be found again on GitHub. */
export function keepReport({ reports }: Pick<GitHubClient, "reports">, number: number, report: Report): void {
  keepNewest(reports, number, report, mostReports);
}

/** What the adapter's parts share: one client with the App's identity, one pace. */
export interface GitHubClient {
  readonly octokit: Octokit;
  readonly repository: { readonly owner: string; readonly repo: string };
  /** Its number, which stays when it is renamed. */
  readonly repositoryId: number;
  /** The bot's own login, `<slug>[bot]`. */
  readonly login: string;
  readonly appId: number;
  /** How people have set the repository up by now; what is older than a minute is asked again. */
  about(): Promise<RepositoryAbout>;
  /** Where people edit a file of the default branch, as it was called when we connected. */
  readonly editorOf: (path: string) => string;
  /** Public repositories must not show log lines. */
  readonly isPublic: boolean;
  readonly doubts: Doubts;
  /** Ids of Apps by their slug, as far as somebody asked. */
  readonly apps: Map<string, Promise<number | undefined>>;
  /** Our sticky comments as they were written last, by proposal: `keepReport` writes them. Only saves looks and repeats. */
  readonly reports: Map<number, Report>;
  /** Which branches have a merge queue, and when that was seen. */
  readonly queues: Map<string, { readonly at: number; readonly there: boolean }>;
  /** By which ways a branch takes a merge, and when that was seen: each look at a pull request sees it. */
  readonly mergeWays: Map<string, MergeWays & { readonly at: number }>;
  read<T>(call: () => Promise<{ data: T }>): Promise<T>;
  /** All pages of a list, a hundred items each, up to `mostPages`: ten unless told. */
  readAll<T>(
    page: (at: { page: number; per_page: number }) => Promise<{ data: T[] }>,
    mostPages?: number,
  ): Promise<T[]>;
  /** As `read`, but a 404 is an answer. */
  find<T>(call: () => Promise<{ data: T }>): Promise<T | undefined>;
  write<T>(action: string, detail: Readonly<Record<string, unknown>>, call: () => Promise<{ data: T }>): Promise<T>;
}

/** What people switch in the settings of the repository, at any time. */
export interface RepositoryAbout {
  readonly defaultBranch: string;
  readonly hasIssues: boolean;
  /** Whether it allows each method; undefined = the App is not shown. */
  readonly methods: Readonly<Record<MergeMethod, boolean | undefined>>;
  /** Its pull requests are opened in it, and not in the repository that it was forked from. */
  readonly isFork: boolean;
  /** Why nothing may be written to it, and what to do; undefined = it may. */
  readonly unfit: string | undefined;
}

/** What git needs to fetch the repository; the second is for the host of the first alone. */
export interface Cloning {
  readonly cloneUrl: string;
  authorization(): Promise<string>;
  /** Whether `owner/name` is a former name of the repository: GitHub leads such a name to the new one. */
  wasCalled(former: string): Promise<boolean>;
}

const defaultDeadlineMs = 30_000;

/**
 * Connects as the App's installation on the repository. Throws `Refused` when it is not installed there. Whether it may be
 * written to is asked for each write: that changes while we run.
 */
export async function connectGitHub(options: GitHubOptions): Promise<GitHubClient & Cloning> {
  const { repository, app } = options;
  const pace = paceOf({ gapMs: options.writeGapMs, shared: options.pace });
  const request = { fetch: fetchWithin(options.deadlineMs ?? defaultDeadlineMs, options.onCall) };
  const base = { baseUrl: options.apiUrl, authStrategy: createAppAuth, request, log: silent };
  const asApp = new Octokit({ ...base, auth: { appId: app.id, privateKey: app.privateKey } });
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
  const octokit = new Octokit({ ...base, auth });
  if (options.onlyThis === true) askForOne(octokit, repository.repo);
  const renewing = renewingOnce(() => octokit.auth({ type: "installation", refresh: true }));
  const read = async <T>(call: () => Promise<{ data: T }>) => (await pace.run("read", () => renewing(call))).data;
  const find: GitHubClient["find"] = (call) =>
    read(call).catch((error) => {
      if (statusOf(error) === 404) return undefined;
      throw error;
    });
  const look = () => read(() => octokit.rest.repos.get(repository));
  const about = await look();
  const known = keptAbout(about, look, options.now ?? Date.now);
  const cloneUrl = cloneAddress({ apiUrl: options.apiUrl, reported: about.clone_url, given: options.cloneUrl });
  return {
    ...{ octokit, cloneUrl, repository, repositoryId: about.id },
    login: `${self.data?.slug ?? "rectify"}[bot]`,
    appId: app.id,
    about: known.now,
    editorOf: (path) => `${about.html_url}/edit/${about.default_branch}/${path}`,
    isPublic: !about.private,
    doubts: doubtsOf(options.now ?? Date.now),
    ...{ apps: new Map(), reports: new Map(), queues: new Map(), mergeWays: new Map() },
    wasCalled: async (former) => {
      const [owner = "", repo = ""] = former.split("/");
      return (await find(() => octokit.rest.repos.get({ owner, repo })))?.full_name === about.full_name;
    },
    ...{ read, find },
    readAll: (page, most) => readAll((at) => read(() => page(at)), most),
    write: async (action, detail, call) => {
      refuseUnfit(await known.now());
      const leaves = leaving(options, action, detail);
      await leaves.asked();
      return (await known.unless(pace.run("write", () => renewing(call), leaves.onRecord))).data;
    },
    authorization: async () => {
      const { token } = (await octokit.auth({ type: "installation" })) as { token: string };
      return `Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
    },
  };
}

/** The last door, and the record of what leaves. In a storm the turn may come a minute later: so it is asked again. */
function leaving(
  { mayNotWrite, audit }: Pick<GitHubOptions, "mayNotWrite" | "audit">,
  action: string,
  detail: Readonly<Record<string, unknown>>,
) {
  const asked = async () => {
    const because = await mayNotWrite?.(action, detail);
    if (because !== undefined) throw new Shut(because);
  };
  const onRecord = async () => {
    await asked();
    await audit(action, detail);
  };
  return { asked, onRecord };
}

/** https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app */
function askForOne(octokit: Octokit, repo: string): void {
  octokit.hook.before("request", (asked) => {
    if (asked.url.endsWith("/access_tokens")) Object.assign(asked, { repositories: [repo] });
  });
}

interface RawAbout {
  readonly id: number;
  readonly full_name: string;
  readonly default_branch: string;
  readonly has_issues: boolean;
  readonly archived: boolean;
  readonly fork: boolean;
  readonly allow_squash_merge?: boolean;
  readonly allow_merge_commit?: boolean;
  readonly allow_rebase_merge?: boolean;
}

const aboutMs = 60_000;

function keptAbout(first: RawAbout, look: () => Promise<RawAbout>, now: () => number) {
  let kept: { readonly about: RepositoryAbout; readonly until: number } | undefined;
  const keep = (raw: RawAbout) => {
    kept = { about: aboutOf(raw), until: now() + aboutMs };
    return kept.about;
  };
  keep(first);
  return {
    now: async () => (kept !== undefined && now() < kept.until ? kept.about : keep(await look())),
    /** What is refused may be so because they changed: then they are asked again. */
    unless: <T>(work: Promise<T>) =>
      work.catch((error: unknown) => {
        if (error instanceof Refused && !(error instanceof Shut)) kept = undefined;
        throw error;
      }),
  };
}

function aboutOf(raw: RawAbout): RepositoryAbout {
  return {
    ...{ defaultBranch: raw.default_branch, hasIssues: raw.has_issues, isFork: raw.fork, unfit: unfitness(raw) },
    methods: { squash: raw.allow_squash_merge, merge: raw.allow_merge_commit, rebase: raw.allow_rebase_merge },
  };
}

function unfitness({ full_name, archived }: RawAbout): RepositoryAbout["unfit"] {
  if (!archived) return undefined;
  return `the repository ${full_name} is archived, so that nothing can be written to it: unarchive it in its settings, or name the repository that took its place in RECTIFY_REPOSITORY`;
}

function refuseUnfit({ unfit }: RepositoryAbout): void {
  if (unfit !== undefined) throw new Refused(unfit);
}

/**
 * A token lives an hour and may be revoked before: a 401 did nothing, so the call is repeated once with a new one. Calls
 * that fail together share the renewal.
 */
function renewingOnce(renew: () => Promise<unknown>): <T>(call: () => Promise<T>) => Promise<T> {
  const renewal = onceAtATime(renew);
  return async (call) => {
    try {
      return await call();
    } catch (error) {
      if ((error as { status?: unknown }).status !== 401) throw error;
      await renewal.run();
      return call();
    }
  };
}

const pageSize = 100;
const defaultMostPages = 10;

async function readAll<T>(
  read: (at: { page: number; per_page: number }) => Promise<T[]>,
  mostPages = defaultMostPages,
): Promise<T[]> {
  const all: T[] = [];
  for (let page = 1; page <= mostPages; page += 1) {
    const items = await read({ page, per_page: pageSize });
    all.push(...items);
    if (items.length < pageSize) break;
  }
  return all;
}

function fetchWithin(deadlineMs: number, onCall: GitHubOptions["onCall"]): typeof fetch {
  return async (input, init) => {
    const begun = performance.now();
    let status: number | undefined;
    let date: string | undefined;
    try {
      const answer = await fetch(input, { ...init, signal: AbortSignal.timeout(deadlineMs) });
      status = answer.status;
      date = answer.headers.get("date") ?? undefined;
      return answer;
    } finally {
      onCall?.({ method: init?.method ?? "GET", status, durationMs: performance.now() - begun, date });
    }
  };
}

const nothing = () => undefined;
const silent = { debug: nothing, info: nothing, warn: nothing, error: nothing };
