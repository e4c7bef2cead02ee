import type { Entry, WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord, type RenderedObject, valueAt } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";
import { controllerObjectOf, namespaceOf } from "../gitops/controllers.ts";
import type { FieldQuestion } from "../trace/entry-build.ts";
import { crossedQuantity, parseQuantity } from "../../domain/kubernetes/quantity.ts";
import { podSpecPath } from "../repository/resource.ts";

/** The kinds that Rectify changes. */
const kinds: readonly string[] = ["Deployment", "StatefulSet", "DaemonSet", "Rollout"];

/** A question that a rendered workload asks by itself, as a cluster that runs it would. */
export interface SurveyQuestion extends FieldQuestion {
  /** The field in people's words: `replicas`, `web limits.memory`. */
  readonly field: string;
}

/**
 * Everything that may be asked about the workloads among objects of an entry: counts or bounds, resources and tags.
 * Objects that name no namespace are in `outside`.
 */
export function surveyQuestions(
  tree: Tree,
  entry: Entry,
  objects: readonly RenderedObject[],
  outside = namespaceOf(tree, entry),
): SurveyQuestion[] {
  const asked = asInCluster(tree, entry);
  return objects
    .filter((object) => kinds.includes(object.kind))
    .flatMap((object) => {
      const workload = {
        kind: object.kind,
        namespace: object.metadata.namespace ?? outside,
        name: object.metadata.name,
      };
      return [...countsOf(asked, workload, object, objects), ...containersOf(asked, workload, object)];
    });
}

/** What a set makes stands in no file: the cluster would show it, and so do the set's own lists and directories. */
export function asInCluster(tree: Tree, entry: Entry): Entry {
  const made = controllerObjectOf(tree, entry);
  const isKnown = made?.set !== undefined && made.several !== true && !JSON.stringify(made.spec).includes("{{");
  return isKnown && entry.spec === undefined ? { ...entry, spec: made.spec } : entry;
}

function countsOf(
  entry: Entry,
  workload: LiveWorkload,
  object: RenderedObject,
  objects: readonly RenderedObject[],
): SurveyQuestion[] {
  if (object.kind === "DaemonSet") return [];
  const scaler = objects.find((one) => isScalerOf(one, object));
  if (!scaler) {
    const now = recordIn(object, ["spec"]).replicas;
    const replicas = typeof now === "number" ? now : 1;
    const change: WantedChange = { kind: "replicas", to: replicas + 1 };
    return [{ entry, workload: { ...workload, replicas }, change, field: "replicas" }];
  }
  return boundsOf(scaler).map((change) => ({ entry, workload, change, field: change.field }));
}

type Bound = Extract<WantedChange, { kind: "hpa" | "scaled-object" }>;

/** The upper bound one higher, and the lower one where it may move without crossing it. */
function boundsOf(scaler: RenderedObject): Bound[] {
  const { minReplicas, maxReplicas, minReplicaCount, maxReplicaCount } = recordIn(scaler, ["spec"]);
  if (scaler.kind === "ScaledObject") {
    const [low, high] = [numberOr(minReplicaCount, 0), numberOr(maxReplicaCount, 100)];
    const bounds: Bound[] = [{ kind: "scaled-object", field: "maxReplicaCount", to: high + 1 }];
    return low < high ? [...bounds, { kind: "scaled-object", field: "minReplicaCount", to: low + 1 }] : bounds;
  }
  const [low, high] = [numberOr(minReplicas, 1), numberOr(maxReplicas, 100)];
  const bounds: Bound[] = [{ kind: "hpa", field: "maxReplicas", to: high + 1 }];
  return low < high ? [...bounds, { kind: "hpa", field: "minReplicas", to: low + 1 }] : bounds;
}

const numberOr = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);

function isScalerOf(scaler: RenderedObject, { kind, metadata }: RenderedObject): boolean {
  if (scaler.kind !== "HorizontalPodAutoscaler" && scaler.kind !== "ScaledObject") return false;
  const target = recordIn(scaler, ["spec", "scaleTargetRef"]);
  const sameNamespace = (scaler.metadata.namespace ?? "") === (metadata.namespace ?? "");
  return target.name === metadata.name && (target.kind ?? "Deployment") === kind && sameNamespace;
}

function containersOf(entry: Entry, workload: LiveWorkload, object: RenderedObject): SurveyQuestion[] {
  const pod = recordIn(object, podSpecPath(object.kind) ?? []);
  const containers = (Array.isArray(pod.containers) ? pod.containers : []).filter(isRecord);
  return containers.slice(0, 10).flatMap(({ name, resources }) => {
    if (typeof name !== "string") return [];
    const asked = { entry, workload: { ...workload, container: name } };
    const sizes = (["requests.cpu", "limits.cpu", "requests.memory", "limits.memory"] as const).map((field) => {
      const [side = "", what = ""] = field.split(".");
      const other = recordIn(resources, [side === "limits" ? "requests" : "limits"])[what];
      const to = askedQuantity(field, { now: recordIn(resources, [side])[what], other });
      return [field, { kind: "resources", field, to }] as const;
    });
    const changes: readonly (readonly [string, WantedChange])[] = [
      ...sizes,
      ["image tag", { kind: "image-tag", to: "0.0.0-survey" }],
    ];
    return changes.map(([field, change]) => ({ ...asked, change, field: `${name} ${field}` }));
  });
}

/**
 * A quantity to ask for: none that crosses the one of the other side, which would be refused, and not the one that is
 * there.
 */
export function askedQuantity(
  field: string,
  { now, other }: { readonly now: unknown; readonly other: unknown },
): string {
  const isCpu = field.endsWith(".cpu");
  const bound = parseQuantity(other) ?? 0;
  const ofBound = (factor: number) => Math.max(1, Math.floor(bound * factor * (isCpu ? 1000 : 1 / 1024)));
  const factors = field.startsWith("requests.") ? [1 / 2, 1 / 4] : [2, 3];
  const wanted = [
    ...(isCpu ? ["333m", "444m"] : ["777Mi", "888Mi"]),
    ...factors.map((factor) => `${ofBound(factor)}${isCpu ? "m" : "Ki"}`),
  ];
  const isFree = (one: string) => !crossedQuantity(field, one, other) && parseQuantity(one) !== parseQuantity(now);
  return wanted.find(isFree) ?? wanted[0] ?? "";
}

function recordIn(value: unknown, path: readonly string[]): Readonly<Record<string, unknown>> {
  const found = valueAt(value, path);
  return isRecord(found) ? found : {};
}
