import { createHash } from "node:crypto";
import { overlaid, type Tree } from "../../domain/kubernetes/tree.ts";
import type { Comment } from "../../domain/guardrails/commenter.ts";
import type { Proposal, ProposalDraft } from "../../domain/proposal/pull-request.ts";
import type { CommitMark } from "../../ports/github.ts";
import type { Ports } from "../../ports/ports.ts";

interface Kept extends CommitMark {
  readonly tree: Tree;
}

/** A code host in memory: one branch, its commits, and proposals that merge onto it. Nothing of it leaves the process. */
export function quickHost(first: Tree, now: () => Date) {
  const commits: Kept[] = [];
  const proposals: Opened[] = [];
  const comments: Comment[] = [];
  const add = (tree: Tree, about: { readonly subject: string; readonly author: string }): string => {
    const sha = createHash("sha1").update(`${commits.length} ${about.subject}`).digest("hex");
    commits.push({ sha, parent: commits.at(-1)?.sha, at: now().toISOString(), tree, ...about });
    return sha;
  };
  add(first, { subject: "begin", author: "sre-anna" });
  const tip = () => {
    const last = commits.at(-1);
    if (last === undefined) throw new Error("a branch has a commit");
    return last;
  };
  const at = (sha: string) => {
    const found = commits.find((commit) => commit.sha === sha);
    if (found === undefined) throw new Error(`no commit ${sha}`);
    return found;
  };
  const place = (sha: string) => commits.findIndex((commit) => commit.sha === sha);
  const find = (number: number) => {
    const found = proposals[number - 1];
    if (found === undefined) throw new Error(`no proposal ${number}`);
    return found;
  };
  const state: State = { proposals, commits, add, tip, at, place, find };
  const [github, people] = [githubOf(state), peopleOf(comments)];
  return {
    ...{ github, people, proposals, commits },
    commit: add,
    tip,
    say: (proposal: number, body: string) => {
      const id = comments.length + 1;
      comments.push({
        id,
        proposal,
        author: "sre-anna",
        byPerson: true,
        body,
        createdAt: now().toISOString(),
        edited: false,
      });
    },
  };
}

interface Opened {
  readonly proposal: Proposal;
  readonly draft: ProposalDraft;
  merged?: string;
  closed?: true;
}

interface State {
  readonly commits: readonly Kept[];
  readonly proposals: Opened[];
  readonly add: (tree: Tree, about: { readonly subject: string; readonly author: string }) => string;
  readonly tip: () => Kept;
  readonly at: (sha: string) => Kept;
  readonly place: (sha: string) => number;
  readonly find: (number: number) => Opened;
}

function githubOf({ commits, proposals, add, tip, at, place, find }: State): Ports["github"] {
  const look = async ({ number }: Pick<Proposal, "number">) => {
    const { merged, closed, proposal } = find(number);
    const state = merged !== undefined ? "merged" : closed ? "closed" : "open";
    return {
      state,
      headSha: proposal.headSha,
      mergedSha: merged,
      requiredChecks: [],
      conflicting: false,
      place: { base: "main", branch: proposal.branch, draft: false, defaultBranch: "main" },
    } as const;
  };
  return {
    head: async () => ({ sha: tip().sha, tree: tip().tree }),
    at: async (sha: string) => at(sha).tree,
    commitsSince: async (since: Date) => commits.filter((one) => Date.parse(one.at) >= since.getTime()).reverse(),
    contains: async (descendant: string, ancestor: string) =>
      place(ancestor) >= 0 && place(ancestor) <= place(descendant),
    publish: async (draft: ProposalDraft) => {
      const number = proposals.length + 1;
      const { branch, effect, commitMessage, labels } = draft;
      const headSha = createHash("sha1").update(`head ${number} ${effect}`).digest("hex");
      const files = draft.files.map(({ path }) => path);
      const proposal: Proposal = {
        number,
        url: `quick:${number}`,
        branch,
        headSha,
        effect,
        commitMessage,
        files,
        labels,
      };
      proposals.push({ proposal, draft });
      return proposal;
    },
    report: async () => undefined,
    ...{ openIssuesWithLabel: async () => [], openProposals: async () => [] },
    ownIssue: async () => undefined,
    keepIssue: async () => undefined,
    mark: async () => undefined,
    look,
    stateOf: async (proposal: Pick<Proposal, "number">) => {
      const { state, headSha } = await look(proposal);
      return { state, headSha };
    },
    leaveQueue: async () => undefined,
    merge: async ({ number }: Proposal) => {
      const found = find(number);
      const files = Object.fromEntries(found.draft.files.map(({ path, content }) => [path, content]));
      const sha = add(overlaid(tip().tree, files), { subject: found.draft.title, author: "rectify" });
      found.merged = sha;
      return { kind: "merged", sha } as const;
    },
    ...closersOf(find),
  } satisfies Ports["github"];
}

function closersOf(find: State["find"]): Pick<Ports["github"], "close" | "withdraw"> {
  const close = async ({ number }: Proposal) => {
    find(number).closed = true;
  };
  return { close, withdraw: close };
}

function peopleOf(comments: readonly Comment[]): Ports["people"] {
  return {
    comment: async (id: number) => comments.find((one) => one.id === id),
    commentsOn: async ({ number }: Pick<Proposal, "number">) => comments.filter((one) => one.proposal === number),
    commentsSince: async (since: Date) => comments.filter(({ createdAt }) => Date.parse(createdAt) >= since.getTime()),
    permissionOf: async () => "write",
    teamsOf: async () => [],
    committersOf: async () => ["rectify[bot]"],
    react: async () => undefined,
  } satisfies Ports["people"];
}
