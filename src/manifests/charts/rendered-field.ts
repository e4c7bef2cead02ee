import type { WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord, type RenderedObject, valueAt } from "../../domain/kubernetes/rendered.ts";
import { crossedBound, crossedQuantity, otherBoundOf, otherSideOf } from "../../domain/kubernetes/quantity.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import { ownedAmong } from "../arrival/owned.ts";
import { podSpecPath } from "../repository/resource.ts";

/** The wanted field in a rendering. */
export interface RenderedField {
  readonly object: RenderedObject;
  readonly path: readonly (string | number)[];
  /** What stands there now; undefined when nothing does. */
  readonly value: unknown;
}

/** Where the pod's spec of a rendered object is. */
export function podSpecOf(object: RenderedObject): Record<string, unknown> | undefined {
  const path = podSpecPath(object.kind);
  const found = path && valueAt(object, path);
  return isRecord(found) ? found : undefined;
}

interface Asked {
  readonly workload: LiveWorkload;
  readonly change: WantedChange;
}

/** The wanted field among the objects of a release; undefined when the release does not make the workload. */
export function fieldIn(
  objects: readonly RenderedObject[],
  { workload, change }: Asked,
): RenderedField | Refusal | undefined {
  const own = objects.find(
    (one) => one.kind === workload.kind && one.metadata.name === workload.name && isNear(one, workload),
  );
  if (!own) return undefined;
  if (change.kind === "hpa" || change.kind === "scaled-object") {
    const kind = change.kind === "hpa" ? "HorizontalPodAutoscaler" : "ScaledObject";
    const [scaler, ...others] = scalersAmong(objects, kind, workload);
    if (scaler === undefined)
      return refused("not-found", `the chart makes no ${kind} for ${workload.name}`, "Switch the autoscaler on first.");
    if (others.length > 0)
      return refused(
        "ambiguous",
        `the chart makes several ${kind} objects for ${workload.name}`,
        "Say which one counts.",
      );
    return fieldOf(scaler, ["spec", change.field]);
  }
  if (change.kind === "replicas") return fieldOf(own, ["spec", "replicas"]);
  const pod = podSpecPath(own.kind);
  const containers = pod ? valueAt(own, [...pod, "containers"]) : undefined;
  const names = (Array.isArray(containers) ? containers : []).map((one) => (isRecord(one) ? one.name : undefined));
  const index = workload.container === undefined && names.length === 1 ? 0 : names.indexOf(workload.container);
  if (pod === undefined || index < 0) {
    const because = `${own.kind} ${workload.name} has the containers ${names.join(", ") || "of another object"}`;
    return refused(
      workload.container === undefined ? "ambiguous" : "not-found",
      because,
      "Say which container is meant.",
    );
  }
  const container = [...pod, "containers", index];
  return fieldOf(
    own,
    change.kind === "image-tag" ? [...container, "image"] : [...container, "resources", ...change.field.split(".")],
  );
}

const fieldOf = (object: RenderedObject, path: readonly (string | number)[]): RenderedField => ({
  object,
  path,
  value: valueAt(object, path),
});

/** Objects without a namespace go where the release goes. */
const isNear = (object: RenderedObject, workload: LiveWorkload): boolean =>
  object.metadata.namespace === undefined || object.metadata.namespace === workload.namespace;

/** The autoscalers among the objects that point at the workload. */
function scalersAmong(objects: readonly RenderedObject[], kind: string, workload: LiveWorkload): RenderedObject[] {
  return objects.filter((one) => {
    const target = valueAt(one, ["spec", "scaleTargetRef"]);
    if (one.kind !== kind || !isRecord(target) || !isNear(one, workload)) return false;
    return target.name === workload.name && (target.kind ?? "Deployment") === workload.kind;
  });
}

/** What in the rendering stands against the change, whatever the values say. */
export function obstacleIn(
  objects: readonly RenderedObject[],
  field: RenderedField,
  asked: Asked,
): Refusal | undefined {
  const { workload, change } = asked;
  switch (change.kind) {
    case "replicas":
      return unscaled(workload) ?? ownedIn(objects, asked) ?? switchedOff(field, workload);
    case "hpa":
      return scalersAmong(objects, "ScaledObject", workload).length > 0
        ? refused("keda-managed", `the chart makes a ScaledObject for ${workload.name}`, "Change KEDA's bounds.")
        : crossed(field, change);
    case "scaled-object":
      return crossed(field, change);
    case "resources":
      return ownedIn(objects, asked) ?? crossedLimit(field, change);
    case "image-tag":
      return typeof field.value === "string" && field.value.includes("@")
        ? refused("digest-pinned", `the chart pins the image ${field.value}`, "Give tag and digest together, by hand.")
        : undefined;
  }
}

const unscaled = ({ kind }: LiveWorkload): Refusal | undefined =>
  ["DaemonSet", "Job", "CronJob"].includes(kind)
    ? refused("not-found", `a ${kind} has no replicas`, "Nothing to scale here.")
    : undefined;

/** Whose word counts for the field, among the objects of the chart. */
function ownedIn(objects: readonly RenderedObject[], { workload, change }: Asked): Refusal | undefined {
  const owned = ownedAmong(objects, { workload, change, outside: workload.namespace });
  return owned && "reason" in owned ? owned : undefined;
}

/** Kubernetes refuses a request above its limit. */
function crossedLimit(
  { object, path }: RenderedField,
  { field, to }: Extract<WantedChange, { kind: "resources" }>,
): Refusal | undefined {
  const other = otherSideOf(field);
  const there = valueAt(object, [...path.slice(0, -2), ...other.split(".")]);
  if (!crossedQuantity(field, to, there)) return undefined;
  const because = `the chart makes ${String(there)} of ${other}, so ${field} cannot be ${to}`;
  return refused("ambiguous", because, "Change request and limit together, by hand.");
}

function switchedOff(field: RenderedField, workload: LiveWorkload): Refusal | undefined {
  if (field.value !== 0) return undefined;
  return refused(
    "deliberately-disabled",
    `the chart makes ${workload.name} with 0 replicas`,
    "Ask its owners before starting it.",
  );
}

function crossed(
  field: RenderedField,
  change: Extract<WantedChange, { kind: "hpa" | "scaled-object" }>,
): Refusal | undefined {
  const other = valueAt(field.object, ["spec", otherBoundOf(change.field)]);
  if (typeof other !== "number" || !crossedBound(change.field, change.to, other)) return undefined;
  return refused(
    "ambiguous",
    `the other bound is ${other}, so ${change.field} cannot be ${change.to}`,
    "Change both bounds by hand.",
  );
}
