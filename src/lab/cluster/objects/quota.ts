import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { parseQuantity } from "../../../domain/kubernetes/quantity.ts";
import { oncePer } from "../metrics/once-per.ts";
import { at, containersOf } from "./kube-object.ts";
import type { KubeStore } from "./kube-store.ts";

/** Why the API server would refuse this pod, in its words; undefined when every quota has room. */
export function quotaRefusal(
  store: KubeStore,
  namespace: string | undefined,
  podSpec: unknown,
  podName: string,
): string | undefined {
  const asked = usageOf([podSpec]);
  const used = namespaceUsage(store, namespace);
  for (const quota of store.list("ResourceQuota", namespace)) {
    const over = hardOf(quota.spec).filter(([name, limit]) => (used[name] ?? 0) + (asked[name] ?? 0) > limit + 1e-9);
    if (over.length === 0) continue;
    const list = (values: Readonly<Record<string, number>>) =>
      over.map(([name]) => `${name}=${renderQuantity(name, values[name] ?? 0)}`).join(",");
    const limits = Object.fromEntries(over);
    return `pods "${podName}" is forbidden: exceeded quota: ${quota.metadata.name}, requested: ${list(asked)}, used: ${list(used)}, limited: ${list(limits)}`;
  }
  return undefined;
}

/** Writes `status` of every quota. */
export function reportQuotas(store: KubeStore): void {
  for (const quota of store.list("ResourceQuota")) {
    const used = namespaceUsage(store, quota.metadata.namespace);
    const hard = hardOf(quota.spec);
    quota.status = {
      hard: at(quota.spec, "hard"),
      used: Object.fromEntries(hard.map(([name]) => [name, renderQuantity(name, used[name] ?? 0)])),
    };
  }
}

/** The limits of a quota as numbers: cores, bytes or a count. */
export function hardOf(spec: unknown): [string, number][] {
  const hard = at(spec, "hard");
  return isRecord(hard)
    ? Object.entries(hard).flatMap(([name, value]) => {
        const number = parseQuantity(typeof value === "number" ? String(value) : value);
        return number === undefined ? [] : [[name, number] as [string, number]];
      })
    : [];
}

export function namespaceUsage(store: KubeStore, namespace: string | undefined): Readonly<Record<string, number>> {
  return usageOf(store.list("Pod", namespace ?? "").map((pod) => pod.spec));
}

function usageOf(podSpecs: readonly unknown[]): Record<string, number> {
  const usage: Record<string, number> = { pods: podSpecs.length };
  for (const podSpec of podSpecs)
    for (const [key, amount] of isRecord(podSpec) ? amountsOf(podSpec) : []) usage[key] = (usage[key] ?? 0) + amount;
  return usage;
}

type Amounts = readonly (readonly [name: string, amount: number])[];

/** A pod's spec never changes: each is read once. */
const amountsOf = oncePer(
  (podSpec: object): Amounts =>
    containersOf(podSpec).flatMap(({ requests, limits }) =>
      Object.entries({ requests, limits }).flatMap(([kind, each]) =>
        Object.entries(each).map(([name, amount]) => [`${kind}.${name}`, parseQuantity(amount) ?? 0] as const),
      ),
    ),
);

function renderQuantity(name: string, value: number): string {
  if (name.endsWith("cpu")) return Number.isInteger(value) ? String(value) : `${Math.round(value * 1000)}m`;
  if (name.endsWith("memory")) return `${Math.round(value / 2 ** 20)}Mi`;
  return String(value);
}
