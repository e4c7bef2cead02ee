/** What runs in a namespace and can hurt: a Deployment, a StatefulSet, a Rollout. */
export interface Workload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A workload as the cluster shows it, with what hints at who owns its fields. */
export interface LiveWorkload extends Workload {
  readonly replicas?: number;
  /** Only where the question concerns one container (resources, image). */
  readonly container?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string }[];
  readonly scaledBy?: { readonly kind: string; readonly name: string; readonly min: number; readonly max: number };
}

/** `namespace/Kind/name`, the way a workload is shown to people. */
export function workloadKey(workload: Workload): string {
  return `${workload.namespace}/${workload.kind}/${workload.name}`;
}

/** Reads a key back; what is not there is empty. */
export function workloadOfKey(key: string): Workload {
  const [namespace = "", kind = "", name = ""] = key.split("/");
  return { namespace, kind, name };
}

/** True for what Kubernetes accepts as the name of an object: an RFC 1123 subdomain. */
export function isDnsName(name: string): boolean {
  return name.length <= 253 && name.split(".").every((label) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(label));
}
