import { directoryOf } from "../repository/reader.ts";
import type { Resource } from "../repository/resource.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { at, type MapNode, type Node, resolved, textAt } from "../yaml/source.ts";

/** Values from one place; the resource is given when they stand inside an object of the entry. */
export interface ValuesLayer {
  readonly values: MapNode;
  /** The file as the release names it, which may be a symbolic link. */
  readonly named?: string;
  readonly inside?: { readonly resource: Resource; readonly path: readonly (string | number)[] };
  /** True for a file that Flux packs into the chart. */
  readonly packed?: true;
}

/** Layers of values on their way to a release. */
export interface Stack {
  readonly layers: ValuesLayer[];
  readonly unseen: Node[];
  readonly open: string[];
  uncertain?: Node;
}

/** Puts a layer on top; one that this repository does not show makes everything below it uncertain. */
export function pile(stack: Stack, layer: ValuesLayer | undefined, source: Node): void {
  if (layer) {
    stack.layers.push(layer);
    delete stack.uncertain;
    return;
  }
  stack.unseen.push(source);
  stack.uncertain = source;
}

/** The same for a file of this repository; one that may be missing, or that says nothing, hides nothing. */
export function pileFile(
  entryBuild: EntryBuild,
  stack: Stack,
  { file, mayMiss, packed }: { readonly file: string | undefined; readonly mayMiss: boolean; readonly packed?: true },
  item: Node,
): void {
  const source = file === undefined ? undefined : entryBuild.reader.file(file);
  const isEmpty = source?.ok === true && isNothing(source.file.documents[0]?.root);
  if (file !== undefined && (isEmpty || (mayMiss && !source && !/[*?[{]/.test(file)))) stack.open.push(file);
  else {
    const layer = file === undefined ? undefined : fileLayer(entryBuild, file);
    pile(stack, layer && packed ? { ...layer, packed } : layer, item);
  }
}

/** The chart's own values, where it has any: a file that says nothing, or that is not there, is one to write into. */
export function pileOwn(entryBuild: EntryBuild, stack: Stack, file: string): void {
  const own = fileLayer(entryBuild, file);
  const source = own ? undefined : entryBuild.reader.file(file);
  const isThere = entryBuild.reader.list(directoryOf(file)).includes(file.slice(file.lastIndexOf("/") + 1));
  if (own) stack.layers.push(own);
  else if (!isThere || (source?.ok === true && isNothing(source.file.documents[0]?.root))) stack.open.push(file);
}

/** An empty file, or one of comments alone. */
function isNothing(root: Node | undefined): boolean {
  const node = resolved(root);
  return node === undefined || (node.kind === "scalar" && node.style === "plain" && node.text === "");
}

export function fileLayer(entryBuild: EntryBuild, path: string): ValuesLayer | undefined {
  const source = entryBuild.reader.file(path);
  const values = source?.ok ? resolved(source.file.documents[0]?.root) : undefined;
  return values?.kind === "map" ? { values, named: path } : undefined;
}

/** A values source that this repository holds: a ConfigMap of the entry, written or made by kustomize from a file. */
export function valuesFrom(entryBuild: EntryBuild, source: Node): ValuesLayer | undefined {
  if (textAt(source, ["targetPath"]) !== undefined) return undefined;
  const [kind, name] = [textAt(source, ["kind"]), textAt(source, ["name"])];
  const key = textAt(source, ["valuesKey"]) ?? "values.yaml";
  const path = entryBuild.build.generated.find((one) => one.name === name && kind === "ConfigMap")?.files.get(key);
  if (path !== undefined) return fileLayer(entryBuild, path);
  const map = entryBuild.resources.find(
    (one) => one.kind === "ConfigMap" && kind === "ConfigMap" && one.names.includes(name ?? ""),
  );
  const text = map && at(map.node, ["data", key]);
  const values = text?.kind === "scalar" ? resolved(entryBuild.reader.embedded(text)?.[0]) : undefined;
  return values?.kind === "map" ? { values } : undefined;
}
