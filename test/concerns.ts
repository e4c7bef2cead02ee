import { resolveAlert, type Surveyed } from "../src/flow/collect/concerns/resolve-alert.ts";
import type { AlertMapping } from "../src/domain/guardrails/alert-mapping.ts";
import type { ClusterObjects, LinkedObject, LinkedPod } from "../src/ports/kubernetes.ts";
import type { Concerns, Metrics } from "../src/ports/monitoring.ts";

/** A cluster as its objects point at each other: by `type namespace/name`, and its pods. */
export interface KnownCluster {
  readonly objects?: Readonly<Record<string, LinkedObject>>;
  readonly pods?: readonly (Omit<LinkedPod, "containers" | "claims"> &
    Partial<LinkedPod> & { readonly labels?: Readonly<Record<string, string>>; readonly address?: string })[];
}

/** The same answers as the adapter's, from a list. */
export function knownObjects({ objects = {}, pods = [] }: KnownCluster): ClusterObjects {
  return {
    find: async (type, { namespace, name }) => {
      const found = objects[`${type} ${namespace}/${name}`];
      if (found !== undefined || type !== "pod") return found;
      const pod = pods.find((one) => one.namespace === namespace && one.name === name);
      return pod && (pod.owner === undefined ? {} : { owner: pod.owner });
    },
    pods: async ({ namespace, selector, address }) =>
      pods
        .filter((pod) => namespace === undefined || pod.namespace === namespace)
        .filter((pod) => address === undefined || pod.address === address)
        .filter(({ labels = {} }) => (selector ?? "").split(",").every((part) => fits(labels, part)))
        .map((pod) => ({ containers: [], claims: [], ...pod })),
  };
}

function fits(labels: Readonly<Record<string, string>>, part: string): boolean {
  const [key = "", value] = part.split("=");
  return part === "" || labels[key] === value;
}

/** Whom alerts concern in a known cluster; by their labels alone where nothing is known. */
export function concernsIn(
  known: KnownCluster = {},
  { mappings = [], range }: { readonly mappings?: readonly AlertMapping[]; readonly range?: Metrics["range"] } = {},
): Concerns {
  const around: Surveyed = {
    objects: knownObjects(known),
    metrics: { range: range ?? (async () => ({ series: [], notes: [] })) },
    clock: { now: () => new Date("2026-11-24T02:10:00Z") },
    ...{ cluster: "test", clusterLabel: "cluster" },
  };
  return { of: (alert) => resolveAlert(alert, mappings, around) };
}
