import { overlaid, type Tree } from "../../domain/kubernetes/tree.ts";
import { Refused } from "../../ports/errors.ts";
import type { CommitMark, GitHost } from "../../ports/github.ts";
import type { Mirror } from "../git-mirror.ts";

/** The default branch's past, read once. */
export interface GitHistory {
  /** The branch as it stood at that moment. */
  at(moment: Date): PastHost;
  /** Every commit between two moments, oldest first. */
  between(from: Date, to: Date): readonly CommitMark[];
  /** The files of a commit, with the guardrails that are tried. */
  tree(sha: string): Promise<Tree>;
}

/** What a step of the line may read of the code host. It has no method that writes. */
type PastHost = Pick<GitHost, "head" | "at" | "commitsSince" | "contains">;

// As a running Rectify sees it.
const mostCommits = 100;
const keptTrees = 24;

/**
 * Opens the past of a mirror. `overlay` are files that every commit is seen with: guardrails that are tried on a past
 * which had none.
 */
export async function openHistory(
  mirror: Pick<Mirror, "at" | "commitsSince">,
  overlay: Readonly<Record<string, string>>,
): Promise<GitHistory> {
  const commits = await mirror.commitsSince(new Date(0), 100_000);
  const times = commits.map(({ at }) => Date.parse(at));
  const trees = new Map<string, Promise<Tree>>();
  // One tree for one commit: what is found out about a tree is kept by it.
  const tree = (sha: string) => {
    const known = trees.get(sha) ?? mirror.at(sha).then((files) => overlaid(files, overlay));
    trees.delete(sha);
    trees.set(sha, known);
    for (const old of [...trees.keys()].slice(0, -keptTrees)) trees.delete(old);
    known.catch(() => trees.delete(sha));
    return known;
  };
  const until = (moment: Date) => commits.filter((_, index) => (times[index] ?? 0) <= moment.getTime());
  return {
    tree,
    between: (from, to) =>
      commits
        .filter((_, index) => (times[index] ?? 0) >= from.getTime() && (times[index] ?? 0) <= to.getTime())
        .reverse(),
    at: (moment) => {
      const then = until(moment);
      return {
        head: async () => {
          const [newest] = then;
          if (newest === undefined) throw new Refused("git: the branch had no commit at that time");
          return { sha: newest.sha, tree: await tree(newest.sha) };
        },
        at: tree,
        commitsSince: async (since) => then.filter(({ at }) => Date.parse(at) >= since.getTime()).slice(0, mostCommits),
        contains: async (descendant, ancestor) => {
          const [upper, lower] = [descendant, ancestor].map((sha) => then.findIndex((commit) => commit.sha === sha));
          return upper !== undefined && lower !== undefined && upper >= 0 && lower >= upper;
        },
      };
    },
  };
}
