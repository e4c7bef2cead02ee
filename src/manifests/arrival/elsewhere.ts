import { posix } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { canonicalText } from "../../domain/kubernetes/object-changes.ts";
import { type Rendered, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { controllerObjectOf, namespaceOf, plainPath, specOf } from "../gitops/controllers.ts";
import { entriesOf, othersOf } from "../gitops/entries.ts";
import { filesRead } from "../gitops/reach.ts";
import { roughText } from "../repository/reader.ts";
import type { Refusal } from "../repository/refusal.ts";
import { type Resource, resourcesOf } from "../repository/resource.ts";
import { isExercise } from "../trace/sharing.ts";
import { parseSource } from "../yaml/source.ts";
import { heldBack } from "./arriving.ts";
import type { Arriving, Doubt } from "./doubt.ts";
import { mayOwn } from "./may-own.ts";
import { ownedAmong, type OwnedQuestion } from "./owned.ts";

type Render = (tree: Tree, entry: Entry) => Promise<Rendered>;

interface Asked {
  readonly target: Entry;
  readonly question: OwnedQuestion;
  /** The field in the rendering of the target, where that shows it. */
  readonly arriving: Arriving | undefined;
}

// Each costs a rendering.
const mostEntries = 12;

/**
 * What other entries put beside the workload: an autoscaler that writes the field, or a LimitRange that it crosses, read
 * from their renderings. Where it may be another cluster, or an entry that may hold one cannot be rendered, nobody here
 * can tell, and a person must look.
 */
export async function heldElsewhere(tree: Tree, asked: Asked, render: Render): Promise<Refusal | Doubt | undefined> {
  const { target, question } = asked;
  const { change, workload } = question;
  if (change.kind !== "replicas" && change.kind !== "resources") return undefined;
  const entries = entriesWith(tree, asked);
  let doubt: Doubt | undefined;
  for (const entry of entries.slice(0, mostEntries)) {
    const found = foundIn(tree, { entry, rendered: await render(tree, entry) }, asked);
    if (found === undefined) continue;
    const name = entry.object ?? entry.path ?? "another entry";
    if ("doubt" in found) doubt ??= { doubt: `${found.doubt} (from ${name})` };
    else if (isSameCluster(tree, target, entry)) return { ...found, because: `${found.because} (from ${name})` };
    else doubt ??= { doubt: `${found.because} where ${name} is of the same cluster` };
  }
  if (entries.length <= mostEntries) return doubt;
  const because = `more than ${mostEntries} other entries hold what may own or bound ${workload.kind} ${workload.name}`;
  return doubt ?? { doubt: because };
}

interface Beside {
  readonly entry: Entry;
  readonly rendered: Rendered;
}

function foundIn(tree: Tree, { entry, rendered }: Beside, asked: Asked): Refusal | Doubt | undefined {
  const { question, arriving } = asked;
  if (rendered.kind === "unsupported") return unrendered(tree, entry, rendered.because, question);
  const outside = namespaceOf(tree, entry);
  if (rendered.objects.some((one) => isIt(one, question, outside))) return undefined;
  const there = rendered.objects.map((one) => inNamespace(one, outside));
  const owned = ownedAmong(there, question);
  if (owned && "reason" in owned) return owned;
  const ranges = there.filter(({ kind }) => kind === "LimitRange");
  const bounded = arriving && ranges.length > 0 ? heldBack(ranges, arriving) : undefined;
  return bounded && "reason" in bounded ? bounded : owned;
}

/** What holds the workload itself is another environment of it, also where it cannot be rendered. */
function unrendered(tree: Tree, entry: Entry, because: string, { workload }: OwnedQuestion): Doubt | undefined {
  const path = plainPath(entry.path);
  const files = path === null ? [] : [...filesRead(tree, path)];
  const speaksOf = (file: string) => roughText(tree, file).includes(workload.namespace);
  const isIn = (file: string) =>
    objectsOf(tree, file).some(({ kind, names }) => kind === workload.kind && names[0] === workload.name);
  const isNear = namespaceOf(tree, entry) === workload.namespace || files.some((file) => speaksOf(file));
  if (!isNear || files.some(isIn)) return undefined;
  return { doubt: `what may own or bound ${workload.kind} ${workload.name} could not be rendered: ${because}` };
}

function objectsOf(tree: Tree, file: string): readonly Resource[] {
  const bytes = /\.(?:ya?ml|json)$/.test(file) ? tree.read(file) : undefined;
  const source = bytes && parseSource(file, bytes);
  return source?.ok ? source.file.documents.flatMap(({ root }) => resourcesOf(root)) : [];
}

/** An entry that makes the workload itself is another environment of it. */
function isIt(object: RenderedObject, { workload }: OwnedQuestion, outside: string): boolean {
  const { kind, metadata } = object;
  const isNamed = kind === workload.kind && metadata.name === workload.name;
  return isNamed && (metadata.namespace ?? outside) === workload.namespace;
}

const inNamespace = (object: RenderedObject, outside: string): RenderedObject => ({
  ...object,
  metadata: { namespace: outside, ...object.metadata },
});

/** Other entries of perhaps this cluster that may hold an owner, in files that the target does not read. */
function entriesWith(tree: Tree, { target, question }: Asked): readonly Entry[] {
  // The edit moves one value: who deploys what is known of the tree before it, which is read once for all questions.
  const known = tree.over !== undefined && tree.over.paths.length > 0 ? tree.over.tree : tree;
  const others = () =>
    othersOf(entriesOf(known), target).filter(
      (one) => !isElsewhere(known, target, one) && !isExercise(known, target, one),
    );
  return mayOwn(known, { target, question }, others);
}

/** Certainly another cluster. */
function isElsewhere(tree: Tree, target: Entry, other: Entry): boolean {
  if (target.cluster !== undefined && other.cluster !== undefined && target.cluster !== other.cluster) return true;
  const [left, right] = [specOf(tree, target), specOf(tree, other)];
  const isOther = (key: string) => canonicalText(clusterIn(left[key])) !== canonicalText(clusterIn(right[key]));
  const isKnown = left.destination !== undefined && right.destination !== undefined;
  return (isKnown && isOther("destination")) || isOther("kubeConfig");
}

const clusterIn = (place: unknown): unknown => {
  const { namespace: _namespace, ...cluster } = (place ?? {}) as Record<string, unknown>;
  return cluster;
};

/** Both are declared, by objects that stand together. */
function isSameCluster(tree: Tree, target: Entry, other: Entry): boolean {
  const [left, right] = [target, other].map((one) => controllerObjectOf(tree, one)?.entry);
  if (left === undefined || right === undefined || left.tool !== right.tool) return false;
  return left.cluster === undefined && right.cluster === undefined
    ? posix.dirname(left.file) === posix.dirname(right.file)
    : left.cluster === right.cluster;
}
