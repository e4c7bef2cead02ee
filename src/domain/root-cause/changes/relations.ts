import { isRecord, type RenderedObject } from "../../kubernetes/rendered.ts";
import type { Workload } from "../../kubernetes/workload.ts";
import { identityOf } from "./object-fields.ts";

/**
 * How an object bears on a workload. `self`: it is the workload; `uses`: the workload cannot do without it, or it
 * selects or names it; `calls`: a service that the workload names, and what stands behind it; `namespace`: it holds for
 * everything in the namespace or the cluster; `other`: it stands in the same entry.
 */
export const relations = ["self", "uses", "calls", "namespace", "other"] as const;

export type Relation = (typeof relations)[number];

/** Every object of one rendering by how it bears on the workload. */
export function relationsTo(workload: Workload, objects: readonly RenderedObject[]): ReadonlyMap<string, Relation> {
  const here = objects.filter(({ metadata }) => isIn(metadata.namespace, workload.namespace));
  const related = new Map<string, Relation>(here.map((object) => [identityOf(object), "other"]));
  const note = (found: readonly RenderedObject[], as: Relation) => {
    for (const object of found) related.set(identityOf(object), as);
  };
  note(objects.filter(isForAll), "namespace");
  const self = here.find(({ kind, metadata }) => kind === workload.kind && metadata.name === workload.name);
  const start = self ?? ({ ...nobody, metadata: { name: workload.name } } as RenderedObject);
  const own = closureOf(start, here);
  note(
    calledFrom([start, ...own], here).filter((object) => object !== self),
    "calls",
  );
  note(own, "uses");
  if (self !== undefined) related.set(identityOf(self), "self");
  return related;
}

const nobody = { apiVersion: "v1", kind: "None" };

function isIn(namespace: string | undefined, wanted: string): boolean {
  // Manifests without a namespace get that of their controller; objects of the cluster have none at all.
  return namespace === undefined || namespace === "" || namespace === wanted;
}

const forAll = /^(?:ResourceQuota|LimitRange|Namespace)$|(?:WebhookConfiguration|AdmissionPolicy(?:Binding)?)$/;

/** Holds for the whole namespace or cluster: bounds, admission, and policies that select everything. */
function isForAll(object: RenderedObject): boolean {
  if (forAll.test(object.kind)) return true;
  if (!/(?:Policy|Authentication)$/.test(object.kind)) return false;
  const spec = isRecord(object.spec) ? object.spec : {};
  const selector = spec.podSelector ?? spec.selector ?? spec.endpointSelector;
  const inner = isRecord(selector) && isRecord(selector.matchLabels) ? selector.matchLabels : selector;
  const targets = spec.targetRef ?? spec.targetRefs;
  return targets === undefined && (inner === undefined || (isRecord(inner) && Object.keys(inner).length === 0));
}

/** What the workload stands on and what points at it, in three steps: a Role is reached through its binding. */
function closureOf(self: RenderedObject, here: readonly RenderedObject[]): readonly RenderedObject[] {
  const labels = podLabelsOf(self);
  const found = new Set<RenderedObject>();
  const names = new Set([self.metadata.name]);
  let seeds = [self];
  for (let round = 0; round < 3; round += 1) {
    const texts = new Set(seeds.flatMap(textsIn));
    const fits = (object: RenderedObject) =>
      (usable.test(object.kind) && texts.has(object.metadata.name)) ||
      selects(object, labels) ||
      namesIt(object, names);
    seeds = here.filter((object) => !found.has(object) && object !== self && !isWorkload(object) && fits(object));
    for (const object of seeds) {
      found.add(object);
      if (object.kind === "Service" || object.kind === "ServiceAccount") names.add(object.metadata.name);
    }
  }
  return [...found];
}

const usable =
  /^(?:ConfigMap|PersistentVolume(?:Claim)?|StorageClass|PriorityClass|RuntimeClass|ServiceAccount|(?:Cluster)?Role|IngressClass|Gateway|Certificate|.*Secret(?:Store)?|.*Issuer)$/;

function isWorkload(object: RenderedObject): boolean {
  return podLabelsOf(object) !== undefined;
}

type Labels = Readonly<Record<string, unknown>>;

function podLabelsOf(object: RenderedObject): Labels | undefined {
  const template = isRecord(object.spec) ? object.spec.template : undefined;
  const metadata = isRecord(template) ? template.metadata : undefined;
  return isRecord(metadata) && isRecord(metadata.labels) ? metadata.labels : undefined;
}

const selectorKeys = new Set(["selector", "podSelector", "matchLabels", "endpointSelector", "workloadSelector"]);

/** True where any selector in the object fits the pods' labels. */
function selects(value: unknown, labels: Labels | undefined, key = ""): boolean {
  if (labels === undefined) return false;
  if (Array.isArray(value)) return value.some((item) => selects(item, labels));
  if (!isRecord(value)) return false;
  const pairs = Object.entries(value);
  const fits = pairs.length > 0 && pairs.every(([name, wanted]) => labels[name] === wanted);
  if (selectorKeys.has(key) && fits) return true;
  return pairs.some(([name, inner]) => selects(inner, labels, name));
}

const refers = /^(?:name|serviceName|service|host|hosts|backend|target|server|workload|deployment)$/i;

/** True where the object names one of these in a field that refers to others. */
function namesIt(value: unknown, names: ReadonlySet<string>, key = ""): boolean {
  if (typeof value === "string") return refers.test(key) && names.has(value.split(".")[0] ?? value);
  if (Array.isArray(value)) return value.some((item) => namesIt(item, names, key));
  if (!isRecord(value)) return false;
  return Object.entries(value).some(([name, inner]) => name !== "metadata" && namesIt(inner, names, name));
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** The services whose names stand as hosts in these objects, and all that belongs to what is behind them. */
function calledFrom(from: readonly RenderedObject[], here: readonly RenderedObject[]): readonly RenderedObject[] {
  const texts = from.flatMap((object) => textsIn(object.kind === "ConfigMap" ? object.data : object.spec));
  const services = here.filter(({ kind, metadata }) => kind === "Service" && texts.some(isHost(metadata.name)));
  const isBehind = (object: RenderedObject) =>
    isWorkload(object) &&
    services.some(({ spec }) => selects({ selector: isRecord(spec) ? spec.selector : {} }, podLabelsOf(object)));
  const behind = here.filter(isBehind);
  return [...new Set([...services, ...behind, ...behind.flatMap((workload) => closureOf(workload, here))])];
}

/** `http://name`, `name:80`, `name.namespace.svc:80`: a name alone may mean anything. */
function isHost(name: string): (text: string) => boolean {
  const escaped = name.replaceAll(".", "\\.");
  const host = new RegExp(
    `(?:^|[/@,;=\\s"'])${escaped}(?:\\.[a-z0-9.-]+)?:\\d+(?:$|[/,;\\s"'])|//${escaped}(?:[.:/]|$)`,
  );
  return (text) => host.test(text);
}
