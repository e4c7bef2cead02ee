import type { ForgeSignIn } from "./sign-in.ts";
import type { GitStore, Signature } from "./git/git-store.ts";

type RepositoryPermission = "admin" | "maintain" | "write" | "triage" | "read" | "none";

export interface ForgeApp {
  readonly id: number;
  readonly slug: string;
  /** PEM; the forge checks the App's JWTs with its public half. */
  readonly privateKeyPem: string;
  readonly webhookSecret: string;
  readonly webhookUrl?: string;
  /** What the installation grants, where it differs from what the App needs. */
  readonly permissions?: Readonly<Record<string, "read" | "write">>;
}

/** What the forge starts with. */
export interface ForgeOptions {
  readonly owner: string;
  readonly repo: string;
  /** The bare repository is made here; the directory must be new or empty. */
  readonly directory: string;
  /** The first commit on `main`. */
  readonly files: Readonly<Record<string, string>>;
  readonly app: ForgeApp;
  /** The App does not exist yet: a person registers it from a manifest, and installs it. */
  readonly unregistered?: boolean;
  readonly people: readonly { readonly login: string; readonly permission: RepositoryPermission }[];
  readonly requiredChecks: readonly { readonly name: string; readonly appId: number }[];
  /** Checks that a ruleset requires; without an App anyone may report them. */
  readonly rulesetChecks?: readonly { readonly name: string; readonly appId?: number }[];
  readonly requiredReviews?: number;
  /** Members by `organisation/team`. */
  readonly teams?: Readonly<Record<string, readonly string[]>>;
  /** The App's sign-in; absent = it has none. */
  readonly signIn?: ForgeSignIn;
  readonly private: boolean;
  /** How people have set the repository up, where it differs from the ordinary. */
  readonly settings?: Partial<RepositorySettings>;
  /** Where it says that it is, when others stand behind one address with it; by default where it listens. */
  readonly origin?: string;
  /** Its numbers begin above this one: no two behind one address share them. */
  readonly firstId?: number;
  /** The name under which the forge is reached; `127.0.0.1` by default. */
  readonly hostName?: string;
  /** GitHub's clock; the machine's by default. */
  readonly now?: () => Date;
  /** 0, the default, takes a free port. */
  readonly port?: number;
}

export type MergeMethod = "merge" | "squash" | "rebase";

/** What people switch in the settings of the repository; it may change at any time. */
export interface RepositorySettings {
  mergeMethods: readonly MergeMethod[];
  /** Whether the API shows the App which methods are allowed. */
  showsMethods: boolean;
  /** What the API says; what protects main stays with main. */
  defaultBranch: string;
  hasIssues: boolean;
  archived: boolean;
  fork: boolean;
  private: boolean;
  /** A branch must hold the newest commit of main before it is merged. */
  strict: boolean;
  /** What asks for the merge queue: a ruleset, which the API shows, or the branch's own protection, which it does not. */
  mergeQueue: "ruleset" | "protection" | undefined;
  /** What names of branches must fit; anchored by whoever writes it. */
  branchPattern: string | undefined;
  /** What the messages of commits must fit. */
  commitPattern: string | undefined;
  /** What the installation may not do any more. */
  withoutPermissions: readonly string[];
  /** The installation's tokens may only read. */
  readOnly: boolean;
  /** Whether the App is installed on the repository. */
  installed: boolean;
  /** What the App was registered from, where it was. */
  manifest: AppManifest | undefined;
}

/** What a manifest says of an App. */
export interface AppManifest {
  readonly default_permissions: Readonly<Record<string, "read" | "write">>;
  readonly default_events: readonly string[];
}

export interface StatusRecord {
  readonly id: number;
  readonly sha: string;
  readonly context: string;
  readonly state: "error" | "failure" | "pending" | "success";
  readonly creator: Account;
  readonly createdAt: string;
}

/** A pull request in the merge queue, and what it was taken out for before. */
interface QueueRecord {
  readonly issue: number;
  readonly state: "QUEUED" | "AWAITING_CHECKS";
}

interface RemovalRecord {
  readonly issue: number;
  readonly reason: string;
  readonly at: string;
}

export interface Account {
  readonly id: number;
  readonly login: string;
  readonly type: "User" | "Bot" | "Organization";
}

export interface IssueRecord {
  readonly number: number;
  readonly id: number;
  title: string;
  body: string | null;
  state: "open" | "closed";
  readonly author: Account;
  labels: string[];
  readonly createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  pull: PullRecord | undefined;
}

export interface PullRecord {
  readonly id: number;
  readonly headRef: string;
  /** Follows the branch while the pull request is open. */
  headSha: string;
  baseRef: string;
  /** The tip of the base when it was opened, or merged. */
  baseSha: string;
  draft: boolean;
  mergedAt: string | null;
  mergedBy: Account | undefined;
  mergeSha: string | null;
  /** `head base` for which GitHub has worked out the mergeability: the first question comes too early. */
  askedFor: string | undefined;
  readonly reviews: ReviewRecord[];
}

export interface ReviewRecord {
  readonly id: number;
  readonly author: Account;
  readonly state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED";
  readonly body: string;
  readonly commit: string;
  readonly submittedAt: string;
}

export interface CommentRecord {
  readonly id: number;
  readonly issue: number;
  readonly author: Account;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
  readonly reactions: {
    readonly id: number;
    readonly author: Account;
    readonly content: string;
    readonly at: string;
  }[];
}

export type Conclusion = "success" | "failure" | "neutral" | "cancelled" | "skipped" | "timed_out" | "action_required";

export interface CheckRecord {
  readonly id: number;
  readonly suite: number;
  name: string;
  readonly sha: string;
  readonly appId: number;
  readonly appSlug: string;
  status: "queued" | "in_progress" | "completed";
  conclusion: Conclusion | null;
  externalId: string;
  startedAt: string;
  completedAt: string | null;
  output: { title: string | null; summary: string | null; text: string | null };
  /** As they were given: nothing here reads them. */
  annotations: readonly unknown[];
}

/** Everything the forge knows besides the Git objects. Mutable, and only ever touched in turn. */
export interface ForgeState {
  readonly options: ForgeOptions;
  readonly store: GitStore;
  readonly origin: string;
  readonly bot: Account;
  readonly owner: Account;
  readonly installationId: number;
  readonly accounts: Map<string, Account>;
  readonly issues: Map<number, IssueRecord>;
  readonly comments: Map<number, CommentRecord>;
  readonly checks: CheckRecord[];
  readonly statuses: StatusRecord[];
  readonly queue: QueueRecord[];
  readonly removals: RemovalRecord[];
  readonly settings: RepositorySettings;
  readonly labels: Map<string, number>;
  readonly createdAt: string;
  /** Ids and issue numbers only grow. */
  nextId(): number;
  nextNumber(): number;
  /** Now, to the second, as GitHub writes it. */
  now(): string;
  /** Sends a webhook for what `sender` did. */
  emit(event: string, payload: Readonly<Record<string, unknown>>, sender: Account): void;
}

/** The person of this login, known from the start or met now. */
export function accountOf(world: ForgeState, login: string): Account {
  const known = world.accounts.get(login.toLowerCase());
  if (known) return known;
  const account: Account = { id: world.nextId(), login, type: "User" };
  world.accounts.set(login.toLowerCase(), account);
  return account;
}

/** How GitHub signs the commits of an account. */
export function signatureOf(account: Account, date: string): Signature {
  return { name: account.login, email: `${account.id}+${account.login}@users.noreply.github.com`, date };
}

/** GitHub itself, the committer of what is made through the API. */
export function webFlow(date: string): Signature {
  return { name: "GitHub", email: "noreply@github.com", date };
}

/** The account behind a commit's address; undefined when GitHub knows none. */
export function accountByEmail(world: ForgeState, email: string): Account | undefined {
  if (email === "noreply@github.com") return { id: 19864447, login: "web-flow", type: "User" };
  const login = /^\d+\+(.+)@users\.noreply\.github\.com$/.exec(email)?.[1];
  return login === undefined ? undefined : world.accounts.get(login.toLowerCase());
}

export function permissionOf(world: ForgeState, login: string): RepositoryPermission {
  const person = world.options.people.find((one) => one.login.toLowerCase() === login.toLowerCase());
  const given = person?.permission ?? "none";
  // Everyone reads a public repository.
  return given === "none" && !world.options.private ? "read" : given;
}

export function settingsOf(options: ForgeOptions): RepositorySettings {
  return {
    ...{ mergeMethods: ["squash", "merge"], showsMethods: true, hasIssues: true, archived: false, fork: false },
    defaultBranch: "main",
    ...{ private: options.private, strict: false, mergeQueue: undefined, branchPattern: undefined },
    ...{ commitPattern: undefined, withoutPermissions: [], readOnly: false },
    ...{ installed: options.unregistered !== true, manifest: undefined },
    ...options.settings,
  };
}
