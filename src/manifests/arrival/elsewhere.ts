import { posix } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { canonicalText } from "../../domain/kubernetes/object-changes.ts";
import { type Rendered, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { controllerObjectOf, namespaceOf } from "../gitops/controllers.ts";
import { entriesOf, othersOf } from "../gitops/entries.ts";
import { indexOf } from "../gitops/gitops.ts";
import { affectedEntries } from "../gitops/reach.ts";
import type { Refusal } from "../repository/refusal.ts";
import { heldBack } from "./arriving.ts";
import type { Arriving, Doubt } from "./doubt.ts";
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
 * from their renderings. Where it may be another cluster, nobody here can tell, and a person must look.
 */
export async function heldElsewhere(tree: Tree, asked: Asked, render: Render): Promise<Refusal | Doubt | undefined> {
  const { target, question, arriving } = asked;
  const { change, workload } = question;
  if (change.kind !== "replicas" && change.kind !== "resources") return undefined;
  const entries = entriesWith(tree, asked);
  let doubt: Doubt | undefined;
  for (const entry of entries.slice(0, mostEntries)) {
    const rendered = await render(tree, entry);
    const outside = namespaceOf(tree, entry);
    if (rendered.kind === "unsupported" || rendered.objects.some((one) => isIt(one, question, outside))) continue;
    const there = rendered.objects.map((one) => inNamespace(one, outside));
    const ranges = there.filter(({ kind }) => kind === "LimitRange");
    const found =
      ownedAmong(there, question) ?? (arriving && ranges.length > 0 ? heldBack(ranges, arriving) : undefined);
    if (found === undefined || "doubt" in found) continue;
    const name = entry.object ?? entry.path ?? "another entry";
    if (isSameCluster(tree, target, entry)) return { ...found, because: `${found.because} (from ${name})` };
    doubt ??= { doubt: `${found.because} where ${name} is of the same cluster` };
  }
  if (entries.length <= mostEntries) return doubt;
  const because = `more than ${mostEntries} other entries hold what may own or bound ${workload.kind} ${workload.name}`;
  return doubt ?? { doubt: because };
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

/** Other entries that read a file with an owner that may mean the workload, and that the target does not read. */
function entriesWith(tree: Tree, { target, question }: Asked): readonly Entry[] {
  // The edit moves one value: who deploys what is known of the tree before it, which is read once for all questions.
  const known = tree.over !== undefined && tree.over.paths.length > 0 ? tree.over.tree : tree;
  const files = indexOf(known).owning.filter((file) => mayMean(tree, file, question));
  const foreign = files.filter((file) => affectedEntries(known, [target], [file]).length === 0);
  if (foreign.length === 0) return [];
  const others = othersOf(entriesOf(known), target).filter((one) => !isElsewhere(known, target, one));
  return [...new Set(foreign.flatMap((file) => affectedEntries(known, others, [file])))];
}

/** By its text alone: a kustomization may still add to a name, and put it into another namespace. */
function mayMean(tree: Tree, file: string, { workload, change }: OwnedQuestion): boolean {
  const text = new TextDecoder("latin1").decode(tree.read(file));
  if (change.kind === "resources" && /kind["']?:\s*["']?LimitRange/.test(text))
    return !text.includes("namespace:") || text.includes(workload.namespace);
  if (!/Autoscaler|ScaledObject/.test(text)) return false;
  const names = [...text.matchAll(/name["']?:\s*["']?([\w.-]{3,})/g)].map(([, name = ""]) => name);
  return names.some((name) => workload.name.startsWith(name) || workload.name.endsWith(name));
}

type Spec = Readonly<Record<string, unknown>>;

const specOf = (tree: Tree, entry: Entry): Spec => controllerObjectOf(tree, entry)?.spec ?? entry.spec ?? {};

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
