import type { ObjectChange } from "../kubernetes/manifest-edit.ts";
import { renderReserved, requestedBy, type Scale, scaleOf } from "../kubernetes/requests.ts";
import { isRecord, objectKey, type RenderedObject } from "../kubernetes/rendered.ts";

/** The copies of rendered objects that the policies judge, with what a single object cannot show. */
interface CheckedObjects {
  readonly objects: readonly RenderedObject[];
  /** What the sums on quotas leave out, and what goes with the change, for people: then nothing is auto-merged. */
  readonly uncounted: readonly string[];
  /** Changed objects that are not among the rendered ones: no policy can judge them. */
  readonly missing: readonly string[];
}

/** What the change is beside its fields. */
interface ChangeContext {
  /** The commit that it reverts, by its full SHA. */
  readonly reverts?: string | undefined;
  /** Everything rendered without the change. */
  readonly before?: readonly RenderedObject[] | undefined;
}

const prefix = "rectify.dev/";
/** Which incident a changed object is changed for. */
export const incidentMark = `${prefix}incident-uid`;
const revertsMark = `${prefix}reverts`;
const marks = ["changes", "reverts", "selected-replicas", "reserved"].map((name) => prefix + name);

/**
 * Writes onto copies what only a comparison or a sum can show, because offline there is no old object and no cluster:
 * `rectify.dev/changes` (JSON list of path, from, to), `rectify.dev/incident-uid`, `rectify.dev/reverts` (the commit that
 * is reverted), `rectify.dev/selected-replicas` on budgets and `rectify.dev/reserved` on quotas. The same annotations in
 * Git are dropped first: nobody forges them.
 */
export function checkedObjects(
  rendered: readonly RenderedObject[],
  changes: readonly ObjectChange[],
  incident: string | undefined,
  { reverts, before = [] }: ChangeContext = {},
): CheckedObjects {
  const scales = rendered.flatMap((object) => scaleOf(object, rendered) ?? []);
  const uncounted: string[] = [];
  const objects = rendered.map((object) => {
    const own = changes.filter((change) => isOf(change, object));
    const reserved = object.kind === "ResourceQuota" ? requestedBy(object, rendered, scales) : undefined;
    uncounted.push(...(reserved?.uncounted ?? []));
    return annotated(object, {
      ...(own.length > 0 ? { [`${prefix}changes`]: JSON.stringify(own.map(asText)) } : {}),
      ...(own.length > 0 && incident !== undefined ? { [incidentMark]: incident } : {}),
      ...(own.length > 0 && reverts !== undefined ? { [revertsMark]: reverts } : {}),
      ...(object.kind === "PodDisruptionBudget" ? selectedBy(object, scales) : {}),
      ...(reserved === undefined ? {} : { [`${prefix}reserved`]: renderReserved(reserved) }),
    });
  });
  const orphans = changes.filter((change) => !rendered.some((object) => isOf(change, object)));
  // Nothing of ours takes an object away but the reversal of the commit that added it.
  const goes = (change: ObjectChange) => reverts !== undefined && before.some((object) => isOf(change, object));
  const missing = orphans.filter((change) => !goes(change)).map(nameOf);
  const gone = orphans.filter(goes).map((change) => `${nameOf(change)} goes, and no policy judges what is gone`);
  return { objects, uncounted: [...new Set([...uncounted, ...gone])], missing: [...new Set(missing)] };
}

function nameOf({ object }: ObjectChange): string {
  return `${object.apiVersion}/${object.kind} ${object.namespace}/${object.name}`;
}

/** The changed objects, and what stands beside them in their namespaces: all that a verdict needs. */
export function concernedObjects(
  rendered: readonly RenderedObject[],
  changes: readonly ObjectChange[],
): readonly RenderedObject[] {
  const changed = new Set(rendered.filter((object) => changes.some((change) => isOf(change, object))).map(objectKey));
  const namespaces = new Set(changes.map((change) => change.object.namespace));
  const beside = ["PodDisruptionBudget", "ResourceQuota", "HorizontalPodAutoscaler", "ScaledObject"];
  return rendered.filter(
    (object) =>
      changed.has(objectKey(object)) ||
      (beside.includes(object.kind) && namespaces.has(object.metadata.namespace ?? "default")),
  );
}

function isOf({ object: changed }: ObjectChange, object: RenderedObject): boolean {
  return (
    changed.apiVersion === object.apiVersion &&
    changed.kind === object.kind &&
    changed.name === object.metadata.name &&
    (changed.namespace || "default") === (object.metadata.namespace ?? "default")
  );
}

function asText({ field, from, to }: ObjectChange): { path: string; from: unknown; to: unknown } {
  return { path: field.join("."), from: from ?? null, to: to ?? null };
}

function annotated(object: RenderedObject, annotations: Readonly<Record<string, string>>): RenderedObject {
  const given = isRecord(object.metadata.annotations) ? object.metadata.annotations : {};
  const kept = Object.fromEntries(Object.entries(given).filter(([name]) => !marks.includes(name)));
  return { ...object, metadata: { ...object.metadata, annotations: { ...kept, ...annotations } } };
}

/** How many replicas a budget selects at least; nothing when it selects none of what was rendered. */
function selectedBy(budget: RenderedObject, scales: readonly Scale[]): Readonly<Record<string, string>> {
  const selector = isRecord(budget.spec) && isRecord(budget.spec.selector) ? budget.spec.selector : {};
  const labels = isRecord(selector.matchLabels) ? Object.entries(selector.matchLabels) : [];
  if (labels.length === 0 || selector.matchExpressions !== undefined) return {};
  const selected = scales.filter(
    (scale) =>
      scale.namespace === (budget.metadata.namespace ?? "default") &&
      labels.every(([name, value]) => scale.podLabels[name] === value),
  );
  if (selected.length === 0) return {};
  return { [`${prefix}selected-replicas`]: String(selected.reduce((sum, scale) => sum + scale.least, 0)) };
}
