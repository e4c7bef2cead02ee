import { changesBetween } from "../../domain/kubernetes/effect.ts";
import type { ChangedPart } from "../../domain/root-cause/signal-values.ts";
import type { Finding } from "../../domain/evidence/evidence.ts";
import type { Entry, ObjectChange, ResourceField, WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import type { Undo } from "../../domain/remedy/remedy.ts";
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

/** The field values that a commit replaced in one workload, as a change that brings them back. */
export async function undoOf(
  sha: string,
  live: LiveWorkload,
  ports: Pick<Ports, "github" | "cluster" | "renderer">,
): Promise<Undo> {
  const entry = await ports.cluster.entryOf(live);
  const parent = (await ports.github.commitsSince(new Date(0))).find((commit) => commit.sha === sha)?.parent;
  if (parent === undefined) return { kind: "none", because: `commit ${sha.slice(0, 7)} has no parent to go back to` };
  const [before, after] = await Promise.all([renderAt(parent, entry, ports), renderAt(sha, entry, ports)]);
  const [change, ...more] = changedBy(before, after, live);
  const by = `commit ${sha.slice(0, 7)}`;
  if (change === undefined) return { kind: "none", because: `${by} does not change ${live.name} any more` };
  if (more.length > 0) return { kind: "none", because: `${by} changed ${more.length + 1} fields: revert it by hand` };
  const wanted = wantedBack(change);
  if (wanted === undefined)
    return { kind: "none", because: `${by} changed ${change.field.join(".")}, which Rectify may not set` };
  return { kind: "undo", change: wanted, from: tagOf(change.to) ?? String(change.to), sha };
}

function wantedBack({ field, from }: ObjectChange): WantedChange | undefined {
  const path = field.join(".");
  if (path === "spec.replicas" && typeof from === "number") return { kind: "replicas", to: from };
  const tag = tagOf(from);
  if (path.endsWith(".image") && tag !== undefined) return { kind: "image-tag", to: tag };
  const resource = /resources\.((?:requests|limits)\.(?:cpu|memory))$/.exec(path)?.[1];
  if (resource === undefined || from === undefined) return undefined;
  return { kind: "resources", field: resource as ResourceField, to: String(from) };
}

/** The tag of an image reference; undefined for a digest or a reference without one. */
function tagOf(image: unknown): string | undefined {
  return typeof image === "string" ? /:([\w][\w.-]{0,127})$/.exec(image)?.[1] : undefined;
}
