import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { Draft } from "./build-resource.ts";

type Merged =
  | { readonly ok: true; readonly value: Draft | undefined }
  | { readonly ok: false; readonly because: string };

/**
 * A strategic merge patch as Kustomize applies it: lists of known kinds merge by key, all others are replaced.
 * Undefined when the patch deletes the object. Where Kustomize's answer is uncertain the patch is refused.
 */
export function strategicMerge(target: Draft, patch: Draft): Merged {
  const merge: Merge = { problems: [] };
  const value = walk(merge, target, patch, typeOf(target));
  const problem = merge.problems[0];
  if (problem !== undefined) return { ok: false, because: problem };
  return { ok: true, value: isRecord(value) ? value : undefined };
}

interface Merge {
  readonly problems: string[];
}

/** The lists of a type that merge by key, and the types of its fields. */
interface Type {
  readonly lists?: Readonly<Record<string, { readonly keys: readonly string[]; readonly item?: Type }>>;
  readonly fields?: Readonly<Record<string, Type>>;
}

/** Merge keys of Kubernetes 1.21, whose API description is built into Kustomize 5. */
const container: Type = {
  lists: {
    env: { keys: ["name"] },
    ports: { keys: ["containerPort", "protocol"] },
    volumeDevices: { keys: ["devicePath"] },
    volumeMounts: { keys: ["mountPath"] },
  },
};
const ephemeralContainer: Type = {
  lists: { env: { keys: ["name"] }, volumeDevices: { keys: ["devicePath"] }, volumeMounts: { keys: ["mountPath"] } },
};
const metadata: Type = { lists: { finalizers: { keys: [] }, ownerReferences: { keys: ["uid"] } } };
const podSpec: Type = {
  lists: {
    containers: { keys: ["name"], item: container },
    initContainers: { keys: ["name"], item: container },
    ephemeralContainers: { keys: ["name"], item: ephemeralContainer },
    volumes: { keys: ["name"] },
    imagePullSecrets: { keys: ["name"] },
    hostAliases: { keys: ["ip"] },
    topologySpreadConstraints: { keys: ["topologyKey", "whenUnsatisfiable"] },
  },
};
const template: Type = { fields: { metadata, spec: podSpec } };
const workload: Type = { fields: { metadata, spec: { fields: { template } } } };
const cronJob: Type = {
  fields: { metadata, spec: { fields: { jobTemplate: { fields: { metadata, spec: { fields: { template } } } } } } },
};
const webhooks: Type = { fields: { metadata }, lists: { webhooks: { keys: ["name"] } } };

const types: Readonly<Record<string, Type>> = {
  "v1 Pod": { fields: { metadata, spec: podSpec } },
  "v1 PodTemplate": { fields: { metadata, template } },
  "v1 ReplicationController": workload,
  "v1 Service": { fields: { metadata, spec: { lists: { ports: { keys: ["port", "protocol"] } } } } },
  "v1 ServiceAccount": { fields: { metadata }, lists: { secrets: { keys: ["name"] } } },
  "apps/v1 Deployment": workload,
  "apps/v1 StatefulSet": workload,
  "apps/v1 DaemonSet": workload,
  "apps/v1 ReplicaSet": workload,
  "batch/v1 Job": workload,
  "batch/v1 CronJob": cronJob,
  "batch/v1beta1 CronJob": cronJob,
  "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration": webhooks,
  "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration": webhooks,
  "admissionregistration.k8s.io/v1beta1 MutatingWebhookConfiguration": webhooks,
  "admissionregistration.k8s.io/v1beta1 ValidatingWebhookConfiguration": webhooks,
};

function typeOf(value: unknown): Type | undefined {
  if (!isRecord(value)) return undefined;
  return types[`${String(value.apiVersion)} ${String(value.kind)}`];
}

/** Not there at all: other than null (written) and undefined (an empty value). */
const absent = Symbol("absent");

const isNothing = (value: unknown): boolean => value === absent || value === null || value === undefined;

function walk(merge: Merge, target: unknown, patch: unknown, known: Type | undefined): unknown {
  const sample = isNothing(target) ? patch : target;
  const type = known ?? typeOf(target) ?? typeOf(patch);
  if (!isNothing(target) && !isNothing(patch) && shapeOf(target) !== shapeOf(patch)) {
    merge.problems.push(`a patch of a ${shapeOf(target)} with a ${shapeOf(patch)}`);
    return absent;
  }
  // A list that merges is handled by its parent map, which knows the key.
  if (Array.isArray(sample) || (!isNothing(sample) && !isRecord(sample))) return patch === absent ? target : patch;
  return walkMap(merge, target, patch, type);
}

function shapeOf(value: unknown): "map" | "list" | "scalar" {
  if (Array.isArray(value)) return "list";
  return isRecord(value) ? "map" : "scalar";
}

function walkMap(merge: Merge, target: unknown, patch: unknown, type: Type | undefined): unknown {
  if (isNothing(target) && !isRecord(patch)) return target === null && patch === absent ? null : absent;
  if (!isNothing(target) && patch !== absent && isNothing(patch)) return absent;
  const directive = isRecord(patch) ? directiveOf(merge, patch) : "merge";
  if (directive === "delete") return absent;
  const source = isRecord(patch) ? withoutDirective(merge, patch) : {};
  const base = directive === "replace" || !isRecord(target) ? source : target;
  const result: Draft = {};
  for (const key of new Set([...Object.keys(base), ...Object.keys(source)])) {
    const before = Object.hasOwn(base, key) ? base[key] : absent;
    const after = Object.hasOwn(source, key) ? source[key] : absent;
    const value = walkField(merge, key, { before, after }, type);
    // Of nulls, only one that was written out survives, where the patch says nothing.
    const isKeptNull = value === null && before === null && after === absent;
    if (isKeptNull || !isNothing(value)) result[key] = value;
  }
  return result;
}

function directiveOf(merge: Merge, patch: Draft): "delete" | "replace" | "merge" {
  const directive = patch.$patch ?? "merge";
  if (directive === "delete" || directive === "replace" || directive === "merge") return directive;
  merge.problems.push(`the unknown directive $patch: ${String(directive)}`);
  return "merge";
}

/** Directives of Kubernetes that Kustomize would take for fields are refused. */
function withoutDirective(merge: Merge, patch: Draft): Draft {
  const { $patch: _directive, ...fields } = patch;
  const stranger = Object.keys(fields).find((key) => key.startsWith("$"));
  if (stranger !== undefined) merge.problems.push(`the directive ${stranger}`);
  return fields;
}

function walkField(
  merge: Merge,
  key: string,
  { before, after }: { before: unknown; after: unknown },
  type: Type | undefined,
): unknown {
  const list = type?.lists?.[key];
  const isList = Array.isArray(isNothing(before) ? after : before);
  if (list === undefined || !isList) return walk(merge, before, after, type?.fields?.[key]);
  if (!isNothing(before) && !isNothing(after) && !Array.isArray(after)) {
    merge.problems.push(`a patch of the list ${key} with something else`);
    return absent;
  }
  if (after !== absent && isNothing(after)) return absent;
  const patch = Array.isArray(after) ? after : undefined;
  const target = Array.isArray(before) ? before : undefined;
  return walkList(merge, key, { target, patch }, list);
}

function walkList(
  merge: Merge,
  name: string,
  { target, patch }: { target: unknown[] | undefined; patch: unknown[] | undefined },
  list: { readonly keys: readonly string[]; readonly item?: Type },
): unknown {
  const isDirective = (item: unknown) => isRecord(item) && Object.keys(item).length === 1 && "$patch" in item;
  const directives = (patch ?? []).filter(isDirective).map((item) => directiveOf(merge, item as Draft));
  if (directives.length > 1) merge.problems.push(`two directives in the list ${name}`);
  if (directives.length > 0 && target === undefined) merge.problems.push(`a directive for ${name}, which is not there`);
  if (directives[0] === "delete") return absent;
  const wanted = patch?.filter((item) => !isDirective(item));
  const base = target === undefined || directives[0] === "replace" ? wanted : target;
  if (base === undefined) return absent;
  if (list.keys.length === 0) return walkTexts(merge, name, base, wanted);
  return walkItems(merge, name, { base, wanted: wanted ?? [] }, list);
}

/**
 * Items of the patch come first, as Kustomize puts them; where items have two keys, only the new ones do.
 */
function walkItems(
  merge: Merge,
  name: string,
  { base, wanted }: { base: readonly unknown[]; wanted: readonly unknown[] },
  list: { readonly keys: readonly string[]; readonly item?: Type },
): unknown {
  const keyOf = mergeKey(merge, name, list.keys, [base, wanted]);
  if (keyOf === undefined) return absent;
  const baseByKey = new Map(base.map((item) => [keyOf(item), item]));
  const wantedByKey = new Map(wanted.map((item) => [keyOf(item), item]));
  const result: unknown[] = [];
  const second = list.keys[1];
  const hasSecond = (item: unknown) => second !== undefined && isRecord(item) && !isNothing(item[second] ?? null);
  const isPaired = [...base, ...wanted].some(hasSecond);
  // Kustomize then fails to find the item that the patch deletes.
  const isMixed = isPaired && ![...base, ...wanted].every(hasSecond);
  if (isMixed && wanted.some((item) => isRecord(item) && "$patch" in item)) {
    merge.problems.push(`a deletion in ${name}, where only some items have a ${second}`);
  }
  const first = [...wantedByKey.keys()].filter((key) => !isPaired || !baseByKey.has(key));
  for (const key of new Set([...first, ...baseByKey.keys()])) {
    const change = wantedByKey.get(key) ?? absent;
    if (isRecord(change) && change.$patch === "replace") merge.problems.push(`$patch: replace in an item of ${name}`);
    const value = walk(merge, baseByKey.get(key) ?? absent, change, list.item);
    if (isRecord(value) && Object.keys(value).length > 0) result.push(value);
  }
  return result;
}

function walkTexts(merge: Merge, name: string, base: unknown[], wanted: unknown[] | undefined): unknown {
  if (wanted !== undefined && wanted !== base) merge.problems.push(`a patch of ${name}`);
  return base;
}

type KeyOf = (item: unknown) => string;

/** How items are told apart; undefined (with a problem) where Kustomize's own answer depends on chance or bugs. */
function mergeKey(
  merge: Merge,
  name: string,
  keys: readonly string[],
  lists: readonly (readonly unknown[])[],
): KeyOf | undefined {
  const [first = "", second] = keys;
  const items = lists.flat();
  const has = (item: unknown, key: string) =>
    isRecord(item) && ["string", "number"].includes(typeof item[key]) && item[key] !== "";
  if (!items.every((item) => has(item, first))) {
    merge.problems.push(`an item of ${name} without ${first}`);
    return undefined;
  }
  const valueOf = (item: unknown, key: string) => (isRecord(item) ? String(item[key]) : "");
  const single: KeyOf = (item) => valueOf(item, first);
  if (areUnique(lists, single) && (second === undefined || agreesOn(items, single, second))) return single;
  if (second === undefined && isShadowedOnly(lists, single)) return single;
  const pair: KeyOf = (item) => JSON.stringify([valueOf(item, first), valueOf(item, second ?? "")]);
  if (second !== undefined && items.every((item) => has(item, second)) && areUnique(lists, pair)) return pair;
  merge.problems.push(`items of ${name} that cannot be told apart`);
  return undefined;
}

/** Twice in the base, and the patch is silent about it: the last one stands where the first one stood. */
function isShadowedOnly([base = [], wanted = []]: readonly (readonly unknown[])[], keyOf: KeyOf): boolean {
  const keys = base.map(keyOf);
  const twice = new Set(keys.filter((key, index) => keys.indexOf(key) !== index));
  return areUnique([wanted], keyOf) && !wanted.some((item) => twice.has(keyOf(item)));
}

function areUnique(lists: readonly (readonly unknown[])[], keyOf: KeyOf): boolean {
  return lists.every((list) => new Set(list.map(keyOf)).size === list.length);
}

/** Items with the same first key must say the same, or all say nothing, about the second. */
function agreesOn(items: readonly unknown[], keyOf: KeyOf, second: string): boolean {
  const values = new Map<string, unknown>();
  return items.every((item) => {
    const value = isRecord(item) ? (item[second] ?? null) : null;
    const key = keyOf(item);
    if (values.has(key)) return values.get(key) === value;
    values.set(key, value);
    return true;
  });
}
