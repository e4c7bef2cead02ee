import { changesBetween } from "../../domain/kubernetes/effect.ts";
import type { ChangedPart } from "../../domain/root-cause/signal-values.ts";
import type { Finding } from "../../domain/evidence/evidence.ts";
import type { Entry, ObjectChange } from "../../domain/kubernetes/manifest-edit.ts";
import type { Rendered } from "../../domain/kubernetes/rendered.ts";
import type { LiveWorkload, Workload } from "../../domain/kubernetes/workload.ts";
import { render } from "../../manifests/render/render.ts";
import type { Ports } from "../../ports/ports.ts";

// Renders cost: a window with more commits than this is shown in part, and says so.
const mostCommits = 10;

/**
 * The commits of the window that changed what the workload renders to, by what they changed. A file's path says little
 * about whom it concerns; the rendered objects say it exactly.
 */
export async function recentCommits(
  workload: Workload,
  live: LiveWorkload | undefined,
  since: Date,
  ports: Pick<Ports, "github" | "cluster" | "renderer">,
): Promise<Finding> {
  if (live === undefined) return { kind: "missing", because: "the workload is not known, so its manifests are not" };
  const entry = await ports.cluster.entryOf(live);
  const commits = await ports.github.commitsSince(since);
  const facts: Record<string, string> = {};
  for (const { sha, parent, at } of commits.slice(0, mostCommits)) {
    if (parent === undefined) continue;
    const [before, after] = await Promise.all([renderAt(parent, entry, ports), renderAt(sha, entry, ports)]);
    const part = partOf(changedBy(before, after, workload));
    if (part !== undefined) facts[sha] = `${at} ${part}`;
  }
  const notes =
    commits.length > mostCommits ? [`only the newest ${mostCommits} of ${commits.length} commits were read`] : [];
  return { kind: "facts", facts, notes };
}

/** What the entry rendered to at a commit of the past. */
export async function renderAt(
  sha: string,
  entry: Entry,
  ports: Pick<Ports, "github" | "renderer">,
): Promise<Rendered> {
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
