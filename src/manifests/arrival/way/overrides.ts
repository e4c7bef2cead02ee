import { nameIn } from "../../gitops/controllers.ts";
import { joinPath } from "../../repository/reader.ts";
import { refused } from "../../repository/refusal.ts";
import type { EntryBuild } from "../../trace/entry-build.ts";
import { at, itemsAt, type MapNode, type Node, resolved, textAt } from "../../yaml/source.ts";
import type { Held } from "../doubt.ts";

/** Argo CD puts the files `.argocd-source*.yaml` of a path over what its Application says. */
export function byOverrides(entryBuild: EntryBuild): Held {
  for (const file of overridesOf(entryBuild)) {
    const source = entryBuild.reader.file(file);
    if (source?.ok !== true) return { doubt: `${file} comes over what the Application says, and cannot be read here` };
    const root = resolved(source.file.documents[0]?.root);
    // Nor can an empty one, of which Argo CD says "Invalid JSON Patch".
    if (root?.kind !== "map")
      return refused(
        "parse-error",
        `${file} is no mapping, so Argo CD makes no manifests of ${entryBuild.path || "."}: the change would not be applied`,
        "Repair or remove that file first.",
      );
    if (isWithoutEffect(root) || (entryBuild.question.change.kind !== "image-tag" && isOfImages(root))) continue;
    return { doubt: `${file} comes over what the Application says, and is not followed here` };
  }
  return undefined;
}

/** Those of an entry's path that count for its own Application. */
export function overridesOf({ deployer, path, reader, question, ancestors }: EntryBuild): string[] {
  const isArgo = deployer === undefined ? question.entry.tool === "argocd" : deployer.kind !== "Kustomization";
  if (!isArgo) return [];
  const asked = ancestors.length === 0 ? nameIn(question.entry.object) : undefined;
  const { namespace, name } = deployer?.kind === "Application" ? deployer : (asked ?? {});
  // An Application outside of Argo CD's own namespace has that before its name.
  const isInNamespace = (one: string) =>
    namespace === undefined ? one.endsWith(`_${name}`) : one === `-${namespace}_${name}`;
  const isOwn = (one: string) => name === undefined || one === "" || one === `-${name}` || isInNamespace(one);
  const own = reader.list(path).filter((one) => {
    const whose = /^\.argocd-source(|-.+)\.yaml$/.exec(one)?.[1];
    return whose !== undefined && isOwn(whose);
  });
  return own.map((one) => joinPath(path, one));
}

// Where things come from stays what the Application says.
const passedOver = new Set(["repoURL", "path", "chart", "targetRevision"]);

const isWithoutEffect = ({ entries }: MapNode): boolean => [...entries.keys()].every((key) => passedOver.has(key));

/** What Image Updater writes: images of Kustomize, and the parameters of Helm that name or tag one. */
function isOfImages(root: Node): boolean {
  const keys = (node: Node | undefined): readonly string[] => (node?.kind === "map" ? [...node.entries.keys()] : []);
  const [kustomize, helm] = [keys(at(root, ["kustomize"])), keys(at(root, ["helm"]))];
  const isPlain = keys(root).every((key) => key === "kustomize" || key === "helm");
  const names = itemsAt(root, ["helm", "parameters"]).map((item) => textAt(item, ["name"]) ?? "");
  const isNamed = names.every((name) => /image|tag|repository|digest/i.test(name));
  return isPlain && kustomize.every((key) => key === "images") && helm.every((key) => key === "parameters") && isNamed;
}
