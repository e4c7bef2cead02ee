import { insideRepository, type Reader } from "../../repository/reader.ts";
import type { Resource } from "../../repository/resource.ts";
import { at, itemsAt, type Node, textAt } from "../../yaml/source.ts";
import { kustomizationOf } from "../kustomize.ts";
import { changed } from "../patch.ts";

/** A replacement that decides what is read or whether it is, and that is not followed. */
export interface Unfollowed {
  readonly node: Node;
  /** The kind of object that it writes into; undefined = any. */
  readonly kind: string | undefined;
}

/** What decides what an object of Flux or Argo CD reads, and whether it does. */
const deciding = /\b(?:targetRevision|ref|path|suspend|kustomize|images|patches|replicas|chart)\b/;

/** The deciding replacements of a kustomization, as they stand there. */
export function decidingReplacements(reader: Reader, directory: string): readonly Unfollowed[] {
  return blocksOf(reader, directory).flatMap((block) => itemsAt(block, ["targets"]).filter(isDeciding).map(written));
}

const written = (target: Node): Unfollowed => ({ node: target, kind: textAt(target, ["select", "kind"]) });

const isDeciding = (target: Node): boolean =>
  itemsAt(target, ["fieldPaths"]).some((field) => deciding.test(textAt(field, []) ?? ""));

function blocksOf(reader: Reader, directory: string): readonly Node[] {
  return itemsAt(kustomizationOf(reader, directory), ["replacements"]).flatMap((item) => {
    const path = textAt(item, ["path"]);
    const inside = path === undefined ? undefined : insideRepository(directory, path);
    const source = inside === undefined ? undefined : reader.file(inside);
    const roots = source?.ok ? source.file.documents.map(({ root }) => root) : [item];
    return roots.flatMap((root) => (root.kind === "list" ? root.items : [root]));
  });
}

/** Writes what the replacements of a kustomization copy whole from one field into others; the rest is handed back. */
export function replace(reader: Reader, directory: string, resources: readonly Resource[]): readonly Unfollowed[] {
  return blocksOf(reader, directory).flatMap((block) => {
    const value = sourceOf(at(block, ["source"]), resources);
    return itemsAt(block, ["targets"])
      .filter(isDeciding)
      .filter((target) => !isWritten(target, value, resources))
      .map(written);
  });
}

const plainPath = /^[A-Za-z]\w*(?:\.[A-Za-z]\w*)*$/;

function sourceOf(source: Node | undefined, resources: readonly Resource[]): Node | undefined {
  const [kind, name, path] = ["kind", "name", "fieldPath"].map((key) => textAt(source, [key]));
  if (at(source, ["options"]) !== undefined || path === undefined || !plainPath.test(path)) return undefined;
  const [found, ...others] = resources.filter((one) => one.kind === kind && one.names.includes(name ?? ""));
  return found && others.length === 0 ? at(found.node, path.split(".")) : undefined;
}

function isWritten(target: Node, value: Node | undefined, resources: readonly Resource[]): boolean {
  const select = at(target, ["select"]);
  const keys = select?.kind === "map" ? [...select.entries.keys()] : [];
  const fields = itemsAt(target, ["fieldPaths"]).map((field) => textAt(field, []) ?? "");
  const isPlain = keys.every((key) => key === "kind" || key === "name") && fields.every((one) => plainPath.test(one));
  if (value?.kind !== "scalar" || !isPlain || at(target, ["reject"]) || at(target, ["options", "delimiter"]))
    return false;
  const [kind, name] = [textAt(select, ["kind"]), textAt(select, ["name"])];
  const chosen = resources.filter(
    (one) => (kind === undefined || one.kind === kind) && (name === undefined || one.names.includes(name)),
  );
  for (const resource of chosen)
    for (const path of fields.map((one) => one.split("."))) {
      // A field that is not there is only made where the replacement says so.
      if (at(resource.node, path) === undefined) continue;
      const node = changed(resource.node, path, value);
      if (node.kind === "map") resource.node = node;
    }
  return true;
}
