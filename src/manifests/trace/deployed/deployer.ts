import type { PlainOptions } from "../../gitops/plain.ts";
import { posix } from "node:path";
import type { Entry } from "../../../domain/kubernetes/manifest-edit.ts";
import { canonicalText } from "../../../domain/kubernetes/object-changes.ts";
import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { clusterOf, decisive, isMadePlace, nameIn } from "../../gitops/controllers.ts";
import { type Deployer, reaching, type RepositoryIndex } from "../../gitops/gitops.ts";
import { componentsAdded } from "../../gitops/readers/components.ts";
import { sourcesOf, specsOf } from "../../gitops/sets/sources.ts";
import { deployersAt } from "../../gitops/readers/by-path.ts";
import { plainOf } from "../../yaml/plain.ts";
import { directoriesAbove } from "../../repository/reader.ts";
import { at, type Node, parseText, resolved, textAt } from "../../yaml/source.ts";

/** Who deploys an entry, as the repository and the cluster say it. */
interface Deployers {
  /** What the controller really does: the repository's object, or the cluster's where that one is made by a template. */
  readonly deployer: Deployer | undefined;
  /** The repository's object. */
  readonly declared: Deployer | undefined;
  /** Other objects that deploy the same path. */
  readonly rivals: readonly Deployer[];
}

/** `Kustomization flux-system/apps (…)` names the object; the cluster's name in the path decides between equals. */
export function chosenDeployer(all: readonly Deployer[], entry: Entry): Deployers {
  const wanted = nameIn(entry.object);
  const named = all.filter((one) => wanted === undefined || one.name === wanted.name);
  const exact = named.filter((one) => !one.namespace || !wanted?.namespace || one.namespace === wanted.namespace);
  let fitting = exact.length > 0 ? exact : named;
  if (fitting.length > 1 && entry.cluster !== undefined) {
    const inCluster = fitting.filter((one) => one.file.split("/").includes(entry.cluster ?? ""));
    if (inCluster.length > 0) fitting = inCluster;
  }
  const [declared] = fitting.length > 0 ? fitting : all.length === 1 ? all : [];
  const live = liveDeployer(entry);
  const isTemplate =
    declared === undefined ||
    declared.kind === "ApplicationSet" ||
    isMadePlace(declared.file) ||
    textOf(declared.node).includes("{{");
  const deployer = live && isTemplate ? live : declared;
  return { deployer, declared, rivals: all.filter((one) => one !== declared && !(declared && isCopy(one, declared))) };
}

/** The same object written twice, a record of it perhaps: one object on the cluster, or the same one on two. */
export function isCopy(one: Deployer, other: Deployer): boolean {
  if (one.kind !== other.kind || one.name !== other.name || one.paths.join() !== other.paths.join()) return false;
  if (one.namespace !== undefined && other.namespace !== undefined && one.namespace !== other.namespace) return false;
  if (specOf(one) !== specOf(other)) return false;
  if (isMadePlace(one.file) || isMadePlace(other.file)) return one.file === other.file;
  return one.kind === "Kustomization"
    ? posix.dirname(one.file) === posix.dirname(other.file)
    : sameDestination(one, other) && clusterOf(one.file) === clusterOf(other.file);
}

function specOf({ node }: Deployer): string {
  // Patches leave nodes that stand in no text.
  const spec = plainOf(at(node, ["spec"]));
  return isRecord(spec) ? decisive(spec) : canonicalText(plainOf(node));
}

/**
 * A copy of an object that somebody may apply to another cluster: nobody who takes both files is known. For people;
 * undefined where there is none.
 */
export function copyElsewhere(index: RepositoryIndex, all: readonly Deployer[], own: Deployer): string | undefined {
  const takers = (file: string): string =>
    [
      ...[...reaching(index, file)].filter((directory) => reaching(index, directory).size === 0),
      ...deployersAt(index.deployers, directoriesAbove(file)).map((one) => `${one.file} ${one.name}`),
    ]
      .sort()
      .join("\n");
  const known = takers(own.file);
  const copy = all.find((one) => one !== own && isCopy(one, own) && (known === "" || takers(one.file) !== known));
  if (copy === undefined) return undefined;
  return `${own.kind} ${own.name} stands in ${own.file} and in ${copy.file}, and nobody here can tell whether two clusters have it`;
}

/** True when both deploy into one namespace of one cluster. */
export function sameDestination(one: Deployer, other: Deployer): boolean {
  const [left, right] = [one, other].map((each) => {
    const [only, ...more] = new Set(
      specsOf(each).map((spec) =>
        ["server", "name", "namespace"].map((key) => textAt(spec, ["destination", key]) ?? "").join(" "),
      ),
    );
    return more.length > 0 || only?.includes("{{") ? undefined : only;
  });
  return left !== undefined && left === right;
}

/** The controller's object as the cluster holds it; its nodes stand in no file of the repository. */
function liveDeployer(entry: Entry): Deployer | undefined {
  const kind = entry.tool === "flux" ? "Kustomization" : entry.tool === "argocd" ? "Application" : undefined;
  if (entry.spec === undefined || kind === undefined) return undefined;
  const { namespace, name = "" } = nameIn(entry.object) ?? {};
  const apiVersion = kind === "Application" ? "argoproj.io/v1alpha1" : "kustomize.toolkit.fluxcd.io/v1";
  const text = JSON.stringify({ apiVersion, kind, metadata: { name, namespace }, spec: entry.spec });
  const file = `${entry.object ?? kind} on the cluster`;
  const source = parseText(file, text, text);
  const node = source.ok ? resolved(source.file.documents[0]?.root) : undefined;
  if (node?.kind !== "map") return undefined;
  const paths = entry.path === null ? [] : [entry.path];
  const components = componentsAdded(entry.spec, paths);
  return { kind, name, namespace, file, paths, components, repeats: new Set(), node };
}

const textOf = (node: Node): string => node.file.text.slice(node.start, node.end);

/** What Argo CD takes from a plain directory; undefined unless an Application says so. */
export function directoryOptions(
  deployer: Deployer | undefined,
  path: string,
): (PlainOptions & { /** By a plugin, or as a library of Jsonnet. */ readonly readsAnything: boolean }) | undefined {
  if (deployer?.kind !== "Application" && deployer?.kind !== "ApplicationSet") return undefined;
  const all = sourcesOf(deployer);
  const own = all.find((source) => textAt(source, ["path"])?.replace(/^\.?\/|\/$/g, "") === path) ?? all[0];
  const [include, exclude] = ["include", "exclude"].map((key) => textAt(own, ["directory", key]));
  return {
    recurse: textAt(at(own, ["directory"]), ["recurse"]) === "true",
    readsAnything: at(own, ["plugin"]) !== undefined || at(own, ["directory", "jsonnet"]) !== undefined,
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
  };
}
