import type { ManifestEdit } from "../../../domain/kubernetes/manifest-edit.ts";
import { isMadePlace } from "../../gitops/controllers.ts";
import { sourcesOf } from "../../gitops/sets/sources.ts";
import { type EntryBuild, transformsOf } from "../../trace/entry-build.ts";
import { imageName } from "../../trace/images.ts";
import { kustomizationOf } from "../../trace/kustomize.ts";
import { appliedTwice, takersOf } from "../../trace/sharing.ts";
import { at, itemsAt, type MapNode, type Node, textAt } from "../../yaml/source.ts";
import { insertEntry, type Splice, type Written } from "../../yaml/splice.ts";
import { editOf, guarded } from "../edit.ts";
import { countedName, targetFor } from "./address.ts";
import { listed } from "./insert.ts";
import { imageItem, jsonOperation, type Wanted } from "./wanted.ts";

/** Where a deployer says what it changes, and how it writes that. */
interface OwnSpec {
  readonly isArgo: boolean;
  /** The mapping that holds the lists. */
  readonly node: MapNode;
  /** The key of that mapping where it is still to be written. */
  readonly absent?: string;
  /** For people. */
  readonly at: string;
}

/**
 * The value as an item of the entry's own Flux Kustomization or Argo CD Application, which changes what its path builds
 * for this environment alone; undefined where it cannot, where several environments have that object, or where nothing
 * here deploys it: then a change of its file may never be applied.
 */
export function itemOfDeployer(entryBuild: EntryBuild, wanted: Wanted): ManifestEdit | undefined {
  const { declared, deployer, resources } = entryBuild;
  const spec = declared && deployer?.node === declared.node ? ownSpec(entryBuild) : undefined;
  if (!declared || !spec || appliedTwice(entryBuild) !== undefined) return undefined;
  if (takersOf(entryBuild, declared.file).length === 0) return undefined;
  const guard = guarded(entryBuild, declared.node);
  if (guard) return undefined;
  const stage = {
    inside: resources,
    isOutermost: !renames(entryBuild, kustomizationOf(entryBuild.reader, entryBuild.path)),
  };
  const write = (key: string, item: Written): ManifestEdit =>
    editOf(entryBuild, splice(spec, key, item), {
      path: declared.file,
      field: `${spec.at}.${key}`,
      because: wanted.because,
    });
  const counted = wanted.path.join(".") === "spec.replicas" ? countedName(stage, wanted.resource) : undefined;
  if (spec.isArgo && counted !== undefined && typeof wanted.value === "number")
    return write("replicas", { name: counted, count: wanted.value });
  const image = imageItem(resources, wanted, ownImages(spec));
  if (image) return write("images", spec.isArgo ? `${image.name}:${image.newTag}` : image);
  const [operation, target] = [jsonOperation(wanted), targetFor(stage, wanted.resource)];
  if (!operation || !target || setsLater(entryBuild, wanted)) return undefined;
  return write("patches", { target, patch: { "|": [operation] } });
}

function ownSpec({ declared, path, reader }: EntryBuild): OwnSpec | undefined {
  if (!declared || declared.kind === "ApplicationSet" || isMadePlace(declared.file)) return undefined;
  if (declared.node.file.text.includes("{{")) return undefined;
  if (declared.kind === "Kustomization") {
    const node = at(declared.node, ["spec"]);
    return node?.kind === "map" ? { isArgo: false, node, at: "spec" } : undefined;
  }
  const source = at(declared.node, ["spec", "source"]);
  const isOne = source?.kind === "map" && sourcesOf(declared).length === 1;
  if (!isOne || reader.kustomization(path) === undefined) return undefined;
  const node = at(source, ["kustomize"]);
  if (node === undefined) return { isArgo: true, node: source, absent: "kustomize", at: "spec.source.kustomize" };
  return node.kind === "map" ? { isArgo: true, node, at: "spec.source.kustomize" } : undefined;
}

const splice = ({ node, absent }: OwnSpec, key: string, item: Written): Splice | undefined =>
  absent === undefined ? listed(node, key, item) : insertEntry(node, absent, { [key]: [item] });

/** The images that the deployer already names, in both ways of writing. */
function ownImages({ node, absent }: OwnSpec): string[] {
  const items = absent === undefined ? itemsAt(node, ["images"]) : [];
  return items.flatMap((item) => {
    const text = textAt(item, []);
    const named = [textAt(item, ["name"]), textAt(item, ["newName"])].filter((one) => one !== undefined);
    return text === undefined ? named : text.split("=").map(imageName);
  });
}

/** Items of `replicas` and `images` come after every patch, wherever they stand. */
function setsLater({ build }: EntryBuild, { owner, resource }: Wanted): boolean {
  const isItem = (node: Node) => at(node, ["count"]) !== undefined || at(node, ["newTag"]) !== undefined;
  for (let node = owner; node; node = node.parent)
    if (isItem(node) && build.reach.get(node)?.has(resource)) return true;
  return false;
}

/** Whether objects get another name or namespace after a kustomization's patches, there or by the entry's deployer. */
export function renames({ deployer }: EntryBuild, kustomization: MapNode | undefined): boolean {
  const keys = ["namePrefix", "nameSuffix", "namespace", "targetNamespace", "components"];
  const specs = [...(kustomization ? [kustomization] : []), ...(deployer ? transformsOf(deployer) : [])];
  return specs.some((spec) => keys.some((key) => at(spec, [key]) !== undefined));
}
