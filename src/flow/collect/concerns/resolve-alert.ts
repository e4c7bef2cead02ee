import { type AlertMapping, mappedConcern, mappingLine } from "../../../domain/guardrails/alert-mapping.ts";
import type { Alert } from "../../../domain/incident/alert.ts";
import type { Concern } from "../../../domain/incident/incident.ts";
import { type Reference, referencesOf } from "../../../domain/incident/references.ts";
import { isDnsName, type Workload, workloadKey } from "../../../domain/kubernetes/workload.ts";
import { isKnownFailure, Unavailable } from "../../../ports/errors.ts";
import type { ClusterObjects, LinkedPod, OwnerMark } from "../../../ports/kubernetes.ts";
import { ownerSeen, targetSeen } from "./seen-owners.ts";
import type { Metrics } from "../../../ports/monitoring.ts";
import type { Clock } from "../../../ports/runtime.ts";

/** What is asked on the way from an alert to its workload. */
export interface Surveyed {
  readonly objects: ClusterObjects;
  readonly metrics: Pick<Metrics, "range">;
  readonly clock: Clock;
  /** Our cluster, and the label by which alerts name theirs. */
  readonly cluster: string;
  readonly clusterLabel: string;
}

/** One step of the way that found a workload, found nothing, or could not be taken. */
type Found =
  | { readonly kind: "workload"; readonly workload: Workload; readonly way: string }
  | { readonly kind: "nothing"; readonly because: string; readonly empty?: Empty };

/** What selects pods, and has none now. */
interface Empty extends Selecting {
  /** Undefined where it is gone itself. */
  readonly selector?: string;
}

/**
 * The workload that an alert is about, with the way that led there: what people mapped first, then what the labels point
 * at, most exact first. Never by the shape of a name.
 */
export async function resolveAlert(
  alert: Alert,
  mappings: readonly AlertMapping[],
  around: Surveyed,
): Promise<Concern> {
  const elsewhere = otherCluster(alert, around);
  if (elsewhere !== undefined) return elsewhere;
  const mapped = mappedConcern(alert, mappings);
  if (mapped !== undefined) return mapped;
  const pointed = referencesOf(alert.labels);
  if (pointed.kind === "none") return nobody(alert, [pointed.because]);
  const reasons: string[] = [];
  const empty: Empty[] = [];
  const silences: string[] = [];
  const asked = (way: Promise<Found | undefined>) =>
    way.catch((error: unknown) => {
      if (!isKnownFailure(error)) throw error;
      if (error instanceof Unavailable) silences.push(error.message);
      reasons.push(error.message);
    });
  for (const reference of pointed.references) {
    const found = await asked(follow(reference, around));
    if (found?.kind === "workload") return found;
    if (found !== undefined) reasons.push(found.because);
    if (found?.empty !== undefined) empty.push(found.empty);
  }
  const last = silences.length === 0 ? await asked(lastResort(empty, around)) : undefined;
  if (last?.kind === "workload") return last;
  const [silent] = silences;
  return silent === undefined ? nobody(alert, reasons) : { kind: "unknown", because: silent };
}

function nobody(alert: Alert, reasons: readonly string[]): Concern {
  return { kind: "nobody", because: [...new Set(reasons)].join("; "), line: mappingLine(alert) };
}

/** Alerts of several clusters may come from one Alertmanager: those of another one are not ours to answer. */
function otherCluster({ labels }: Alert, { cluster, clusterLabel }: Surveyed): Concern | undefined {
  const named = labels[clusterLabel] ?? labels["k8s.cluster.name"] ?? labels.k8s_cluster_name;
  if (named === undefined || named === "" || named === cluster) return undefined;
  return {
    ...{ kind: "nobody", because: `it is about the cluster ${named}, and this Rectify serves ${cluster}` },
    line: `CLUSTER_NAME=${named} in the environment, if that is this cluster`,
  };
}

function follow(reference: Reference, around: Surveyed): Promise<Found> {
  switch (reference.kind) {
    case "workload":
      return Promise.resolve({ kind: "workload", workload: reference.workload, way: `label ${reference.label}` });
    case "named":
      return followName(reference, around);
    case "object":
      return followObject(reference, around);
    case "container":
      return followContainer(reference, around);
    case "target":
      return followTarget(reference, around);
  }
}

const nameable = ["deployment", "statefulset", "daemonset", "rollout", "cronjob", "job"] as const;
const kindOf = {
  ...{ deployment: "Deployment", statefulset: "StatefulSet", daemonset: "DaemonSet" },
  ...{ rollout: "Rollout", cronjob: "CronJob", job: "Job" },
} as const;

function followName(
  { namespace, name, label }: Extract<Reference, { kind: "named" }>,
  around: Surveyed,
): Promise<Found> {
  return namesake({ namespace, name }, { way: `label ${label}`, what: `${label} ${namespace}/${name}` }, around);
}

/** The one workload of this name, whatever its kind. */
async function namesake(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { way, what }: { readonly way: string; readonly what: string },
  { objects }: Surveyed,
): Promise<Found> {
  const found = await Promise.all(
    nameable.map(async (type) => ((await objects.find(type, { namespace, name })) === undefined ? undefined : type)),
  );
  const kinds = found.flatMap((type) => (type === undefined ? [] : [kindOf[type]]));
  const workloads = kinds.map((kind) => ({ workload: { kind, namespace, name }, way }));
  return oneOf(workloads, what);
}

type ObjectReference = Extract<Reference, { kind: "object" }>;

async function followObject(reference: ObjectReference, around: Surveyed): Promise<Found> {
  const { type, namespace, name } = reference;
  const what = `${type} ${name}`;
  if (type === "persistentvolumeclaim") return followClaim(reference, around);
  const object = await around.objects.find(type, { namespace, name });
  if (object === undefined) {
    const seen = type === "pod" ? await ownerSeen({ namespace, name }, around) : undefined;
    if (seen !== undefined) return climb(seen, { namespace, way: `${what} (as Prometheus saw it)` }, around);
    const because = `there is no ${type} ${namespace}/${name}`;
    return { kind: "nothing", because, ...(type === "service" ? { empty: { namespace, name, way: what } } : {}) };
  }
  if (object.target !== undefined) return climb(object.target, { namespace, way: what }, around);
  if (object.owner !== undefined) return climb(object.owner, { namespace, way: what }, around);
  if (object.services !== undefined) return followServices(object.services, { namespace, way: what }, around);
  if (object.selector !== undefined) return followSelector(object.selector, { namespace, name, way: what }, around);
  if (type === "pod" || type === "job" || type === "replicaset") {
    const kind = { pod: "Pod", job: "Job", replicaset: "ReplicaSet" }[type];
    return { kind: "workload", workload: { kind, namespace, name }, way: what };
  }
  return { kind: "nothing", because: `${what} in ${namespace} leads nowhere: it selects no pods` };
}

interface Place {
  readonly namespace: string;
  readonly way: string;
}

const between = { ReplicaSet: "replicaset", Job: "job", Pod: "pod" } as const;
// Pod → ReplicaSet → Deployment is the longest that Kubernetes makes; a ring of owners must not hold us.
const mostSteps = 4;

/** From owner to owner, up to the one that people declare. */
async function climb(owner: OwnerMark, { namespace, way }: Place, { objects }: Surveyed): Promise<Found> {
  let { kind, name } = owner;
  let path = `${way} → ${kind} ${name}`;
  for (let step = 0; step < mostSteps; step += 1) {
    const type = Object.entries(between).find(([known]) => known === kind)?.[1];
    const above = type === undefined ? undefined : (await objects.find(type, { namespace, name }))?.owner;
    if (above === undefined) break;
    ({ kind, name } = above);
    path += ` → ${kind} ${name}`;
  }
  return { kind: "workload", workload: { kind, namespace, name }, way: path };
}

async function followClaim({ namespace, name }: ObjectReference, around: Surveyed): Promise<Found> {
  const pods = await around.objects.pods({ namespace });
  const users = pods.filter(({ claims }) => claims.includes(name));
  return ownerOf(users, { namespace, way: `claim ${name}` }, around);
}

async function followContainer(
  { namespace, name }: Extract<Reference, { kind: "container" }>,
  around: Surveyed,
): Promise<Found> {
  const pods = await around.objects.pods({ namespace });
  const having = pods.filter(({ containers }) => containers.includes(name));
  return ownerOf(having, { namespace, way: `container ${name}` }, around);
}

async function followServices(services: readonly string[], place: Place, around: Surveyed): Promise<Found> {
  const { namespace } = place;
  const found = await Promise.all(
    services.map(async (name): Promise<Found> => {
      const service = await around.objects.find("service", { namespace, name });
      const way = `${place.way} → service ${name}`;
      if (service?.selector !== undefined) return followSelector(service.selector, { namespace, name, way }, around);
      const because = `service ${name} selects no pods`;
      return { kind: "nothing", because, ...(service === undefined ? { empty: { namespace, name, way } } : {}) };
    }),
  );
  const one = oneOf(
    found.filter((each) => each.kind === "workload"),
    place.way,
  );
  const [empty] = found.flatMap((each) => (each.kind === "nothing" ? (each.empty ?? []) : []));
  return one.kind === "nothing" && empty !== undefined ? { ...one, empty } : one;
}

interface Selecting extends Place {
  readonly name: string;
}

async function followSelector(selector: string, selecting: Selecting, around: Surveyed): Promise<Found> {
  const pods = await around.objects.pods({ namespace: selecting.namespace, selector });
  const found = await ownerOf(pods, selecting, around);
  return found.kind === "nothing" && pods.length === 0 ? { ...found, empty: { ...selecting, selector } } : found;
}

/**
 * A workload without pods and a selector that went wrong are what such an alert is about, and then nothing selects it.
 * Once nothing else leads anywhere: the one workload that is called like what is selected, else like what selects. The
 * way says that it is a name.
 */
async function lastResort(empty: readonly Empty[], around: Surveyed): Promise<Found | undefined> {
  for (const { namespace, name, way, selector = "" } of empty) {
    const values = selector.split(",").flatMap((part) => /^[^=!]+==?([^=]+)$/.exec(part)?.[1] ?? []);
    const selected = await namesakes(values.filter(isDnsName), { namespace, way }, around);
    const found = selected.length > 0 ? selected : await namesakes([name], { namespace, way }, around);
    const one = oneOf(found, way);
    if (one.kind === "workload") return one;
  }
  return undefined;
}

async function namesakes(names: readonly string[], { namespace, way }: Place, around: Surveyed) {
  const why = `${way}, which has no pods now → the workload of this name`;
  const found = await Promise.all(names.map((name) => namesake({ namespace, name }, { way: why, what: way }, around)));
  return found.filter((one) => one.kind === "workload");
}

async function followTarget(
  { instance, job }: Extract<Reference, { kind: "target" }>,
  around: Surveyed,
): Promise<Found> {
  const way = `target ${instance} of ${job}`;
  const seen = await targetSeen({ instance, job }, around);
  if (seen !== undefined) {
    const reference = { kind: "object", type: "pod", ...seen, label: "instance and job" } as const;
    const found = await followObject(reference, around);
    return found.kind === "workload" ? { ...found, way: `${way} → ${found.way}` } : found;
  }
  const address = /^(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:]+\])(?::\d+)?$/.exec(instance)?.[1]?.replace(/[[\]]/g, "");
  const pods = address === undefined ? [] : await around.objects.pods({ address });
  const [namespace, ...others] = [...new Set(pods.map((pod) => pod.namespace))];
  if (namespace === undefined || others.length > 0)
    return { kind: "nothing", because: `neither Prometheus nor the cluster knows a pod behind ${instance} (${job})` };
  return ownerOf(pods, { namespace, way }, around);
}

/** The one workload that all of these pods belong to. */
async function ownerOf(pods: readonly LinkedPod[], place: Place, around: Surveyed): Promise<Found> {
  if (pods.length === 0) return { kind: "nothing", because: `${place.way} in ${place.namespace} has no pods` };
  const owners = new Map<string, LinkedPod>();
  for (const pod of pods) owners.set(JSON.stringify(pod.owner ?? { pod: pod.name }), pod);
  const found = await Promise.all(
    [...owners.values()].slice(0, mostOwners).map(({ name, owner }): Promise<Found> => {
      const way = `${place.way} → pod ${name}`;
      if (owner !== undefined) return climb(owner, { ...place, way }, around);
      const workload = { kind: "Pod", namespace: place.namespace, name };
      return Promise.resolve({ kind: "workload", workload, way });
    }),
  );
  const workloads = found.filter((one) => one.kind === "workload");
  return oneOf(workloads, place.way);
}

// A claim or a service of more owners than this belongs to nobody in particular.
const mostOwners = 10;

function oneOf(found: readonly { readonly workload: Workload; readonly way: string }[], what: string): Found {
  const [first, ...others] = [...new Map(found.map((one) => [workloadKey(one.workload), one])).values()];
  if (first === undefined) return { kind: "nothing", because: `${what} leads to no workload` };
  if (others.length === 0) return { kind: "workload", ...first };
  const names = [first, ...others].map(({ workload }) => workloadKey(workload));
  return { kind: "nothing", because: `${what} leads to several workloads: ${names.slice(0, 5).join(", ")}` };
}
