import type { ObjectChange } from "../../kubernetes/manifest-edit.ts";

/** What a change is about: the closed list that symptoms are compared with. */
export const aspects = [
  ...(["image", "command", "lifecycle", "configuration", "secret", "probe", "port", "selector", "routing"] as const),
  ...(["requests", "cpu-limit", "memory-limit", "scheduling", "storage", "replicas", "scaled-to-zero"] as const),
  ...(["rollout", "autoscaler", "quota", "network-policy", "mesh", "permissions", "security", "dns"] as const),
  ...(["admission", "removed", "other"] as const),
] as const;

export type Aspect = (typeof aspects)[number];

/** The aspects that one object's changes touch, each once. */
export function aspectsOf(changes: readonly ObjectChange[]): readonly Aspect[] {
  return [...new Set(changes.map(aspectOf))];
}

const byKind: readonly (readonly [RegExp, Aspect])[] = [
  [/^ConfigMap$/, "configuration"],
  [/(?:Secret|SecretStore|Certificate|Issuer)$/, "secret"],
  [/NetworkPolicy$/, "network-policy"],
  [/^(?:PeerAuthentication|RequestAuthentication|AuthorizationPolicy|Server|ServerAuthorization)$/, "mesh"],
  [/^(?:MeshTLSAuthentication|NetworkAuthentication|Sidecar|DestinationRule|ServiceEntry)$/, "mesh"],
  [/^(?:Ingress|IngressClass|Gateway|VirtualService|TrafficSplit|ServiceProfile|EndpointSlice|Endpoints)$/, "routing"],
  [/Route$/, "routing"],
  [/^(?:PersistentVolume|PersistentVolumeClaim|StorageClass|VolumeSnapshot)$/, "storage"],
  [/^(?:HorizontalPodAutoscaler|VerticalPodAutoscaler|ScaledObject|ScaledJob)$/, "autoscaler"],
  [/^(?:ResourceQuota|LimitRange)$/, "quota"],
  [/^(?:ServiceAccount|(?:Cluster)?Role(?:Binding)?)$/, "permissions"],
  [/^(?:PriorityClass|RuntimeClass)$/, "scheduling"],
  [/^PodDisruptionBudget$/, "rollout"],
  [/(?:WebhookConfiguration|Policy|PolicyBinding)$/, "admission"],
];

// The most exact first: a probe's port is a probe, a volume of a claim is storage.
const byField: readonly (readonly [RegExp, Aspect])[] = [
  [/(?:liveness|readiness|startup)Probe/i, "probe"],
  [/securityContext|host(?:PID|IPC|Path)/, "security"],
  [/imagePull|(?:^|\.)image(?:\.|$)|(?:^|\.)tag$/, "image"],
  [/persistentVolumeClaim|volumeClaimTemplates|storageClass/, "storage"],
  [/secretKeyRef|secretRef|secretName|volumes\.\d+\.secret/, "secret"],
  [/(?:^|\.)env(?:From)?(?:\.|$)|configMap|(?:^|\.)config(?:\.|$)/i, "configuration"],
  [/volumeMounts|volumes/, "storage"],
  [/resources\.limits\.memory/, "memory-limit"],
  [/resources\.limits\.cpu/, "cpu-limit"],
  [/resources(?:\.|$)/, "requests"],
  [/(?:^|\.)(?:command|args|workingDir|stdin|tty)(?:\.|$)/, "command"],
  [/(?:^|\.)lifecycle(?:\.|$)|terminationGracePeriod|restartPolicy|initContainers/, "lifecycle"],
  [/dnsPolicy|dnsConfig|hostAliases|hostname|subdomain/, "dns"],
  [/serviceAccount|automountServiceAccountToken/, "permissions"],
  [/nodeSelector|affinity|tolerations|topologySpread|nodeName|priorityClass|schedulerName|runtimeClass/i, "scheduling"],
  [/linkerd\.io|istio\.io|consul\.hashicorp/, "mesh"],
  [/containerPort|hostPort|hostNetwork|(?:^|\.)ports(?:\.|$)/, "port"],
  [/spec\.selector|template\.metadata\.labels|spec\.serviceName/, "selector"],
  [/strategy|minReadySeconds|progressDeadline|revisionHistory|podManagementPolicy|paused/i, "rollout"],
];

function aspectOf({ object, field, to }: ObjectChange): Aspect {
  const path = field.join(".");
  const known = byKind.find(([kind]) => kind.test(object.kind));
  if (known) return known[1];
  if (object.kind === "Service") return serviceAspect(path);
  if (field.length === 0) return to === undefined ? "removed" : "other";
  if (object.kind === "Namespace") return /pod-security/.test(path) ? "admission" : "mesh";
  if (/(?:^|\.)replicas$|replicaCount$/i.test(path)) return to === 0 ? "scaled-to-zero" : "replicas";
  if (/(?:min|max)Replica/i.test(path)) return "autoscaler";
  return byField.find(([pattern]) => pattern.test(path))?.[1] ?? "other";
}

function serviceAspect(path: string): Aspect {
  if (path === "" || /^spec\.selector/.test(path)) return "selector";
  return /^spec\.ports/.test(path) ? "port" : "routing";
}
