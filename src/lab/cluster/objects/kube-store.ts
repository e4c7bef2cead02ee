import { createHash } from "node:crypto";
import type { KubeObject } from "./kube-object.ts";

interface EventNote {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

/** The objects of the simulated cluster. Its controllers change them in place and touch them. */
export interface KubeStore {
  get(kind: string, namespace: string | undefined, name: string): KubeObject | undefined;
  list(kind: string, namespace?: string): readonly KubeObject[];
  /** The object of this name, of the namespace that had one first. */
  named(kind: string, name: string): KubeObject | undefined;
  /** The objects whose first owner this is. */
  ownedBy(owner: KubeObject): readonly KubeObject[];
  put(object: KubeObject): KubeObject;
  remove(object: KubeObject): void;
  /** Records an event, or counts the one that says the same. */
  note(about: KubeObject, note: EventNote): void;
  nowIso(): string;
}

const keptEvents = 500;

export function createKubeStore(now: () => number): KubeStore {
  const byKind = new Map<string, Map<string, KubeObject>>();
  const byName = new Map<string, Map<string, KubeObject>>();
  const byOwner = new Map<string, Set<KubeObject>>();
  let version = 1000;
  const nowIso = () => new Date(now()).toISOString().replace(/\.\d+Z$/, "Z");
  const keyOf = (namespace: string | undefined, name: string) => `${namespace ?? ""}/${name}`;
  const kindOf = (kind: string) => {
    const found = byKind.get(kind) ?? new Map<string, KubeObject>();
    byKind.set(kind, found);
    return found;
  };
  const namesakes = ({ kind, metadata }: KubeObject) => {
    const key = `${kind} ${metadata.name}`;
    const found = byName.get(key) ?? new Map<string, KubeObject>();
    byName.set(key, found);
    return found;
  };
  const drop = (object: KubeObject) => {
    const { kind, metadata } = object;
    kindOf(kind).delete(keyOf(metadata.namespace, metadata.name));
    const others = namesakes(object);
    others.delete(metadata.namespace ?? "");
    if (others.size === 0) byName.delete(`${kind} ${metadata.name}`);
    byOwner.get(metadata.ownerReferences?.[0]?.uid ?? "")?.delete(object);
  };
  const put = (object: KubeObject) => {
    const { metadata } = object;
    version += 1;
    metadata.resourceVersion = String(version);
    metadata.creationTimestamp ??= nowIso();
    metadata.uid ??= uidOf(`${object.kind} ${keyOf(metadata.namespace, metadata.name)} ${version}`);
    kindOf(object.kind).set(keyOf(metadata.namespace, metadata.name), object);
    namesakes(object).set(metadata.namespace ?? "", object);
    const owner = metadata.ownerReferences?.[0]?.uid;
    if (owner !== undefined) byOwner.set(owner, (byOwner.get(owner) ?? new Set()).add(object));
    return object;
  };
  return {
    get: (kind, namespace, name) => kindOf(kind).get(keyOf(namespace, name)),
    list: (kind, namespace) => {
      const all = [...kindOf(kind).values()];
      return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
    },
    named: (kind, name) => byName.get(`${kind} ${name}`)?.values().next().value,
    put,
    ownedBy: ({ metadata }) => [...(byOwner.get(metadata.uid ?? "") ?? [])],
    remove: drop,
    note: (about, note) => {
      const events = kindOf("Event");
      const name = `${about.metadata.name}.${uidOf(`${about.metadata.uid} ${note.reason} ${note.message}`).slice(0, 16)}`;
      const known = events.get(keyOf(about.metadata.namespace, name));
      put(known ? again(known, nowIso()) : eventOf(about, note, { name, at: nowIso() }));
      const oldest = events.values().next().value;
      if (events.size > keptEvents && oldest !== undefined) drop(oldest);
    },
    nowIso,
  };
}

function again(event: KubeObject, at: string): KubeObject {
  event.count = Number(event.count ?? 1) + 1;
  event.lastTimestamp = at;
  return event;
}

function eventOf(about: KubeObject, note: EventNote, { name, at }: { name: string; at: string }): KubeObject {
  const { namespace, name: object, uid } = about.metadata;
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name, ...(namespace === undefined ? { namespace: "default" } : { namespace }) },
    involvedObject: { apiVersion: about.apiVersion, kind: about.kind, name: object, namespace, uid },
    ...{ type: note.type, reason: note.reason, message: note.message },
    ...{ firstTimestamp: at, lastTimestamp: at, count: 1 },
    source: { component: about.kind === "Pod" ? "kubelet" : "controller-manager" },
  };
}

/** A UUID that depends on the text alone, so that the same scenario has the same ids. */
function uidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}
