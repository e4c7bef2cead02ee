import { changesOf } from "../../domain/backtest/peoples-changes.ts";
import type { Course, PeoplesCommit } from "../../domain/backtest/verdict.ts";
import type { Entry, ObjectChange } from "../../domain/kubernetes/manifest-edit.ts";
import type { RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import type { CommitMark } from "../../ports/github.ts";
import { Refused } from "../../ports/errors.ts";
import type { PastRendering } from "../collect/commits/recent-commits.ts";

interface PeoplesCommits {
  /** Those made while the alert fired, oldest first. */
  readonly commits: readonly CommitMark[];
  /** The alerting workload, and the one that our remedy goes to. */
  readonly workloads: readonly Workload[];
  readonly entryOf: (workload: Workload) => Promise<Entry>;
  readonly renderedAt: PastRendering;
}

// Each costs two renderings: of a longer list nobody would know which of them healed.
const mostCommits = 60;

/** The commits that changed what is rendered of a workload; where one cannot be rendered, nobody knows. */
export async function peoplesCommits(asked: PeoplesCommits): Promise<Course["people"]> {
  const { commits, workloads } = asked;
  if (commits.length === 0) return { kind: "known", commits: [] };
  if (commits.length > mostCommits) return unknown(`${commits.length} commits were made while it fired`);
  try {
    const entries = await Promise.all(workloads.map((workload) => asked.entryOf(workload)));
    const found: PeoplesCommit[] = [];
    for (const commit of commits) {
      const changes = await changedBy(commit, entries, asked);
      if (typeof changes === "string") return unknown(changes);
      const { sha, at, own } = commit;
      if (changes.length > 0) found.push({ sha, at, changes, own });
    }
    return { kind: "known", commits: found };
  } catch (error) {
    if (error instanceof Refused) return unknown(error.message);
    throw error;
  }
}

async function changedBy({ sha, parent }: CommitMark, entries: readonly Entry[], asked: PeoplesCommits) {
  if (parent === undefined) return [];
  const distinct = new Map(entries.map((entry) => [`${entry.tool} ${entry.path} ${entry.object}`, entry]));
  const [all, shown]: [ObjectChange[], RenderedObject[]] = [[], []];
  for (const entry of distinct.values()) {
    const before = await asked.renderedAt(parent, entry);
    const after = await asked.renderedAt(sha, entry);
    const failed = [before, after].find((one) => one.kind === "unsupported");
    if (failed?.kind === "unsupported") return `commit ${sha.slice(0, 7)} cannot be rendered: ${failed.because}`;
    if (before.kind !== "rendered" || after.kind !== "rendered") continue;
    shown.push(...before.objects, ...after.objects);
    all.push(...changesOf(before.objects, after.objects, asked.workloads));
  }
  // What a chart makes, and the rendering does not show, may have changed without being seen.
  const unseen = asked.workloads.find((workload) => !shown.some((object) => isWorkload(object, workload)));
  if (unseen !== undefined) return `what makes ${workloadKey(unseen)} is not in the rendering of its entry`;
  return all;
}

function isWorkload({ kind, metadata }: RenderedObject, workload: Workload): boolean {
  const here = metadata.namespace ?? "default";
  return kind === workload.kind && metadata.name === workload.name && here === workload.namespace;
}

function unknown(because: string): Course["people"] {
  return { kind: "unknown", because };
}
