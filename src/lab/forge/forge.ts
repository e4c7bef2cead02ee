import { type OneAtATime, oneAtATime } from "../../adapters/http/one-at-a-time.ts";
import { join } from "node:path";
import { registrationPages } from "./registration.ts";
import { signInPages } from "./sign-in.ts";
import { appRoutes } from "./api/app-routes.ts";
import { tokensOf } from "./api/auth.ts";
import type { PushOptions } from "./api/branches.ts";
import { envelopeOf, pushFiles, pushFirst } from "./api/branches.ts";
import { addCheck, addStatus, checkRoutes } from "./api/checks.ts";
import { addComment, commentRoutes, deleteComment, editComment } from "./api/comments.ts";
import { gitDataRoutes } from "./api/git-data.ts";
import type { GitStore } from "./git/git-store.ts";
import { createGitStore } from "./git/git-store.ts";
import { routerOf } from "./http.ts";
import { addLabels, closeIssue, edit, issueRoutes, openIssue } from "./api/issues.ts";
import { mergePull } from "./api/merging.ts";
import { finishQueued, queueRoutes } from "./merge-queue.ts";
import { pageAt } from "./page.ts";
import { addReview, fullView, openPull, pullRoutes } from "./api/pulls.ts";
import { repositoryRoutes } from "./api/repository.ts";
import type { Traffic, Faults, LoggedCall } from "./server.ts";
import { listen } from "./server.ts";
import { accountView, commentView, installationView, issueView, pullView, repositoryView } from "./api/views.ts";
import type { Delivery } from "./webhooks.ts";
import { webhooksOf } from "./webhooks.ts";
import type {
  Account,
  Conclusion,
  ForgeOptions,
  IssueRecord,
  PullRecord,
  RepositorySettings,
  StatusRecord,
  ForgeState,
} from "./world.ts";
import { accountOf, settingsOf } from "./world.ts";

export type { ForgeOptions } from "./world.ts";
export type { Fault } from "./server.ts";

/** A local GitHub with one repository: what an App sees of it, and what people do there. */
export interface Forge {
  /** The base of the REST API, as Octokit's `baseUrl` takes it. */
  readonly apiUrl: string;
  readonly cloneUrl: string;
  readonly listensAt: string;
  /** The bare repository on disk. */
  readonly directory: string;
  readonly installationId: number;
  /** The value of an Authorization header that may fetch a private repository, valid for half an hour. */
  fetchAuthorization(): string;
  setWebhookUrl(url: string | undefined): void;
  readonly deliveries: readonly Delivery[];
  redeliver(deliveryId: string): Promise<boolean>;
  /** Tells the App's webhook that it was installed. */
  install(): void;
  /** Waits until every webhook that was sent is answered. */
  settled(): Promise<void>;

  push(files: Readonly<Record<string, string | null>>, options: PushOptions): Promise<string>;
  headOf(branch: string): Promise<string | undefined>;
  openIssue(login: string, issue: { title: string; body?: string }): Promise<number>;
  openPull(
    login: string,
    pull: { title: string; body?: string; head: string; base?: string; draft?: boolean },
  ): Promise<number>;
  label(issueNumber: number, labels: readonly string[], login: string): Promise<void>;
  editIssue(issueNumber: number, login: string, body: string): Promise<void>;
  comment(issueNumber: number, login: string, body: string): Promise<number>;
  editComment(id: number, body: string, login?: string): Promise<void>;
  deleteComment(id: number): Promise<void>;
  review(login: string, pull: number, state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED"): Promise<number>;
  /** A check run of a CI App. Without a conclusion it is still running. */
  reportCheck(check: { sha: string; name: string; appId: number; conclusion?: Conclusion }): Promise<number>;
  /** A commit status, set by a person, or by the bot of an App (`name[bot]`). */
  reportStatus(status: { sha: string; context: string; state: StatusRecord["state"]; by: string }): Promise<number>;
  /** What GitHub does when the group of a queued pull request has run. */
  finishQueued(pull: number, outcome: "merged" | "FAILED_CHECKS"): Promise<void>;
  queued(): readonly number[];
  /** People change the settings of the repository. */
  change(settings: Partial<RepositorySettings>): void;
  /** Merges by the button: the protection counts for people too. Throws what stands in the way. */
  mergeBy(login: string, pull: number): Promise<string>;
  closeBy(login: string, issueNumber: number): Promise<void>;
  /** A person points the pull request at another branch, or makes a draft of it. */
  turnPull(number: number, change: { readonly base?: string; readonly draft?: boolean }): Promise<void>;
  revokeTokens(): void;

  pulls(): readonly ForgePull[];
  pull(number: number): Promise<Awaited<ReturnType<typeof fullView>>>;
  issues(): readonly ReturnType<typeof issueView>[];
  comments(issueNumber: number): readonly ReturnType<typeof commentView>[];
  checks(sha: string): readonly ForgeState["checks"][number][];
  files(ref: string): Promise<Readonly<Record<string, string>>>;

  readonly calls: readonly LoggedCall[];
  /** What git itself asked for: pushing is refused, and on record. */
  readonly gitCalls: readonly LoggedCall[];
  resetCalls(): void;
  faults: Faults | undefined;
  close(): Promise<void>;
}

type ForgePull = ReturnType<typeof pullView> & { readonly merged: boolean };

/** Starts a forge on a free port of 127.0.0.1. Throws when the directory cannot be written. */
export async function startForge(options: ForgeOptions): Promise<Forge> {
  const now = options.now ?? (() => new Date());
  const store = await createGitStore(join(options.directory, `${options.repo}.git`));
  const webhooks = webhooksOf(options.app, () => now().toISOString());
  const tokens = tokensOf(options.app, now);
  const traffic: Traffic = { calls: [], gitCalls: [], faults: undefined };
  // What a request reads stays true until it is answered.
  const inTurn = oneAtATime();
  const { server, origin, listensAt } = await listen(options, () => stations);
  const world = worldOf(options, { store, origin, send: (event, payload) => webhooks.send(event, payload) });
  const routes = {
    ...appRoutes(world, tokens, webhooks),
    ...repositoryRoutes(world),
    ...gitDataRoutes(world),
    ...checkRoutes(world),
    ...commentRoutes(world),
    ...issueRoutes(world),
    ...pullRoutes(world),
    ...queueRoutes(world),
  };
  const signIn = registrationPages(world, webhooks.setUrl, signInPages(options.signIn));
  const page = (path: string) => pageAt(world, path);
  const stations = { world, tokens, find: routerOf(routes), inTurn, traffic, page, signIn };
  await pushFirst(world, options.files);
  return {
    ...{ apiUrl: `${origin}/api/v3`, listensAt },
    cloneUrl: `${origin}/${options.owner}/${options.repo}.git`,
    directory: store.directory,
    installationId: world.installationId,
    fetchAuthorization: () => `Basic ${Buffer.from(`x-access-token:${tokens.current()}`).toString("base64")}`,
    setWebhookUrl: webhooks.setUrl,
    deliveries: webhooks.deliveries,
    redeliver: webhooks.redeliver,
    install: () =>
      world.emit(
        "installation",
        { action: "created", installation: installationView(world), repositories: [repositoryView(world)] },
        world.owner,
      ),
    settled: webhooks.settled,
    revokeTokens: tokens.revokeAll,
    change: (settings) => void Object.assign(world.settings, settings),
    ...peopleOf(world, inTurn),
    ...sightOf(world, inTurn),
    ...{ calls: traffic.calls, gitCalls: traffic.gitCalls },
    resetCalls: () => void traffic.calls.splice(0),
    get faults() {
      return traffic.faults;
    },
    set faults(faults) {
      traffic.faults = faults;
    },
    close: async () => {
      server.closeAllConnections();
      store.close();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function worldOf(
  options: ForgeOptions,
  {
    store,
    origin,
    send,
  }: { store: GitStore; origin: string; send: (event: string, payload: Record<string, unknown>) => void },
): ForgeState {
  let ids = options.firstId ?? 1000;
  let numbers = 0;
  const now = () => `${(options.now ?? (() => new Date()))().toISOString().slice(0, 19)}Z`;
  const owner: Account = { id: ++ids, login: options.owner, type: "User" };
  const bot: Account = { id: (ids += 2), login: `${options.app.slug}[bot]`, type: "Bot" };
  const world: ForgeState = {
    ...{ options, store, origin, bot, owner, installationId: ++ids, createdAt: now(), now },
    accounts: new Map([owner, bot].map((account) => [account.login.toLowerCase(), account])),
    issues: new Map(),
    comments: new Map(),
    checks: [],
    ...{ statuses: [], queue: [], removals: [], settings: settingsOf(options) },
    labels: new Map(),
    nextId: () => ++ids,
    nextNumber: () => ++numbers,
    emit: (event, payload, sender) =>
      send(event, { ...envelopeOf(world), sender: accountView(world, sender), ...payload }),
  };
  for (const { login } of options.people) accountOf(world, login);
  return world;
}

function issueAt(world: ForgeState, number: number): IssueRecord {
  const issue = world.issues.get(number);
  if (!issue) throw new Error(`the forge has no issue #${number}`);
  return issue;
}

function pullAt(world: ForgeState, number: number): [IssueRecord, PullRecord] {
  const issue = issueAt(world, number);
  if (!issue.pull) throw new Error(`#${number} is no pull request`);
  return [issue, issue.pull];
}

function commentAt(world: ForgeState, id: number) {
  const comment = world.comments.get(id);
  if (!comment) throw new Error(`the forge has no comment ${id}`);
  return comment;
}

/** What people and other Apps do. */
function peopleOf(world: ForgeState, inTurn: OneAtATime) {
  const act = <T>(work: () => T | Promise<T>): Promise<T> => inTurn(async () => work());
  const account = (login: string) => accountOf(world, login);
  return {
    push: (files, options) => act(() => pushFiles(world, files, options)),
    openIssue: (login, { title, body }) =>
      act(() => openIssue(world, { title, body: body ?? null }, account(login)).number),
    openPull: (login, { title, body, head, base = "main", draft = false }) =>
      act(async () => (await openPull(world, { title, body, head, base, draft }, account(login))).number),
    label: (number, labels, login) => act(() => addLabels(world, issueAt(world, number), labels, account(login))),
    editIssue: (number, login, body) => act(() => edit(world, issueAt(world, number), { body }, account(login))),
    comment: (number, login, body) => act(() => addComment(world, issueAt(world, number), body, account(login)).id),
    editComment: (id, body, login) =>
      act(() => {
        const comment = commentAt(world, id);
        editComment(world, comment, body, login === undefined ? comment.author : account(login));
      }),
    deleteComment: (id) => act(() => deleteComment(world, commentAt(world, id), commentAt(world, id).author)),
    review: (login, number, state) =>
      act(() => addReview(world, ...pullAt(world, number), { author: account(login), state })),
    reportCheck: ({ sha, name, appId, conclusion }) =>
      act(() => {
        const status = conclusion === undefined ? ("in_progress" as const) : ("completed" as const);
        const about = { sha, name, appId, appSlug: `app-${appId}` };
        return addCheck(world, about, { status, conclusion: conclusion ?? null }, account(`app-${appId}[bot]`)).id;
      }),
    mergeBy: (login, number) =>
      act(() => {
        const [issue, pull] = pullAt(world, number);
        const by = account(login);
        return mergePull(world, issue, pull, {
          by,
          sha: undefined,
          method: "squash",
          title: undefined,
          message: undefined,
        });
      }),
    turnPull: (number, { base, draft }) =>
      act(() => {
        const [, pull] = pullAt(world, number);
        pull.baseRef = base ?? pull.baseRef;
        pull.draft = draft ?? pull.draft;
      }),
    reportStatus: ({ by, ...status }) => act(() => addStatus(world, status, account(by)).id),
    finishQueued: (number, outcome) => act(() => finishQueued(world, number, outcome)),
    closeBy: (login, number) => act(() => closeIssue(world, issueAt(world, number), account(login))),
  } satisfies Partial<Forge>;
}

/** What there is to see, without asking the API. */
function sightOf(world: ForgeState, inTurn: OneAtATime) {
  return {
    headOf: (branch) => world.store.resolve(`refs/heads/${branch}`),
    queued: () =>
      world.queue.map((entry) => entry.issue).filter((number) => world.issues.get(number)?.state === "open"),
    pulls: () =>
      [...world.issues.values()].flatMap((issue) =>
        issue.pull ? [{ ...pullView(world, issue, issue.pull), merged: issue.pull.mergedAt !== null }] : [],
      ),
    pull: (number) => inTurn(() => fullView(world, ...pullAt(world, number))),
    issues: () => [...world.issues.values()].filter((issue) => !issue.pull).map((issue) => issueView(world, issue)),
    comments: (number) =>
      [...world.comments.values()].filter((one) => one.issue === number).map((one) => commentView(world, one)),
    checks: (sha) => world.checks.filter((check) => check.sha === sha),
    files: async (ref) => {
      const commit = (await world.store.resolve(`refs/heads/${ref}`)) ?? ref;
      const entries = (await world.store.tree(commit, "recursive")) ?? [];
      const files = entries.filter(({ type }) => type === "blob");
      return Object.fromEntries(
        await Promise.all(files.map(async ({ path, sha }) => [path, String(await world.store.blob(sha))] as const)),
      );
    },
  } satisfies Partial<Forge>;
}
