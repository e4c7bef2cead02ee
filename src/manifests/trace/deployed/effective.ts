import { canonicalText } from "../../../domain/kubernetes/object-changes.ts";
import type { Entry } from "../../../domain/kubernetes/manifest-edit.ts";
import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../../domain/kubernetes/tree.ts";
import { controllerObjectOf, plainPath } from "../../gitops/controllers.ts";
import { type Deployer, indexAfter, indexOf } from "../../gitops/gitops.ts";
import { maskedSpec } from "../../gitops/live-spec.ts";
import { readerOf } from "../../repository/reader.ts";
import { whereIs } from "../../repository/refusal.ts";
import { plainOf } from "../../yaml/plain.ts";
import { at, type MapNode } from "../../yaml/source.ts";
import { asApplied, type Repository } from "./as-applied.ts";

type Spec = Readonly<Record<string, unknown>>;

/** A deployer as its controller gets it. */
interface Effective {
  readonly deployer: Deployer;
  /** Why nobody here can tell. */
  readonly doubt?: string;
}

/**
 * The repository's object of an entry as other objects patch it, held against what the cluster says of it: where they
 * disagree, an edit that is right by the files may not arrive.
 */
export function effectiveDeployer(repository: Repository, declared: Deployer, entry: Entry): Effective {
  const applied = asApplied(repository, declared, declared.file);
  const different = differing(applied.nodes);
  const live = entry.spec && maskedSpec(entry.spec);
  const says = (node: MapNode) => (live === undefined ? undefined : differenceOf(declared.kind, specOf(node), live));
  const fitting = live === undefined ? undefined : different.find((node) => says(node) === undefined);
  const node = fitting ?? (different.length === 1 ? different[0] : undefined) ?? declared.node;
  const deployer = node === declared.node ? declared : { ...declared, node };
  const name = `${declared.kind} ${declared.name}`;
  if (different.length > 1 && fitting === undefined)
    return { deployer, doubt: `${name} (${declared.file}) becomes another object in each of several places` };
  const key = fitting === undefined ? says(node) : undefined;
  if (key !== undefined)
    return { deployer, doubt: `${name} has another ${key} on the cluster than ${declared.file} says` };
  if (applied.replaced && live === undefined)
    return { deployer, doubt: `${whereIs(applied.replaced)} writes into ${name}, which is not followed here` };
  return { deployer };
}

const specOf = (node: MapNode): Spec => {
  const spec = plainOf(at(node, ["spec"]));
  return isRecord(spec) ? maskedSpec(spec) : {};
};

/** Those of which none says the same as another. */
function differing(nodes: readonly MapNode[]): readonly MapNode[] {
  const seen = new Map(nodes.map((node) => [canonicalText([specOf(node), plainOf(at(node, ["metadata"]))]), node]));
  return [...seen.values()];
}

const fluxKeys = ["path", "targetNamespace", "namePrefix", "nameSuffix", "components", "patches", "images"];
const decidingKeys = {
  flux: [...fluxKeys, "commonMetadata", "postBuild", "sourceRef"],
  argocd: ["source", "sources"],
};

/** The first key of a spec that decides what is applied, and in which the cluster says something else. */
function differenceOf(kind: Deployer["kind"], written: Spec, live: Spec): string | undefined {
  if (kind !== "Kustomization" && kind !== "Application") return undefined;
  const isFlux = kind === "Kustomization";
  // Who asks by hand may know a part of it.
  const isWhole = (isFlux ? live.sourceRef : live.destination) !== undefined;
  return decidingKeys[isFlux ? "flux" : "argocd"].find(
    (key) => (isWhole || live[key] !== undefined) && !agrees(written[key], live[key], key),
  );
}

/**
 * Whether two values say the same; what a variable fills in may be anything. Which repository the cluster reads is asked
 * by whoever knows its addresses: a mirror of this one is no other.
 */
function agrees(written: unknown, live: unknown, key: string): boolean {
  if (key === "repoURL") return true;
  if (typeof written === "string" && /\$\{|\{\{/.test(written)) return true;
  if (isNothing(written, key) && isNothing(live, key)) return true;
  if (Array.isArray(written) && Array.isArray(live))
    return written.length === live.length && written.every((item, n) => agrees(item, live[n], ""));
  if (isRecord(written) && isRecord(live)) {
    const keys = new Set([...Object.keys(written), ...Object.keys(live)]);
    return [...keys].every((inner) => agrees(written[inner], live[inner], inner));
  }
  if (isRecord(written ?? live) && (written === undefined || live === undefined))
    return agrees(written ?? {}, live ?? {}, key);
  const [left, right] = [written, live].map((value) => textOf(value, key));
  return left === right;
}

function isNothing(value: unknown, key: string): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  if (key === "targetRevision") return value === "HEAD";
  return typeof value === "object" && Object.keys(value).length === 0;
}

function textOf(value: unknown, key: string): string | null {
  const text = typeof value === "string" ? value.trim() : (JSON.stringify(value) ?? "");
  return key === "path" ? plainPath(text) : text;
}

/** An entry with the spec that patches of others give its object; the entry itself where nothing changes that. */
export function patchedEntry(
  tree: Tree,
  entry: Entry,
  before?: { readonly tree: Tree; readonly paths: readonly string[] },
): Entry {
  const object = controllerObjectOf(tree, entry);
  if (object === undefined || object.set !== undefined) return entry;
  const { file } = object.entry;
  const index = before ? indexAfter(tree, indexOf(before.tree), before.paths) : indexOf(tree);
  const name = object.entry.object?.split("/").slice(1).join("/");
  const deployer = index.deployers.find(
    (one) => one.file === file && one.name === name && one.kind !== "ApplicationSet",
  );
  if (deployer === undefined) return entry;
  const repository = { tree, index, reader: readerOf(tree, index.directories) };
  const { deployer: made } = effectiveDeployer(repository, deployer, entry);
  const spec = made === deployer ? undefined : plainOf(at(made.node, ["spec"]));
  return isRecord(spec) ? { ...entry, spec, isPatched: true } : entry;
}
