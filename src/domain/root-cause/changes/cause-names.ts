import type { Aspect } from "./aspects.ts";
import type { SymptomKind } from "./symptoms.ts";

/** The closed list of names that a cause has for people, with what a person can do where Git has no field for it. */
const causeNames = {
  "bad-image": "Push the image that the manifest names, or set a tag that the registry has; check the pull secret.",
  "bad-command": "Compare command and arguments with what the image's program takes, and correct them in Git.",
  configuration: "Compare environment, ConfigMaps and Secrets with what the program reads at its start.",
  "port-or-selector": "Compare the Service's selector and target port with the pods' labels and ports.",
  probe: "Ask the probe's endpoint by hand (kubectl exec) and compare path, port and timing with the program's start.",
  scheduling: "Look at the nodes (kubectl describe node): free a node, add one, or relax what the pod asks for.",
  storage: "Look at claim, volume and storage class (kubectl describe pvc); free or grow the disk behind them.",
  quota: "Raise the quota or the limit range of the namespace, or ask for less.",
  "network-policy": "List the policies that select both ends, and allow the connection that is missing.",
  permissions: "Check what the account may do (kubectl auth can-i --as) and who owns the credential or certificate.",
  "autoscaler-bounds": "Look at the autoscaler's conditions (kubectl describe hpa), its bounds and its metrics.",
  "scaled-to-zero": "Find out who scaled it to zero, and set the number it needs.",
  "dependency-down": "Look at the service it calls, or at the database: its locks, connections and its owner's alerts.",
  link: "Look at the network between the two services: retries, time-outs, DNS, the mesh's proxies.",
  saturation: "Add capacity, or shed load: look for retries that multiply the requests.",
  memory: "Look for a leak (a heap dump before the next kill); raise the limit to win time.",
  throttling: "Raise or remove the CPU limit, or spread the load.",
  "bad-release": "Compare the release with the one before; revert it first and understand it afterwards.",
} as const;

export type CauseName = keyof typeof causeNames;

/** What a person could do about it. */
export function nextStepOf(name: CauseName): string {
  return causeNames[name];
}

const byAspect: Readonly<Record<Aspect, CauseName>> = {
  ...{ image: "bad-release", command: "bad-command", lifecycle: "bad-command", configuration: "configuration" },
  ...{ secret: "configuration", probe: "probe", port: "port-or-selector", selector: "port-or-selector" },
  ...{ routing: "port-or-selector", requests: "scheduling", "cpu-limit": "throttling", "memory-limit": "memory" },
  ...{ scheduling: "scheduling", storage: "storage", replicas: "saturation", "scaled-to-zero": "scaled-to-zero" },
  ...{ rollout: "configuration", autoscaler: "autoscaler-bounds", quota: "quota", dns: "configuration" },
  ...{ "network-policy": "network-policy", mesh: "network-policy", permissions: "permissions" },
  ...{ security: "permissions", admission: "configuration", removed: "dependency-down", other: "bad-release" },
};

// Where what is seen says more than what was changed.
const together: readonly (readonly [Aspect, SymptomKind, CauseName])[] = [
  ["image", "image-pull", "bad-image"],
  ["image", "image-slow", "bad-image"],
  ["image", "executable", "bad-image"],
  ["secret", "image-pull", "bad-image"],
  ["secret", "credential", "permissions"],
  ["requests", "quota", "quota"],
  ["requests", "limit-range", "quota"],
  ["requests", "autoscaler", "autoscaler-bounds"],
  ["requests", "out-of-memory", "memory"],
  ["requests", "evicted", "scheduling"],
  ["memory-limit", "quota", "quota"],
  ["memory-limit", "limit-range", "quota"],
  ["cpu-limit", "quota", "quota"],
  ["cpu-limit", "limit-range", "quota"],
  ["replicas", "quota", "quota"],
  ["storage", "unschedulable", "storage"],
  ["configuration", "volume", "configuration"],
  ["configuration", "out-of-memory", "memory"],
  ["port", "probe", "port-or-selector"],
  ["port", "port-conflict", "port-or-selector"],
  ["configuration", "unreachable", "configuration"],
  ["removed", "configuration", "configuration"],
  ["removed", "volume", "storage"],
  ["removed", "forbidden", "permissions"],
  ["removed", "no-traffic", "port-or-selector"],
];

/** The name of a cause that a change made, seen by a symptom where there is one. */
export function nameOfChange(aspect: Aspect, symptom: SymptomKind | undefined): CauseName {
  return together.find(([part, seen]) => part === aspect && seen === symptom)?.[2] ?? byAspect[aspect];
}

/** What a symptom says by itself, where no change explains it; undefined = too little. */
export function nameOfSymptom(symptom: SymptomKind): CauseName | undefined {
  return bySymptom[symptom];
}

const bySymptom: Partial<Readonly<Record<SymptomKind, CauseName>>> = {
  ...{ "image-pull": "bad-image", executable: "bad-command", configuration: "configuration", volume: "storage" },
  ...{ preempted: "scheduling", unschedulable: "scheduling", quota: "quota", "limit-range": "quota" },
  ...{ admission: "configuration", forbidden: "permissions", credential: "permissions", certificate: "configuration" },
  ...{ autoscaler: "autoscaler-bounds", evicted: "scheduling", node: "scheduling", "init-stuck": "dependency-down" },
  ...{ "port-conflict": "port-or-selector", probe: "probe", "name-resolution": "configuration" },
  ...{ unreachable: "dependency-down", lock: "dependency-down", "no-replicas": "scaled-to-zero" },
};
