import type { ClusterObjects, LinkedObject, LinkedPod, OwnerMark } from "../../ports/kubernetes.ts";
import { Refused } from "../../ports/errors.ts";
import { type Moment, type PastSample, samplesAt, selectorOf } from "./samples.ts";

type Type = Parameters<ClusterObjects["find"]>[0];
type Place = Parameters<ClusterObjects["find"]>[1];

/** By which series kube-state-metrics shows that there is such an object, and which label names it. */
const shownBy: Partial<Readonly<Record<Type, string>>> = {
  ...{ deployment: "kube_deployment_spec_replicas", statefulset: "kube_statefulset_replicas" },
  ...{ daemonset: "kube_daemonset_status_desired_number_scheduled", cronjob: "kube_cronjob_info" },
};

const ownedBy: Partial<Readonly<Record<Type, { readonly series: string; readonly label: string }>>> = {
  pod: { series: "kube_pod_owner", label: "pod" },
  replicaset: { series: "kube_replicaset_owner", label: "replicaset" },
  job: { series: "kube_job_owner", label: "job_name" },
};

/**
 * The objects of a moment of the past as kube-state-metrics exported them. It exports neither the selectors of services
 * and budgets nor the addresses of pods: what leads by those is refused, never guessed.
 */
export function pastObjects(moment: Moment): ClusterObjects {
  return {
    find: async (type, place) => {
      const owned = ownedBy[type];
      if (owned !== undefined) return ownedObject(owned, place, moment);
      if (type === "horizontalpodautoscaler") return autoscaler(place, moment);
      if (type === "rollout" || type === "scaledobject" || type === "verticalpodautoscaler") return undefined;
      const series = shownBy[type];
      if (series === undefined) throw new Refused(`what a ${type} selected then is not recorded`);
      const found = await samplesAt(
        `${series}{${matchers({ namespace: place.namespace, [type]: place.name })}}`,
        moment,
      );
      return found.length === 0 ? undefined : {};
    },
    pods: async ({ namespace, selector, address }) => {
      if (namespace === undefined || selector !== undefined || address !== undefined)
        throw new Refused("labels and addresses of pods of that time are not recorded");
      return podsOf(namespace, moment);
    },
  };
}

async function ownedObject(
  { series, label }: { readonly series: string; readonly label: string },
  { namespace, name }: Place,
  moment: Moment,
): Promise<LinkedObject | undefined> {
  const found = await samplesAt(`${series}{${matchers({ namespace, [label]: name })}}`, moment);
  const [first] = found;
  if (first === undefined) return undefined;
  const owner = markOf(first.labels);
  return owner === undefined ? {} : { owner };
}

async function autoscaler({ namespace, name }: Place, moment: Moment): Promise<LinkedObject | undefined> {
  const query = `kube_horizontalpodautoscaler_info{${matchers({ namespace, horizontalpodautoscaler: name })}}`;
  const [found] = await samplesAt(query, moment);
  if (found === undefined) return undefined;
  const { scaletargetref_kind: kind, scaletargetref_name: target } = found.labels;
  return kind === undefined || target === undefined ? {} : { target: { kind, name: target } };
}

async function podsOf(namespace: string, moment: Moment): Promise<readonly LinkedPod[]> {
  const names = ["owner", "container_info", "spec_volumes_persistentvolumeclaims_info"];
  const samples = await samplesAt(selectorOf("kube_pod_", names, { namespace }), moment);
  const pods = [...new Set(samples.map(({ labels }) => labels.pod ?? ""))];
  return pods.map((name) =>
    podOf(
      namespace,
      name,
      samples.filter(({ labels }) => labels.pod === name),
    ),
  );
}

function podOf(namespace: string, name: string, samples: readonly PastSample[]): LinkedPod {
  const values = (series: string, label: string) =>
    samples.flatMap((sample) => (sample.name === series ? (sample.labels[label] ?? []) : []));
  const owner = samples.flatMap((sample) => (sample.name === "kube_pod_owner" ? (markOf(sample.labels) ?? []) : []))[0];
  return {
    ...{ namespace, name, containers: values("kube_pod_container_info", "container") },
    claims: values("kube_pod_spec_volumes_persistentvolumeclaims_info", "persistentvolumeclaim"),
    ...(owner === undefined ? {} : { owner }),
  };
}

function markOf({ owner_kind: kind, owner_name: name }: PastSample["labels"]): OwnerMark | undefined {
  if (kind === undefined || name === undefined || kind === "" || kind === "<none>") return undefined;
  return { kind, name };
}

function matchers(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(",");
}
