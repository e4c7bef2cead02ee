import type { Resource } from "../../repository/resource.ts";

/** What a kustomization sees of its objects when it patches them. */
interface Stage {
  readonly inside: readonly Resource[];
  /** True where every name and namespace that they have now is one that they have here. */
  readonly isOutermost: boolean;
}

/** The kinds whose count `replicas:` sets. */
const counted = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];

/** A name under which `replicas:` finds this object alone; undefined where there is none. */
export function countedName(stage: Stage, resource: Resource): string | undefined {
  if (!counted.includes(resource.kind)) return undefined;
  const others = stage.inside.filter((one) => one !== resource && counted.includes(one.kind));
  return known(stage, resource.names).find((name) => others.every((one) => !one.names.includes(name)));
}

/**
 * A patch's target that selects this object alone: kustomize knows an object by its first name and by its current one,
 * and by its namespaces in the same way. Undefined where none singles it out.
 */
export function targetFor(stage: Stage, resource: Resource): Record<string, string> | undefined {
  const { kind, apiVersion } = resource;
  const others = stage.inside.filter((one) => one !== resource && one.kind === kind);
  const names = known(stage, resource.names);
  const own = names.find((name) => others.every((one) => !one.names.includes(name)));
  if (own !== undefined) return { kind, name: own };
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : undefined;
  for (const namespace of known(stage, resource.namespaces)) {
    const sharing = others.filter((one) => namespace === undefined || one.namespaces.includes(namespace));
    const name = names.find((each) => sharing.every((one) => !one.names.includes(each)));
    if (namespace !== undefined && name !== undefined)
      return { ...(group === undefined ? {} : { group }), kind, name, namespace };
  }
  return undefined;
}

/** The first of what an object was called, and what it is called now where that is known here. */
function known<Text>({ isOutermost }: Stage, all: readonly Text[]): readonly Text[] {
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined && all.length === 0) return [];
  return [...new Set(isOutermost ? [first, last] : [first])] as Text[];
}
