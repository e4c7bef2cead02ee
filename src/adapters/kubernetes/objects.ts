import { z } from "zod";
import { Refused } from "../../ports/errors.ts";
import type { ClusterObjects, LinkedObject, LinkedPod, OwnerMark, PodQuery } from "../../ports/kubernetes.ts";
import type { CustomType, ReadOne } from "./custom.ts";

type Type = Parameters<ClusterObjects["find"]>[0];

/** Where each type is served. Those without a group are core objects. */
const types: Readonly<Record<Exclude<Type, "pod" | "service" | "persistentvolumeclaim">, CustomType>> = {
  deployment: { group: "apps", version: "v1", plural: "deployments" },
  statefulset: { group: "apps", version: "v1", plural: "statefulsets" },
  daemonset: { group: "apps", version: "v1", plural: "daemonsets" },
  replicaset: { group: "apps", version: "v1", plural: "replicasets" },
  rollout: { group: "argoproj.io", version: "v1alpha1", plural: "rollouts" },
  job: { group: "batch", version: "v1", plural: "jobs" },
  cronjob: { group: "batch", version: "v1", plural: "cronjobs" },
  horizontalpodautoscaler: { group: "autoscaling", version: "v2", plural: "horizontalpodautoscalers" },
  scaledobject: { group: "keda.sh", version: "v1alpha1", plural: "scaledobjects" },
  verticalpodautoscaler: { group: "autoscaling.k8s.io", version: "v1", plural: "verticalpodautoscalers" },
  poddisruptionbudget: { group: "policy", version: "v1", plural: "poddisruptionbudgets" },
  ingress: { group: "networking.k8s.io", version: "v1", plural: "ingresses" },
};

const Mark = z.object({ kind: z.string().default("Deployment"), name: z.string() });
const Owners = z.array(z.object({ kind: z.string(), name: z.string(), controller: z.boolean().optional() }));
const Metadata = z.object({ name: z.string(), ownerReferences: Owners.default([]) });
const Expression = z.object({ key: z.string(), operator: z.string(), values: z.array(z.string()).default([]) });
const LabelSelector = z.object({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z.array(Expression).default([]),
});
const Backend = z.object({ service: z.object({ name: z.string() }).optional() });
const IngressSpec = z.object({
  defaultBackend: Backend.optional(),
  rules: z
    .array(z.object({ http: z.object({ paths: z.array(z.object({ backend: Backend })) }).optional() }))
    .default([]),
});
const Linked = z.object({
  metadata: Metadata,
  spec: z
    .looseObject({ scaleTargetRef: Mark.optional(), targetRef: Mark.optional(), selector: z.unknown().optional() })
    .optional(),
});
const Pod = z.object({
  metadata: z.object({ ...Metadata.shape, namespace: z.string().default("") }),
  spec: z
    .object({
      containers: z.array(z.object({ name: z.string() })).default([]),
      volumes: z.array(z.object({ persistentVolumeClaim: z.object({ claimName: z.string() }).optional() })).default([]),
    })
    .optional(),
});

/** How the objects are read: by the client, with its deadline and its translation of failures. */
interface ObjectReads {
  readonly custom: ReadOne;
  readonly core: (type: "pod" | "service", at: { namespace: string; name: string }) => Promise<unknown>;
  readonly pods: (of: PodQuery) => Promise<readonly unknown[]>;
}

/** What objects of the cluster point at, as far as it leads from an alert to its workload. */
export function clusterObjects(reads: ObjectReads): ClusterObjects {
  return {
    find: async (type, at) => {
      if (type === "persistentvolumeclaim") return undefined;
      const found =
        type === "pod" || type === "service" ? await reads.core(type, at) : await reads.custom(types[type], at);
      return found === undefined ? undefined : linkedOf(type, found, at.name);
    },
    pods: async (of) => (await reads.pods(of)).flatMap(podOf),
  };
}

function linkedOf(type: Type, object: unknown, name: string): LinkedObject {
  const read = Linked.safeParse(object);
  // The client deserialises whatever came: a sign-in page becomes an object without fields.
  if (!read.success || read.data.metadata.name !== name)
    throw new Refused(`Kubernetes: reading ${type} ${name}: the answer is no such object`);
  const { metadata, spec } = read.data;
  const owner = ownerOf(metadata.ownerReferences);
  const target = spec?.scaleTargetRef ?? spec?.targetRef;
  const selector = type === "service" || type === "poddisruptionbudget" ? selectorOf(type, spec?.selector) : undefined;
  return {
    ...(owner && { owner }),
    ...(target && { target }),
    ...(selector === undefined ? {} : { selector }),
    ...(type === "ingress" ? { services: servicesOf(spec) } : {}),
  };
}

/** Only a controller makes an object; others may merely want it deleted with them. */
function ownerOf(owners: z.infer<typeof Owners>): OwnerMark | undefined {
  const owner = owners.find(({ controller }) => controller === true) ?? (owners.length === 1 ? owners[0] : undefined);
  return owner && { kind: owner.kind, name: owner.name };
}

/** Undefined where nothing is selected: an empty selector of a budget would be every pod there is. */
function selectorOf(type: "service" | "poddisruptionbudget", selector: unknown): string | undefined {
  const plain = z.record(z.string(), z.string()).safeParse(selector);
  const read = LabelSelector.safeParse(type === "service" && plain.success ? { matchLabels: plain.data } : selector);
  if (!read.success) return undefined;
  const parts = [
    ...Object.entries(read.data.matchLabels).map(([key, value]) => `${key}=${value}`),
    ...read.data.matchExpressions.map(requirementOf),
  ];
  return parts.length === 0 ? undefined : parts.join(",");
}

function requirementOf({ key, operator, values }: z.infer<typeof Expression>): string {
  if (operator === "Exists") return key;
  if (operator === "DoesNotExist") return `!${key}`;
  return `${key} ${operator === "NotIn" ? "notin" : "in"} (${values.join(",")})`;
}

function servicesOf(spec: unknown): readonly string[] {
  const read = IngressSpec.safeParse(spec);
  if (!read.success) return [];
  const { defaultBackend, rules } = read.data;
  const backends = [defaultBackend, ...rules.flatMap(({ http }) => http?.paths.map(({ backend }) => backend) ?? [])];
  return [...new Set(backends.flatMap((backend) => (backend?.service === undefined ? [] : [backend.service.name])))];
}

function podOf(object: unknown): LinkedPod[] {
  const read = Pod.safeParse(object);
  if (!read.success) return [];
  const { metadata, spec } = read.data;
  const owner = ownerOf(metadata.ownerReferences);
  const claims = (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
  return [
    {
      ...{ namespace: metadata.namespace, name: metadata.name, claims, ...(owner && { owner }) },
      containers: (spec?.containers ?? []).map(({ name }) => name),
    },
  ];
}
