import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord, valueAt } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { namespaceOf, pathOf, specOf } from "../gitops/controllers.ts";
import { indexOf } from "../gitops/gitops.ts";
import { affectedEntries, filesRead } from "../gitops/reach.ts";
import { isKustomization, roughText } from "../repository/reader.ts";
import { isOpen } from "./open-names.ts";
import type { OwnedQuestion } from "./owned.ts";

/**
 * The entries, among others than the target, whose texts may name the workload beside an autoscaler, or bound it: by
 * the autoscaler's own file, by variables that the entry fills in, or by what a kustomization or the entry's object
 * patches. What each of them means only its rendering tells; those that say it plainly come first.
 */
export function mayOwn(
  tree: Tree,
  { target, question }: { readonly target: Entry; readonly question: OwnedQuestion },
  others: () => readonly Entry[],
): readonly Entry[] {
  const { name } = question.workload;
  const isForeign = (file: string) => affectedEntries(tree, [target], [file]).length === 0;
  const files = indexOf(tree).owning.filter((file) => speaksOf(roughText(tree, file), question));
  if (files.length === 0) return [];
  const plain = files.filter((file) => mayMean(roughText(tree, file), question) && isForeign(file));
  const entries = others();
  const readers = (file: string) => affectedEntries(tree, entries, [file]);
  const patching = new Set([
    ...namingKustomizations(tree, name).filter(isForeign).flatMap(readers),
    ...entries.filter((entry) => isPatched(tree, entry, name)),
  ]);
  const hidden = files.filter(
    (file) => !plain.includes(file) && (patching.size > 0 || isOpen(roughText(tree, file))) && isForeign(file),
  );
  const byOther = hidden.flatMap((file) =>
    readers(file).filter((entry) => patching.has(entry) || isFilledIn(tree, { file, entry }, name)),
  );
  return [...new Set([...plain.flatMap(readers), ...byOther])].filter((entry) => isNear(tree, entry, question));
}

const mentionsByTree = new WeakMap<Tree, Map<string, Map<string, boolean>>>();

/**
 * Whether an entry may put anything into the workload's namespace: it is the one of its controller, or a text says it,
 * or a variable may. What another namespace holds neither owns nor bounds the workload, and need not be rendered.
 */
function isNear(tree: Tree, entry: Entry, { workload: { namespace } }: OwnedQuestion): boolean {
  if (namespaceOf(tree, entry) === namespace) return true;
  const spec = JSON.stringify(specOf(tree, entry));
  if (spec.includes(namespace) || spec.includes("{{")) return true;
  const byNamespace = mentionsByTree.get(tree) ?? new Map<string, Map<string, boolean>>();
  mentionsByTree.set(tree, byNamespace);
  const known = byNamespace.get(namespace) ?? new Map<string, boolean>();
  byNamespace.set(namespace, known);
  const speaks = (file: string): boolean => {
    const said = known.get(file) ?? (roughText(tree, file).includes(namespace) || isFilledByTemplate(tree, file));
    known.set(file, said);
    return said;
  };
  return [...filesRead(tree, pathOf(entry) ?? ".")].some(speaks);
}

/** A namespace that Helm, Flux or Flux Operator fills in may be any. */
const isFilledByTemplate = (tree: Tree, file: string): boolean =>
  /namespace["']?:[^\n]*(?:\{\{|\$\{|<<)/i.test(roughText(tree, file));

const limitRange = /kind["']?:\s*["']?LimitRange/;

/** Whether what a file holds is of the kind that decides what is asked. */
function speaksOf(text: string, { change }: OwnedQuestion): boolean {
  return /Autoscaler|ScaledObject|caleTargetRef/.test(text) || (change.kind === "resources" && limitRange.test(text));
}

/** By its text alone: a kustomization may still add to a name, and put it into another namespace. */
function mayMean(text: string, { workload, change }: OwnedQuestion): boolean {
  if (change.kind === "resources" && limitRange.test(text))
    return !text.includes("namespace:") || text.includes(workload.namespace);
  return namesIn(text).some((name) => isPartOf(name, workload.name));
}

/** What a text calls something, be it in a patch or for inputs of a ResourceSet. */
function namesIn(text: string): string[] {
  const keys = /ResourceSet\b/.test(text) ? "[\\w-]+" : "(?:name|value)";
  return [...text.matchAll(new RegExp(`\\b${keys}\\\\?["']?:\\s*\\\\?["']?([\\w.-]+)`, "g"))].map(
    ([, one = ""]) => one,
  );
}

// Shorter ones are parts of everything.
const leastPart = 3;

function isPartOf(part: string, name: string): boolean {
  return part === name || (part.length >= leastPart && (name.startsWith(part) || name.endsWith(part)));
}

/** Whether the variables of an entry may make the name of a text that leaves it open. */
function isFilledIn(tree: Tree, { file, entry }: { readonly file: string; readonly entry: Entry }, name: string) {
  const text = roughText(tree, file);
  if (!isOpen(text)) return false;
  // What other systems provide may be any name.
  if (/\binputsFrom\b/.test(text)) return true;
  const variables = valueAt(specOf(tree, entry), ["postBuild"]);
  if (!isRecord(variables)) return false;
  const known = isRecord(variables.substitute) ? variables.substitute : {};
  const names = [...text.matchAll(/\bname["']?:\s*["']?([^\s"',}]*\$\{[^\n]*?\}[^\s"',}]*)/g)].map(
    ([, one = ""]) => one,
  );
  const made = names.map((one) =>
    one.replaceAll(/\$\{(\w+)(?::?[=-]([^}]*))?[^}]*\}/g, (whole, key: string, usual?: string) => {
      const value = known[key];
      return typeof value === "string" ? value : (usual ?? whole);
    }),
  );
  return made.some((one) => (isOpen(one) ? variables.substituteFrom !== undefined : isPartOf(one, name)));
}

/** Whether the entry's own object patches something into that name. */
function isPatched(tree: Tree, entry: Entry, name: string): boolean {
  const { patches, source, sources } = specOf(tree, entry);
  const all = [patches, ...[source, sources].flat().map((one) => valueAt(one, ["kustomize", "patches"]))];
  return all.some((one) => one !== undefined && namesIn(JSON.stringify(one)).includes(name));
}

const namesByTree = new WeakMap<Tree, ReadonlyMap<string, ReadonlySet<string>>>();

/** The kustomizations that change what they take and call something by a name. */
function namingKustomizations(tree: Tree, name: string): readonly string[] {
  const known = namesByTree.get(tree) ?? namesOfKustomizations(tree);
  namesByTree.set(tree, known);
  return [...known].filter(([, names]) => names.has(name)).map(([path]) => path);
}

function namesOfKustomizations(tree: Tree): ReadonlyMap<string, ReadonlySet<string>> {
  const paths = tree.paths().filter(isKustomization);
  const texts = paths.map((path) => [path, roughText(tree, path)] as const);
  const changing = texts.filter(([, text]) => /patch|replacements|transformers|vars:/.test(text));
  return new Map(changing.map(([path, text]) => [path, new Set(namesIn(text))]));
}
