import { z } from "zod";
import type { FieldSpec } from "./field-specs.ts";
import type { Gvk } from "./build-resource.ts";

/** Fields that hold the name of an object of some kind: they follow when that object is renamed. */
export interface ReferenceSpec {
  readonly target: Partial<Gvk>;
  readonly referrers: readonly FieldSpec[];
}

/** Where each kind keeps its pod's spec. */
const podSpecs: readonly { readonly kind: string; readonly version?: string; readonly at: readonly string[] }[] = [
  { kind: "Pod", version: "v1", at: ["spec"] },
  { kind: "PodTemplate", at: ["template", "spec"] },
  ...["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job"].map((kind) => ({
    kind,
    at: ["spec", "template", "spec"],
  })),
  { kind: "CronJob", at: ["spec", "jobTemplate", "spec", "template", "spec"] },
];

const inPods = (...paths: readonly (readonly string[])[]): readonly FieldSpec[] =>
  podSpecs.flatMap(({ at, ...kind }) => paths.map((path) => ({ ...kind, path: [...at, ...path] })));

/** Service accounts, claims and priority classes are followed in fewer kinds. */
const inWorkloads = (...path: readonly string[]): readonly FieldSpec[] => [
  { kind: "Pod", path: ["spec", ...path] },
  ...["StatefulSet", "Deployment", "ReplicationController", "Job", "DaemonSet"].map((kind) => ({
    kind,
    path: ["spec", "template", "spec", ...path],
  })),
  { kind: "CronJob", path: ["spec", "jobTemplate", "spec", "template", "spec", ...path] },
];

const inContainers = (...path: readonly string[]): readonly FieldSpec[] =>
  inPods(["containers", ...path], ["initContainers", ...path]);

const annotation = (name: string): FieldSpec => ({ kind: "Ingress", path: ["metadata", "annotations", name] });
const rbac = "rbac.authorization.k8s.io";
const admission = "admissionregistration.k8s.io";
const resourceNames = (kind: string): FieldSpec => ({ kind, path: ["rules", "resourceNames"] });
const scaled: readonly FieldSpec[] = [{ kind: "HorizontalPodAutoscaler", path: ["spec", "scaleTargetRef", "name"] }];

/** The name references that Kustomize follows by default. Source: its documentation of `nameReference`. */
export const referenceSpecs: readonly ReferenceSpec[] = [
  ...["Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"].map((kind) => ({
    target: { kind },
    referrers: scaled,
  })),
  {
    target: { version: "v1", kind: "ConfigMap" },
    referrers: [
      ...inPods(["volumes", "configMap", "name"], ["volumes", "projected", "sources", "configMap", "name"]),
      ...inContainers("env", "valueFrom", "configMapKeyRef", "name"),
      ...inContainers("envFrom", "configMapRef", "name"),
      { kind: "Node", path: ["spec", "configSource", "configMap"] },
      resourceNames("Role"),
      resourceNames("ClusterRole"),
      annotation("nginx.ingress.kubernetes.io/fastcgi-params-configmap"),
    ],
  },
  {
    target: { version: "v1", kind: "Secret" },
    referrers: [
      ...inPods(
        ["volumes", "secret", "secretName"],
        ["volumes", "projected", "sources", "secret", "name"],
        ["imagePullSecrets", "name"],
      ),
      ...inContainers("env", "valueFrom", "secretKeyRef", "name"),
      ...inContainers("envFrom", "secretRef", "name"),
      { kind: "Ingress", path: ["spec", "tls", "secretName"] },
      annotation("ingress.kubernetes.io/auth-secret"),
      annotation("nginx.ingress.kubernetes.io/auth-secret"),
      annotation("nginx.ingress.kubernetes.io/auth-tls-secret"),
      { kind: "ServiceAccount", path: ["imagePullSecrets", "name"] },
      ...["secretName", "adminSecretName", "userSecretName", "secretRef"].map((field) => ({
        kind: "StorageClass",
        path: ["parameters", field],
      })),
      resourceNames("Role"),
      resourceNames("ClusterRole"),
      {
        group: "serving.knative.dev",
        version: "v1",
        kind: "Service",
        path: ["spec", "template", "spec", "containers", "env", "valueFrom", "secretKeyRef", "name"],
      },
      { kind: "PersistentVolume", path: ["spec", "azureFile", "secretName"] },
    ],
  },
  {
    target: { version: "v1", kind: "Service" },
    referrers: [
      { group: "apps", kind: "StatefulSet", path: ["spec", "serviceName"] },
      { kind: "Ingress", path: ["spec", "rules", "http", "paths", "backend", "serviceName"] },
      { kind: "Ingress", path: ["spec", "backend", "serviceName"] },
      { kind: "Ingress", path: ["spec", "rules", "http", "paths", "backend", "service", "name"] },
      { kind: "Ingress", path: ["spec", "defaultBackend", "service", "name"] },
      { group: "apiregistration.k8s.io", kind: "APIService", path: ["spec", "service", "name"] },
      ...["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"].map((kind) => ({
        group: admission,
        kind,
        path: ["webhooks", "clientConfig", "service"],
      })),
    ],
  },
  {
    target: { group: rbac, kind: "Role" },
    referrers: [{ group: rbac, kind: "RoleBinding", path: ["roleRef", "name"] }],
  },
  {
    target: { group: rbac, kind: "ClusterRole" },
    referrers: ["RoleBinding", "ClusterRoleBinding"].map((kind) => ({ group: rbac, kind, path: ["roleRef", "name"] })),
  },
  {
    target: { version: "v1", kind: "ServiceAccount" },
    referrers: [
      ...["RoleBinding", "ClusterRoleBinding"].map((kind) => ({ group: rbac, kind, path: ["subjects"] })),
      ...inWorkloads("serviceAccountName"),
    ],
  },
  {
    target: { version: "v1", kind: "PersistentVolumeClaim" },
    referrers: inWorkloads("volumes", "persistentVolumeClaim", "claimName"),
  },
  {
    target: { version: "v1", kind: "PersistentVolume" },
    referrers: [{ kind: "PersistentVolumeClaim", path: ["spec", "volumeName"] }, resourceNames("ClusterRole")],
  },
  {
    target: { group: "storage.k8s.io", version: "v1", kind: "StorageClass" },
    referrers: [
      { kind: "PersistentVolume", path: ["spec", "storageClassName"] },
      { kind: "PersistentVolumeClaim", path: ["spec", "storageClassName"] },
      { kind: "StatefulSet", path: ["spec", "volumeClaimTemplates", "spec", "storageClassName"] },
    ],
  },
  {
    target: { group: "scheduling.k8s.io", version: "v1", kind: "PriorityClass" },
    referrers: inWorkloads("priorityClassName"),
  },
  {
    target: { group: admission, kind: "ValidatingAdmissionPolicy" },
    referrers: [{ group: admission, kind: "ValidatingAdmissionPolicyBinding", path: ["spec", "policyName"] }],
  },
];

const Kind = { group: z.string().optional(), version: z.string().optional(), kind: z.string().optional() };
const Configuration = z.strictObject({
  nameReference: z
    .array(
      z.strictObject({
        ...Kind,
        fieldSpecs: z.array(z.strictObject({ ...Kind, path: z.string().min(1), create: z.literal(false).optional() })),
      }),
    )
    .optional(),
});

/** The name references of a transformer configuration; undefined when it holds anything else. */
export function configuredReferences(value: unknown): readonly ReferenceSpec[] | undefined {
  const parsed = Configuration.safeParse(value);
  if (!parsed.success) return undefined;
  return (parsed.data.nameReference ?? []).map(({ fieldSpecs, ...target }) => ({
    target: presentParts(target),
    referrers: fieldSpecs.map(({ path, create: _create, ...kind }) => ({
      ...presentParts(kind),
      path: path.split(/(?<!\\)\//).map((part) => part.replaceAll("\\/", "/")),
    })),
  }));
}

function presentParts(kind: { [part in keyof Gvk]?: string | undefined }): Partial<Gvk> {
  return Object.fromEntries(Object.entries(kind).filter(([, part]) => part !== undefined));
}
