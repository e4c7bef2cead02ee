import { changesBetween } from "../../../domain/kubernetes/effect.ts";
import type { ChangedPart } from "../../../domain/root-cause/signal-values.ts";
import type { Finding } from "../../../domain/evidence/evidence.ts";
import type { Entry, ObjectChange } from "../../../domain/kubernetes/manifest-edit.ts";
import type { Rendered } from "../../../domain/kubernetes/rendered.ts";
import type { LiveWorkload, Workload } from "../../../domain/kubernetes/workload.ts";
import { render } from "../../../manifests/render/render.ts";
import type { CommitMark } from "../../../ports/github.ts";
import type { Ports } from "../../../ports/ports.ts";

// Renders cost: a window with more commits than this is shown in part, and says so.
const mostCommits = 10;

/** What an entry rendered to at a commit of the past. */
export type PastRendering = (sha: string, entry: Entry) => Promise<Rendered>;

/** What the questions about the past of a workload ask. */
export type HistoryPorts = Pick<Ports, "github" | "cluster"> & { readonly renderedAt: PastRendering };

/**
 * Renders each commit once, whoever asks: a commit's parent is mostly the commit before it, and two questions of a
 * collection look at the same commits. What failed is tried again by the next who asks.
 */
export function pastRenderings(ports: Pick<Ports, "github" | "renderer">): PastRendering {
  const known = new Map<string, Promise<Rendered>>();
  return (sha, entry) => {
    const rendering = known.get(sha) ?? renderAt(sha, entry, ports);
    known.set(sha, rendering);
    rendering.catch(() => known.delete(sha));
    return rendering;
  };
}

type History =
  | Extract<Finding, { kind: "missing" }>
  | {
      readonly kind: "commits";
      readonly entry: Entry;
      readonly commits: readonly CommitMark[];
      readonly notes: readonly string[];
    };

/** The newest commits since then, and where the workload is read from. */
export async function historySince(
  since: Date,
  live: LiveWorkload | undefined,
  most: number,
  { cluster, github }: Pick<Ports, "github" | "cluster">,
): Promise<History> {
  if (live === undefined) return { kind: "missing", because: "the workload is not known, so its manifests are not" };
  const entry = await cluster.entryOf(live);
  if (entry.elsewhere === true)
    return { kind: "missing", because: "it is read from another repository, whose commits are not known here" };
  const commits = await github.commitsSince(since);
  const notes = commits.length > most ? [`only the newest ${most} of ${commits.length} commits were read`] : [];
  return { kind: "commits", entry, commits: commits.slice(0, most), notes };
}

/** Each commit that has a parent, with what the entry rendered to before it and after it. */
export async function* renderedAround(
  commits: readonly CommitMark[],
  entry: Entry,
  { renderedAt }: Pick<HistoryPorts, "renderedAt">,
) {
  for (const { sha, parent, at } of commits) {
    if (parent === undefined) continue;
    const [before, after] = await Promise.all([renderedAt(parent, entry), renderedAt(sha, entry)]);
    yield { sha, at, before, after };
  }
}

/**
 * The commits of the window that changed what the workload renders to, by what they changed. A file's path says little
 * about whom it concerns; the rendered objects say it exactly.
 */
export async function recentCommits(
  workload: Workload,
  live: LiveWorkload | undefined,
  since: Date,
  ports: HistoryPorts,
): Promise<Finding> {
  const history = await historySince(since, live, mostCommits, ports);
  if (history.kind === "missing") return history;
  const { entry, commits, notes } = history;
  const facts: Record<string, string> = {};
  for await (const { sha, at, before, after } of renderedAround(commits, entry, ports)) {
    const part = partOf(changedBy(before, after, workload));
    if (part !== undefined) facts[sha] = `${at} ${part}`;
  }
  return { kind: "facts", facts, notes };
}

async function renderAt(sha: string, entry: Entry, ports: Pick<Ports, "github" | "renderer">): Promise<Rendered> {
  const tree = await ports.github.at(sha);
  // Only for reading history: our own subset is enough where it suffices, and spares a process for each commit.
  const own = render(tree, entry);
  return own.kind === "rendered" ? own : ports.renderer.render(tree, entry);
}

function changedBy(before: Rendered, after: Rendered, workload: Workload): readonly ObjectChange[] {
  if (before.kind !== "rendered" || after.kind !== "rendered") return [];
  return changesBetween(before.objects, after.objects).filter(
    ({ object }) => object.name === workload.name && object.namespace === workload.namespace,
  );
}

/** The most telling part that changed. */
function partOf(changes: readonly ObjectChange[]): ChangedPart | undefined {
  const fields = changes.map(({ field }) => field.join("."));
  if (fields.length === 0) return undefined;
  if (fields.some((field) => field.endsWith(".image"))) return "image";
  if (fields.some((field) => field.includes(".resources"))) return "resources";
  return fields.every((field) => /replicas$/i.test(field)) ? "replicas" : "config";
}
