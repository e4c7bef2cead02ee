import type { MergeMethod } from "../domain/guardrails/merge-method.ts";
import type { Comment, Permission } from "../domain/guardrails/commenter.ts";
import type { Tree } from "../domain/kubernetes/tree.ts";
import type { IssueName, OwnIssue } from "../domain/proposal/dashboard.ts";
import type { MergeAnswer, Proposal, ProposalDraft, ProposalFacts } from "../domain/proposal/pull-request.ts";

/** The default branch, from the local mirror. */
interface DefaultBranch {
  /** The commit at the tip of the default branch and its files, from the local mirror. */
  head(): Promise<{ readonly sha: string; readonly tree: Tree }>;
  /** The files of one commit, which the default branch contains. */
  at(sha: string): Promise<Tree>;
  /** Commits of the default branch's first-parent line since then, newest first. */
  commitsSince(since: Date): Promise<readonly CommitMark[]>;
  /** True when `ancestor` is contained in `descendant`. */
  contains(descendant: string, ancestor: string): Promise<boolean>;
}

/** Our pull requests. Every writing call looks before it writes: calling it twice is safe. */
interface ProposalHost {
  /** Opens the proposal, or updates the open one on the same branch. */
  publish(draft: ProposalDraft): Promise<Proposal>;
  /** Replaces the bot's single comment and, once it is decided, the title of our Check Run, where one is on record. */
  report(
    proposal: Pick<Proposal, "number" | "commitMessage" | "checkRun">,
    markdown: string,
    decided?: string,
  ): Promise<void>;
  /** The state of the proposal now, as the code host sees it. */
  look(proposal: Pick<Proposal, "number">): Promise<ProposalFacts>;
  /** Its state and head alone, where nothing else is asked. */
  stateOf(proposal: Pick<Proposal, "number">): Promise<Pick<ProposalFacts, "state" | "headSha">>;
  /** Closes the proposal and deletes its branch. */
  close(proposal: Proposal): Promise<void>;
  /**
   * The last that is written in a class that was switched to shadow mode: out of the merge queue, why in the bot's comment,
   * closed. Does nothing to a proposal that is not open any more.
   */
  withdraw(proposal: Proposal, markdown: string): Promise<void>;
}

/** How the actions of a withdrawal begin. */
export const withdrawing = "withdraw: ";

/** The action that takes a proposal out of the merge queue. */
export const leavingQueue = "leave merge queue";

/** How a proposal gets into the default branch. */
interface Merging {
  /**
   * Merges only if the head is still `proposal.headSha`, by the first of the methods that the repository allows, or
   * enters its merge queue. "Not yet" is an answer, not an error.
   */
  merge(proposal: Proposal, approvedBy?: readonly string[], methods?: readonly MergeMethod[]): Promise<MergeAnswer>;
  /** Takes the proposal out of the merge queue. */
  leaveQueue(proposal: Pick<Proposal, "number" | "commitMessage">): Promise<void>;
}

/** Issues and labels: the dashboard, a freeze, Watchtower mode. */
interface IssueHost {
  /** Numbers of the open issues, and pull requests, with this label. */
  openIssuesWithLabel(label: string): Promise<readonly number[]>;
  /** Our open pull requests, with the incident that each names. */
  openProposals(): Promise<readonly { readonly number: number; readonly incident: string | undefined }[]>;
  /** Our one open issue of this title and label. */
  ownIssue(name: IssueName): Promise<OwnIssue | undefined>;
  /** Brings it up to the body; opens it only where it may. The answer is why there can be none, told once. */
  keepIssue(issue: IssueName & { readonly body: string }, mayOpen: boolean): Promise<string | undefined>;
  /** Puts the label on every open issue and proposal of ours, or takes it off them. */
  mark(label: string, on: boolean): Promise<void>;
}

/** The code host, in our words. */
export interface GitHost extends DefaultBranch, ProposalHost, Merging, IssueHost {}

/** One commit of the default branch. `at` is RFC 3339, the committer's time. */
export interface CommitMark {
  readonly sha: string;
  readonly parent: string | undefined;
  readonly at: string;
  /** The first line of its message and its author's name: text of others. */
  readonly subject?: string | undefined;
  readonly author?: string | undefined;
  /** Rectify's own, whoever merged it. */
  readonly own?: true | undefined;
}

/** What people say. */
interface Comments {
  /** The comment as it stands now; undefined when it was deleted, "untold" when the code host refuses to say. */
  comment(id: number): Promise<Comment | "untold" | undefined>;
  /** The comments of a proposal or an issue, oldest first, at most a thousand. */
  commentsOn(proposal: Pick<Proposal, "number">): Promise<readonly Comment[]>;
  /** The comments of the whole repository that were written or edited since then, oldest first, at most a thousand. */
  commentsSince(since: Date): Promise<readonly Comment[]>;
  /** Shows the writer that the command was seen. `incident` is for the record. */
  react(comment: number, reaction: "eyes" | "+1" | "-1" | "confused", incident?: string): Promise<void>;
}

/** Who they are. What the code host refuses to say about a person is undefined, and never a yes. */
interface Identities {
  /** What this person may do in the repository, asked live. */
  permissionOf(login: string): Promise<Permission | undefined>;
  /** Those of the teams (`organisation/team`) that the person is a member of. */
  teamsOf(login: string, teams: readonly string[]): Promise<readonly string[] | undefined>;
  /** Logins that wrote commits of the proposal. */
  committersOf(proposal: Proposal): Promise<readonly string[] | undefined>;
}

/** The people around a proposal. */
export interface People extends Comments, Identities {}

/** The pace of all processes that call with one installation, kept where all of them look. */
export interface SharedPace {
  /** Books one write after `gapMs` from the one before, or none with 0, and `points` of what GitHub allows a minute. */
  take(gapMs: number, points: number): Promise<PaceWaits>;
  /** GitHub wants silence for so long. */
  silence(pauseMs: number): Promise<void>;
}

/** What a call waits for, and how long GitHub wants silence from everybody. */
export interface PaceWaits {
  readonly waitMs: number;
  readonly silentMs: number;
}
