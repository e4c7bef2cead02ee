import type { WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";
import { knownReplicaKey } from "../repository/charts.ts";
import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import type { Release } from "./releases.ts";
import { kubernetesInteger } from "../yaml/scalar.ts";
import { at, entriesOf, type MapNode, textAt } from "../yaml/source.ts";

/** What is asked of a release. */
export interface Asked {
  readonly release: Release;
  readonly workload: LiveWorkload;
  readonly change: WantedChange;
}

export interface Component {
  /** The workload's name after the release's, empty for the main one. */
  readonly name: string;
  readonly path: readonly string[];
  readonly values: MapNode;
}

/** A name without case and separators. */
export const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");

/** Which part of the values belongs to the workload. */
export function componentOf(asked: Asked): Component | Refusal {
  const { release, workload } = asked;
  const name = componentName(release, workload.name);
  if (name === "")
    return { name, path: knownBase(release), values: below(release.merged, knownBase(release)) ?? release.merged };
  if (name === undefined)
    return namedAtTheEnd(asked) ?? unclear(asked, `${workload.name} does not carry the release's name ${release.name}`);
  const known = knownReplicaKey(release.chart, name)?.slice(0, -1);
  const fitting = known ? [known] : mapsNamed(release.merged, plain(name), [], 3);
  const [path] = fitting;
  if (!path || fitting.length > 1)
    return unclear(asked, `${fitting.length === 0 ? "no" : "more than one"} key fits the component ${name}`);
  return { name, path, values: below(release.merged, path) ?? emptyLike(release.merged) };
}

/**
 * A chart may name its workloads as it likes (`csi-nfs-controller`). The labels tell the release, and one component at
 * the end of the name runs as many replicas as its key says: then it is this one.
 */
function namedAtTheEnd({ release, workload, change }: Asked): Component | undefined {
  const label = workload.labels?.["helm.toolkit.fluxcd.io/name"];
  if (change.kind !== "replicas" || workload.replicas === undefined || !release.resource?.names.includes(label ?? ""))
    return undefined;
  const fitting = [...entriesOf(release.merged).keys()].filter((key) => {
    const written = ["replicaCount", "replicas"]
      .map((field) => at(release.merged, [key, field]))
      .find((one) => one?.kind === "scalar");
    if (written?.kind !== "scalar" || kubernetesInteger(written) !== workload.replicas) return false;
    return plain(workload.name).endsWith(plain(key)) && workload.name.includes("-");
  });
  const [name] = fitting;
  const values = name === undefined ? undefined : below(release.merged, [name]);
  return name !== undefined && values && fitting.length === 1 ? { name, path: [name], values } : undefined;
}

/** A chart like istiod keeps its main workload's values below one key. */
const knownBase = (release: Release): readonly string[] => knownReplicaKey(release.chart, "")?.slice(0, -1) ?? [];

const emptyLike = (map: MapNode): MapNode => ({ ...map, start: -1, end: -1, entries: new Map(), layers: [] });

function below(map: MapNode, path: readonly string[]): MapNode | undefined {
  const found = at(map, path);
  return found?.kind === "map" ? found : undefined;
}

/** Charts name the main workload `release`, `release-chart` or by an override, and components with a suffix. */
export function componentName(release: Release, workload: string): string | undefined {
  const full = textAt(release.merged, ["fullnameOverride"]);
  const short = textAt(release.merged, ["nameOverride"]) ?? release.chart;
  const bases = full ? [full] : [`${release.name}-${short}`, release.name];
  for (const base of bases) {
    if (workload === base) return "";
    if (workload.startsWith(`${base}-`)) return workload.slice(base.length + 1);
  }
  if (full) return undefined;
  if (workload === release.chart) return "";
  return workload.startsWith(`${release.chart}-`) ? workload.slice(release.chart.length + 1) : undefined;
}

/** Paths of mappings whose keys together spell the component. */
function mapsNamed(map: MapNode, wanted: string, path: readonly string[], depth: number): (readonly string[])[] {
  const found: (readonly string[])[] = [];
  for (const key of entriesOf(map).keys()) {
    const value = at(map, [key]);
    const spelled = plain(key);
    if (value?.kind !== "map" || spelled === "" || !wanted.startsWith(spelled)) continue;
    if (wanted === spelled) found.push([...path, key]);
    else if (depth > 1) found.push(...mapsNamed(value, wanted.slice(spelled.length), [...path, key], depth - 1));
  }
  return found;
}

/** The chart's key is not certain: the release's place and why. */
export function unclear(asked: Asked, because: string): Refusal {
  return refused(
    "ambiguous-values-key",
    `${whereIs(asked.release.origin)}: ${because}`,
    "Write the value into this environment's values by hand once.",
  );
}

/** A path into a release's values: to a value, or inside one when an image is written as one string. */
export interface ValuesKey {
  readonly path: readonly string[];
  readonly as: "value" | "tag" | "image";
}
