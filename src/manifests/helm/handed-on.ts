import { sourcesOf } from "../gitops/sets/sources.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { kustomizationOf } from "../trace/kustomize.ts";
import { at, type MapNode } from "../yaml/source.ts";
import type { Release } from "./releases.ts";

/** What a kustomization may say without a change of the objects of a chart but for names of other objects and labels. */
const harmless = new Set([
  ...["apiVersion", "kind", "metadata", "resources", "bases", "helmCharts", "helmGlobals", "generators", "namespace"],
  ...["labels", "commonLabels", "commonAnnotations", "configMapGenerator", "secretGenerator", "generatorOptions"],
]);

/** What a Flux Kustomization may say so. */
const harmlessInFlux = new Set([
  ...["interval", "retryInterval", "timeout", "path", "prune", "wait", "sourceRef", "dependsOn", "force", "suspend"],
  ...["healthChecks", "decryption", "serviceAccountName", "kubeConfig", "targetNamespace", "commonMetadata"],
]);

/**
 * Whether the cluster gets what the chart makes. Kustomize may change the objects of a chart that it inflates: then the
 * chart alone is not what is applied, unless nothing from there to the entry changes anything.
 */
export function isHandedOn(entryBuild: EntryBuild, { inflated }: Release): boolean {
  if (inflated !== true) return true;
  const kustomizations = [...entryBuild.build.directories].map((directory) =>
    kustomizationOf(entryBuild.reader, directory),
  );
  const isPlain = (map: MapNode | undefined, keys: ReadonlySet<string>) =>
    map !== undefined && [...map.entries.keys()].every((key) => keys.has(key));
  const { deployer } = entryBuild;
  const spec = at(deployer?.node, ["spec"]);
  const isByFlux = deployer?.kind === "Kustomization" && spec?.kind === "map" && isPlain(spec, harmlessInFlux);
  const isByArgo =
    deployer !== undefined &&
    deployer.kind !== "Kustomization" &&
    sourcesOf(deployer).every((source) => at(source, ["kustomize"]) === undefined);
  return kustomizations.every((one) => isPlain(one, harmless)) && (deployer === undefined || isByFlux || isByArgo);
}
