import type { Finding } from "../../../domain/evidence/evidence.ts";
import { changesBetween } from "../../../domain/kubernetes/effect.ts";
import type { ObjectChange } from "../../../domain/kubernetes/manifest-edit.ts";
import type { RenderedObject } from "../../../domain/kubernetes/rendered.ts";
import type { LiveWorkload, Workload } from "../../../domain/kubernetes/workload.ts";
import { identityOf } from "../../../domain/root-cause/changes/object-fields.ts";
import { aspectsOf } from "../../../domain/root-cause/changes/aspects.ts";
import { renderSuspect, type SuspectPart } from "../../../domain/root-cause/changes/suspects.ts";
import { keysBetween, relationsAround } from "../../../domain/root-cause/changes/touched.ts";
import { type HistoryPorts, historySince, renderedAround } from "./recent-commits.ts";

// Each costs two renderings: a window with more commits than this is shown in part, and says so.
const mostCommits = 20;
const mostParts = 20;

/** The commits of the window whose rendered effect changed the workload, or anything else of its entry, and how. */
export async function suspectCommits(
  workload: Workload,
  live: LiveWorkload | undefined,
  since: Date,
  ports: HistoryPorts,
): Promise<Finding> {
  const history = await historySince(since, live, mostCommits, ports);
  if (history.kind === "missing") return history;
  const { entry, commits } = history;
  const notes = [...history.notes];
  const facts: Record<string, string> = {};
  for await (const { sha, at, before, after } of renderedAround(commits, entry, ports)) {
    if (before.kind !== "rendered" || after.kind !== "rendered") {
      notes.push(`commit ${sha.slice(0, 7)} cannot be rendered on both sides`);
      continue;
    }
    const parts = partsOf({ parent: before.objects, commit: after.objects }, workload);
    if (parts.length > 0) facts[sha] = renderSuspect({ at, parts });
  }
  return { kind: "facts", facts, notes };
}

interface Around {
  readonly parent: readonly RenderedObject[];
  readonly commit: readonly RenderedObject[];
}

function partsOf({ parent, commit }: Around, workload: Workload): readonly SuspectPart[] {
  const relations = relationsAround({ parent, commit }, workload);
  const wanted = new Set(keysBetween(parent, commit));
  const byObject = new Map<string, ObjectChange[]>();
  for (const change of changesBetween(parent, commit)) {
    const key = identityOf(objectOf(change));
    if (wanted.has(key)) byObject.set(key, [...(byObject.get(key) ?? []), change]);
  }
  const parts = [...byObject].map(([key, changes]): SuspectPart => {
    const { kind, name } = changes[0]?.object ?? { kind: "", name: "" };
    return { relation: relations.get(key) ?? "other", object: `${kind}/${name}`, aspects: aspectsOf(changes) };
  });
  const order = ["self", "uses", "calls", "namespace", "other"];
  return parts.sort((a, b) => order.indexOf(a.relation) - order.indexOf(b.relation)).slice(0, mostParts);
}

function objectOf({ object: { apiVersion, kind, namespace, name } }: ObjectChange): RenderedObject {
  return { apiVersion, kind, metadata: { name, ...(namespace === "" ? {} : { namespace }) } };
}
