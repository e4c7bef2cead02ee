import { isDnsName } from "../kubernetes/workload.ts";
import type { Workload } from "../kubernetes/workload.ts";

type Labels = Readonly<Record<string, string>>;

/** Objects that lead to a workload, by the words of the labels that name them. */
export type ObjectType =
  | "pod"
  | "replicaset"
  | "job"
  | "horizontalpodautoscaler"
  | "scaledobject"
  | "verticalpodautoscaler"
  | "poddisruptionbudget"
  | "persistentvolumeclaim"
  | "ingress"
  | "service";

/** One thing that the labels of an alert point at. */
export type Reference =
  | { readonly kind: "workload"; readonly workload: Workload; readonly label: string }
  /** A workload whose kind the labels do not say. */
  | { readonly kind: "named"; readonly namespace: string; readonly name: string; readonly label: string }
  | {
      readonly kind: "object";
      readonly type: ObjectType;
      readonly namespace: string;
      readonly name: string;
      readonly label: string;
    }
  | { readonly kind: "container"; readonly namespace: string; readonly name: string; readonly label: string }
  /** What Prometheus scraped. */
  | { readonly kind: "target"; readonly instance: string; readonly job: string; readonly label: string };

/** What to ask the cluster for, most exact first; or why there is nothing to ask for. */
type References =
  | { readonly kind: "some"; readonly references: readonly Reference[] }
  | { readonly kind: "none"; readonly because: string };

/** Kinds of workload by the words that labels have for them. */
const kinds: Readonly<Record<string, string>> = {
  ...{ deployment: "Deployment", statefulset: "StatefulSet", daemonset: "DaemonSet", rollout: "Rollout" },
  ...{ cronjob: "CronJob", replicationcontroller: "ReplicationController", deploymentconfig: "DeploymentConfig" },
};

/** The same, for labels that say the kind of something beside its name; a bare pod is its own workload. */
const typed: Readonly<Record<string, string>> = { ...kinds, replicaset: "ReplicaSet", job: "Job", pod: "Pod" };

/** Objects in the order of how exactly they say which workload hurts. */
const objectLabels: readonly (readonly [ObjectType, readonly string[]])[] = [
  ["horizontalpodautoscaler", ["horizontalpodautoscaler", "hpa"]],
  ["scaledobject", ["scaledobject", "scaledObject"]],
  ["verticalpodautoscaler", ["verticalpodautoscaler", "vpa"]],
  ["replicaset", ["replicaset"]],
  ["job", ["job_name"]],
  ["poddisruptionbudget", ["poddisruptionbudget", "pdb"]],
  ["persistentvolumeclaim", ["persistentvolumeclaim"]],
  ["pod", ["pod", "pod_name"]],
  ["ingress", ["ingress"]],
  ["service", ["service"]],
];

/** Labels that say what an alert is about, and that no workload is it. */
const otherSubjects = ["node", "persistentvolume", "volumename", "resourcequota", "apiservice", "storageclass"];

/** Labels by which Prometheus knows what it scraped. */
const targetLabels = ["namespace", "pod", "container", "service", "endpoint", "node", "instance", "job"];

/**
 * The labels in one notation: OpenTelemetry's names as Kubernetes' own, and what a scrape renamed under its own name.
 * Where one of them was renamed, the plain ones tell of the exporter, not of what hurts.
 */
function plain(labels: Labels): Labels {
  const known = Object.entries(labels).flatMap(([label, value]): [string, string][] => {
    if (value === "") return [];
    const semantic = /^k8s[._]([a-z]+)[._]name$/.exec(label)?.[1];
    if (semantic === undefined) return [[label, value]];
    return [[semantic === "job" ? "job_name" : semantic === "hpa" ? "horizontalpodautoscaler" : semantic, value]];
  });
  const renamed = known.filter(([label]) => /^exported_[a-z]/.test(label));
  const own = renamed.map(([label, value]) => [label.slice("exported_".length), value] as const);
  const clashed = own.some(([label]) => targetLabels.includes(label));
  const kept = clashed ? known.filter(([label]) => !targetLabels.includes(label)) : known;
  return Object.fromEntries([...kept, ...own]);
}

/** What the labels of an alert point at. They only select: guardrails decide what may be touched. */
export function referencesOf(given: Labels): References {
  const labels = plain(given);
  const named = namedWorkloads(labels);
  if ("because" in named) return { kind: "none", because: named.because };
  const namespace = labels.namespace;
  const objects: Reference[] = namespace === undefined ? [] : objectsIn(labels, namespace);
  const references = [...named.found, ...objects, ...targetsOf(labels, objects.length + named.found.length)];
  const sound = references.filter((reference) => namesOf(reference).every(isDnsName));
  if (sound.length > 0) return { kind: "some", references: sound };
  if (references.length > 0) return { kind: "none", because: "its labels name what Kubernetes could not hold" };
  return { kind: "none", because: whyNothing(labels) };
}

function namesOf(reference: Reference): readonly string[] {
  if (reference.kind === "target") return [];
  if (reference.kind === "workload") return [reference.workload.namespace, reference.workload.name];
  return [reference.namespace, reference.name];
}

type Named = { readonly found: readonly Reference[] } | { readonly because: string };

function namedWorkloads(labels: Labels): Named {
  const namespace = labels.namespace;
  const said = [...byOwnLabel(labels), ...byTypedLabel(labels)];
  const found = namespace === undefined ? [] : said.map((one) => referenceOf(namespace, one));
  const mesh = labels.destination_workload;
  const there = labels.destination_workload_namespace ?? namespace;
  if (found.length === 0 && mesh !== undefined && there !== undefined)
    found.push({ kind: "named", namespace: there, name: mesh, label: "destination_workload" });
  const different = new Set(found.map((reference) => JSON.stringify({ ...reference, label: "" })));
  if (different.size <= 1) return { found: found.slice(0, 1) };
  return { because: `its labels name several workloads: ${said.map(({ label }) => label).join(", ")}` };
}

interface Said {
  readonly kind: string | undefined;
  readonly name: string;
  readonly label: string;
}

function byOwnLabel(labels: Labels): readonly Said[] {
  return Object.entries(kinds).flatMap(([label, kind]) => {
    const name = labels[label];
    return name === undefined ? [] : [{ kind, name, label }];
  });
}

const pairs: readonly (readonly [kind: string, name: string])[] = [
  ["workload_type", "workload"],
  ["owner_kind", "owner_name"],
  ["created_by_kind", "created_by_name"],
  ["target_kind", "target_name"],
  ["scaletargetref_kind", "scaletargetref_name"],
  ["kind", "name"],
];

/** Of the pairs the first that says something; `<none>` is kube-state-metrics' word for nobody. */
function byTypedLabel(labels: Labels): readonly Said[] {
  for (const [type, label] of pairs) {
    const name = labels[label];
    const kind = typed[(labels[type] ?? "").toLowerCase()];
    if (name === undefined || name === "<none>") continue;
    if (kind !== undefined) return [{ kind, name, label }];
    if (label === "workload") return [{ kind: undefined, name, label }];
  }
  return [];
}

function referenceOf(namespace: string, { kind, name, label }: Said): Reference {
  if (kind === undefined) return { kind: "named", namespace, name, label };
  if (kind === "Job" || kind === "ReplicaSet" || kind === "Pod")
    return { kind: "object", type: kind.toLowerCase() as ObjectType, namespace, name, label };
  return { kind: "workload", workload: { kind, namespace, name }, label };
}

function objectsIn(labels: Labels, namespace: string): Reference[] {
  const objects = objectLabels.flatMap(([type, names]): Reference[] => {
    const label = names.find((one) => labels[one] !== undefined);
    const name = label === undefined ? undefined : labels[label];
    return label === undefined || name === undefined ? [] : [{ kind: "object", type, namespace, name, label }];
  });
  const container = labels.container;
  if (container === undefined) return objects;
  return [...objects, { kind: "container", namespace, name: container, label: "container" }];
}

/** What was scraped is a guess at best: where the labels say what the alert is about, it is only who told of it. */
function targetsOf(labels: Labels, others: number): Reference[] {
  const { instance, job } = labels;
  const aboutElse = otherSubjects.some((label) => labels[label] !== undefined);
  if (instance === undefined || job === undefined || (aboutElse && others === 0)) return [];
  return [{ kind: "target", instance, job, label: "instance and job" }];
}

function whyNothing(labels: Labels): string {
  const subject = otherSubjects.find((label) => labels[label] !== undefined);
  if (subject !== undefined) return `it is about a ${subject} (${labels[subject] ?? ""}), not about a workload`;
  const object = [...Object.keys(kinds), ...objectLabels.flatMap(([, names]) => names), "container"].find(
    (label) => labels[label] !== undefined,
  );
  if (object !== undefined) return `it names a ${object} and no namespace`;
  return "none of its labels names a workload, an autoscaler, a pod, a job, a service, an ingress, a claim or a container";
}
