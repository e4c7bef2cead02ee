import type { Alert } from "./domain/alert.ts";
import type { AlertRule } from "./domain/alert-rule.ts";
import type { Candidate, CapLimits, CapUse } from "./domain/caps.ts";
import type { Dashboard, IssueName, OpenRequest, OwnIssue } from "./domain/dashboard.ts";
import type { Prompts } from "./domain/diagnosis.ts";
import type { Series } from "./domain/evidence.ts";
import type { Ending } from "./domain/incident.ts";
import type { Entry } from "./domain/manifest-edit.ts";
import type { Comment, Permission } from "./domain/people.ts";
import type { PolicyEngine } from "./domain/policy-report.ts";
import type { Memory, WithdrawalRecord } from "./domain/precedent.ts";
import type { MergeAnswer, Proposal, ProposalDraft, ProposalFacts } from "./domain/pull-request.ts";
import type { Rendered } from "./domain/rendered.ts";
import type { Tree } from "./domain/tree.ts";
import type { GuardrailsHost } from "./guardrails-host.ts";
import type { Watchtower, WatchtowerEvent } from "./domain/watchtower.ts";
import type { LiveWorkload, Workload } from "./domain/workload.ts";
import type { ChangeBook, LeaseBook, RollbackBook } from "./records.ts";
import type { AppliedRevision, Surroundings, WorkloadState } from "./domain/workload-state.ts";
import type { Tempo } from "./tempo.ts";

export type { Tempo } from "./tempo.ts";

/** No answer: the same call may work later. `retryAfterMs` is the earliest moment the other side will listen. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  readonly retryAfterMs: number | undefined;

  constructor(what: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(what, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A clear no: repeating the call will not help. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** The code host, in our words. Every writing call looks before it writes: calling it twice is safe. */
export interface GitHost {
  /** The commit at the tip of the default branch and its files, from the local mirror. */
  head(): Promise<{ readonly sha: string; readonly tree: Tree }>;
  /** The files of one commit, which the default branch contains. */
  at(sha: string): Promise<Tree>;
  /** Commits of the default branch's first-parent line since then, newest first. */
  commitsSince(since: Date): Promise<readonly CommitMark[]>;
  /** True when `ancestor` is contained in `descendant`. */
  contains(descendant: string, ancestor: string): Promise<boolean>;
  /** Opens the proposal, or updates the open one on the same branch. */
  publish(draft: ProposalDraft): Promise<Proposal>;
  /** Replaces the bot's single comment. */
  report(proposal: Pick<Proposal, "number" | "commitMessage">, markdown: string): Promise<void>;
  /** Numbers of the open issues, and pull requests, with this label. */
  openIssuesWithLabel(label: string): Promise<readonly number[]>;
  /** Our one open issue of this title and label. */
  ownIssue(name: IssueName): Promise<OwnIssue | undefined>;
  /** Brings it up to the body; opens it only where it may. */
  keepIssue(issue: IssueName & { readonly body: string }, mayOpen: boolean): Promise<void>;
  /** Puts the label on every open issue and proposal of ours, or takes it off them. */
  mark(label: string, on: boolean): Promise<void>;
  /** The state of the proposal now, as the code host sees it. */
  look(proposal: Pick<Proposal, "number">): Promise<ProposalFacts>;
  /** Merges only if the head is still `proposal.headSha`. "Not yet" is an answer, not an error. */
  merge(proposal: Proposal, approvedBy?: readonly string[]): Promise<MergeAnswer>;
  /** Closes the proposal and deletes its branch. */
  close(proposal: Proposal): Promise<void>;
}

/** One commit of the default branch. `at` is RFC 3339, the committer's time. */
export interface CommitMark {
  readonly sha: string;
  readonly parent: string | undefined;
  readonly at: string;
}

/** The people around a proposal. */
export interface People {
  /** The comment as it stands now; undefined when it was deleted. */
  comment(id: number): Promise<Comment | undefined>;
  /** The comments of a proposal or an issue, oldest first, at most a thousand. */
  commentsOn(proposal: Pick<Proposal, "number">): Promise<readonly Comment[]>;
  /** What this person may do in the repository, asked live. */
  permissionOf(login: string): Promise<Permission>;
  /** Those of the teams (`organisation/team`) that the person is a member of. */
  teamsOf(login: string, teams: readonly string[]): Promise<readonly string[]>;
  /** Logins that wrote commits of the proposal. */
  committersOf(proposal: Proposal): Promise<readonly string[]>;
  /** Shows the writer that the command was seen. `incident` is for the record. */
  react(comment: number, reaction: "eyes" | "+1" | "-1" | "confused", incident?: string): Promise<void>;
}

/** What the cluster runs. Read only. */
export interface Cluster {
  workload(workload: Workload): Promise<WorkloadState | undefined>;
  /** Facts around a workload: events, rollout history, quotas. */
  surroundings(workload: Workload): Promise<Surroundings>;
  /** Where the desired state of the workload is read from, by the marks that the GitOps controller left on it. */
  entryOf(workload: LiveWorkload): Promise<Entry>;
  /** The commit that the GitOps controller applied last for this entry; undefined when it says nothing. */
  appliedRevision(entry: Entry): Promise<AppliedRevision>;
}

/** Measurements. Throws like every adapter; the caller turns that into evidence. */
export interface Metrics {
  /** A range query, by default of some hundred points; `notes` carries the server's own warnings about partial answers. */
  range(
    query: string,
    from: Date,
    to: Date,
    points?: number,
  ): Promise<{ readonly series: readonly Series[]; readonly notes: readonly string[] }>;
  /** The alerting rule behind an alert name, as the server has it loaded. */
  ruleOf(alert: string): Promise<AlertRule | undefined>;
}

/** Log lines around the incident. */
export interface Logs {
  around(
    workload: Workload,
    from: Date,
    to: Date,
  ): Promise<{ readonly lines: readonly string[]; readonly notes: readonly string[] }>;
  /** How many lines per second look like errors. */
  errorRate(
    workload: Workload,
    from: Date,
    to: Date,
  ): Promise<{ readonly series: readonly Series[]; readonly notes: readonly string[] }>;
}

/** The alerts that fire now, asked from Alertmanager itself. */
export interface Alerts {
  active(): Promise<readonly Alert[]>;
}

/** The local model: one question, one schema, one timed answer. It has no method that writes anything. */
export interface Model {
  ask(request: {
    readonly system: string;
    readonly prompt: string;
    /** JSON schema of the answer. */
    readonly schema: object;
    readonly deadlineMs: number;
    readonly incident: string;
    readonly traceId: string;
    /** Where others wait too, the higher number goes first. */
    readonly urgency?: number;
    /** Ends the waiting and the call. */
    readonly signal?: AbortSignal;
  }): Promise<ModelAnswer>;
}

/** The raw answer with its costs; reading it is the domain's work. */
export interface ModelAnswer {
  readonly text: string;
  readonly doneReason: string;
  readonly model: string;
  readonly digest: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly durationMs: number;
}

/** What must outlive one story: our own records. */
export interface Journal extends WithdrawalRecord {
  /** Written before a mutating call leaves. */
  audit(entry: {
    incident: string;
    actor: string;
    action: string;
    detail: Readonly<Record<string, unknown>>;
  }): Promise<void>;
  /** Keeps everything that the diagnosis was made of; the first one of an incident stays. */
  saveCapsule(incident: string, document: string): Promise<void>;
  recordPull(number: number, incident: string): Promise<void>;
  /** One line for each incident that stands parked since then, and whose workload had no other one since. */
  parkedSince(since: Date): Promise<readonly string[]>;
  /** The newest proposal of the incident; undefined when it never had one. */
  lastPullOf(incident: string): Promise<number | undefined>;
  /** How many proposals other incidents opened for this workload (`namespace/Kind/name`) since then (RFC 3339). */
  changesSince(workload: string, since: string, exceptIncident: string): Promise<number>;
  /** How often this very alert began to fire since then (RFC 3339). */
  firingsSince(fingerprint: string, since: string): Promise<number>;
  /** When changes of ours were merged for this workload (`namespace/Kind/name`) since then, RFC 3339. */
  mergesSince(workload: string, since: string): Promise<readonly string[]>;
  alertsOf(incident: string): Promise<readonly Alert[]>;
  addPendingFile(path: string, content: string, incident: string): Promise<void>;
  /** What the next proposal carries along, the file of this incident first. */
  pendingFiles(first?: string): Promise<readonly { path: string; content: string }[]>;
  /** Drops what is in Git now, word for word: what was changed meanwhile stays. */
  dropPendingFiles(landed: readonly { path: string; content: string }[]): Promise<void>;
  endIncident(uid: string, ending: { ending: Ending; because: string; story: unknown }): Promise<void>;
}

/** Who may open a proposal now, under the caps of the guardrails. Asking and leaving twice is safe. */
export interface ProposalQueue {
  ask(
    candidate: Candidate,
    limits: CapLimits,
    now: Date,
  ): Promise<{ readonly kind: "open" } | { readonly kind: "listed"; readonly because: string }>;
  /** What is open, what waits with the reason, and whose turn it is now. */
  overview(
    limits: CapLimits,
    now: Date,
  ): Promise<Pick<Dashboard, "open" | "listed"> & { readonly ready: readonly Candidate[]; readonly used: CapUse }>;
  /** The proposal of this incident is merged, closed, or will never be. */
  leave(incident: string): Promise<void>;
  /** Puts on record that people ask to open waiting proposals now. */
  request(requests: readonly OpenRequest[]): Promise<void>;
  /** The requests that nobody judged yet, oldest first. */
  unjudged(): Promise<readonly OpenRequest[]>;
  /** Without a reason the request passes the caps. */
  judge(proof: string, refusedBecause: string | undefined): Promise<void>;
}

/** Watchtower mode: acting, or analysing without writing. */
export interface WatchtowerDesk {
  state(): Watchtower;
  hear(event: WatchtowerEvent): void;
  /** Resolves when everything heard so far was put on record. */
  saved(): Promise<void>;
}

export interface Clock {
  now(): Date;
}

/** The same answer, or `Unavailable` when it takes longer. The work itself is not stopped. */
export type Within = <T>(milliseconds: number, work: Promise<T>) => Promise<T>;

/** Tells what happens while it happens: log lines and the lab's story. */
export interface Telemetry {
  tell(incident: string, verb: string, text: string): void;
  /** A step begins, has its answer, has it on record: for durations, and for tests that pull the plug there. */
  step?(workflow: string, name: string, phase: "begin" | "end" | "recorded"): void;
}

/** Builds the objects that an entry produces, the way the GitOps controller would. */
export interface Renderer {
  render(tree: Tree, entry: Entry): Promise<Rendered>;
}

/** Everything outside, as the steps of the flow see it. A step takes only what it uses. */
export interface Ports {
  readonly github: GitHost;
  /** Undefined = nobody is told of the guardrails file before it is on the default branch. */
  readonly guardrailsHost?: GuardrailsHost | undefined;
  readonly people: People;
  readonly cluster: Cluster;
  readonly metrics: Metrics;
  readonly logs: Logs | undefined;
  readonly alerts: Alerts;
  readonly model: Model | undefined;
  /** The reviewed texts that go to the model. */
  readonly prompts: Prompts;
  /** 32 hex digits that nobody can guess. */
  readonly random: () => string;
  /** By this key post-mortems are known to be ours. It never leaves the process. */
  readonly sealKey: string;
  readonly renderer: Renderer;
  /** Undefined = no Kyverno CLI was found: then the policies' voice is a required check, or there is none. */
  readonly policies?: PolicyEngine | undefined;
  /** Undefined = only incidents of the same alert and workload are recalled. */
  readonly memory?: Memory | undefined;
  /** Undefined = nothing is capped. */
  readonly queue?: ProposalQueue | undefined;
  /** Undefined = nothing is leased. */
  readonly leases?: LeaseBook | undefined;
  /** Undefined = nothing that was merged is rolled back. */
  readonly rollbacks?: RollbackBook | undefined;
  /** Undefined = what runs already is not known. */
  readonly changes?: ChangeBook | undefined;
  /** Undefined = there is no such mode. */
  readonly watchtower?: WatchtowerDesk | undefined;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly within: Within;
  readonly telemetry: Telemetry;
  readonly tempo: Tempo;
}

/** What a durable story may do: take a step once, wait for a message, let time pass. */
export interface Run {
  /** Runs the work and records its answer. `Unavailable` waits (durably) and repeats; `Refused` ends the story. */
  step<T>(name: string, work: (ports: Ports) => Promise<T>): Promise<T>;
  /** The next message to this incident, or undefined after the time-out. */
  message(timeoutMs: number): Promise<Message | undefined>;
  readonly tempo: Tempo;
}

/** What wakes a waiting story. Only a command carries content; for the rest the state is read from its source. */
export type Message =
  | { readonly kind: "command"; readonly comment: number; readonly bodyHash: string }
  | { readonly kind: "alert" }
  | { readonly kind: "pull-request" }
  | { readonly kind: "turn" };
