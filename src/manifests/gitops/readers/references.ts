import { realPath, type Tree } from "../../../domain/kubernetes/tree.ts";
import { directoryOf, insideRepository } from "../../repository/reader.ts";
import { at, itemsAt, type Node, parseSource, textAt } from "../../yaml/source.ts";
import { chartHome, chartReferences, inflationGenerator } from "../inflated-charts.ts";
import { isRemote } from "../kustomization.ts";
import type { OwnUrls } from "./own-urls.ts";

/** A kustomization that names by URL what may be a place of this repository. */
export interface SupposedReference {
  readonly path: string;
  readonly directory: string;
  readonly url: string;
}

/** What the kustomizations of a tree name, gathered file by file. */
interface References {
  /** Referenced file or directory → kustomization directories that reference it. */
  readonly referencedBy: Map<string, string[]>;
  /** Kustomization directory → does it change what it includes? */
  readonly changes: Map<string, boolean>;
  /** Directories of components. */
  readonly parts: Set<string>;
  readonly urls: { readonly directory: string; readonly url: string }[];
}

export const noReferences = (): References => ({
  referencedBy: new Map(),
  changes: new Map(),
  parts: new Set(),
  urls: [],
});

export function noteKustomization(tree: Tree, path: string, into: References): void {
  const source = parseSource(path, tree.read(path) ?? new Uint8Array());
  const spec = source.ok ? source.file.documents[0]?.root : undefined;
  if (!spec) return;
  const directory = directoryOf(path);
  noteReferences(tree, directory, referencesOf(spec), into);
  if (textAt(spec, ["kind"]) === "Component") into.parts.add(directory);
  into.changes.set(
    directory,
    changingKeys.some((key) => at(spec, [key]) !== undefined),
  );
}

/** A generator beside its kustomization names files as that would. */
export function noteInflated(tree: Tree, path: string, into: References): void {
  const source = parseSource(path, tree.read(path) ?? new Uint8Array());
  for (const { root } of source.ok ? source.file.documents : [])
    if (textAt(root, ["kind"]) === inflationGenerator)
      noteReferences(tree, directoryOf(path), chartReferences(root, undefined), into);
}

/** URLs of this repository are references like any other; returned are those of which nobody here can tell. */
export function followUrls(tree: Tree, urls: OwnUrls, into: References): SupposedReference[] {
  return into.urls.flatMap(({ directory, url }) => {
    const own = urls.leadTo(url);
    if (own?.isCertain === true) noteReference(realPath(tree, own.path), directory, into);
    return own?.isCertain === false ? [{ path: own.path, directory, url }] : [];
  });
}

function noteReferences(tree: Tree, directory: string, references: readonly string[], into: References): void {
  for (const reference of references) {
    const inside = isRemoteSource(reference) ? undefined : insideRepository(directory, reference);
    if (isRemote(reference)) into.urls.push({ directory, url: reference });
    if (inside !== undefined) noteReference(realPath(tree, inside), directory, into);
  }
}

function noteReference(target: string, directory: string, { referencedBy }: References): void {
  const known = referencedBy.get(target);
  if (known) known.push(directory);
  else referencedBy.set(target, [directory]);
}

/** True for what Kustomize or a controller would fetch from elsewhere. */
export const isRemoteSource = (reference: string): boolean =>
  /^(?:[a-z+]+:\/\/|[a-z]+::|git@)|[?&](?:ref|version|timeout)=|^github\.com\//.test(reference);

const changingKeys = [
  "namespace",
  "namePrefix",
  "nameSuffix",
  "patches",
  "patchesStrategicMerge",
  "patchesJson6902",
  "images",
  "replicas",
  "components",
  "transformers",
];

/** Every path a kustomization names. */
function referencesOf(spec: Node): string[] {
  const plain = [
    "resources",
    "bases",
    "components",
    "patchesStrategicMerge",
    "transformers",
    "generators",
    "configurations",
    "crds",
  ];
  const paths = plain.flatMap((key) => itemsAt(spec, [key]).map((item) => textAt(item, []) ?? ""));
  for (const key of ["patches", "patchesJson6902", "replacements"]) {
    paths.push(...itemsAt(spec, [key]).map((item) => textAt(item, ["path"]) ?? ""));
  }
  for (const key of ["configMapGenerator", "secretGenerator"]) {
    for (const item of itemsAt(spec, [key])) {
      for (const list of ["files", "envs"]) {
        paths.push(...itemsAt(item, [list]).map((file) => (textAt(file, []) ?? "").split("=").at(-1) ?? ""));
      }
    }
  }
  paths.push(...itemsAt(spec, ["helmCharts"]).flatMap((item) => chartReferences(item, chartHome(spec))));
  return paths.filter((path) => path !== "" && !path.includes("\n"));
}
