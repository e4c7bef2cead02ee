import type { WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord, type RenderedObject, valueAt } from "../../domain/kubernetes/rendered.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import { mapsIn } from "./maps-in.ts";

/** A workload of which something is asked: by its kind, its name and the namespace that it runs in. */
export interface OwnedQuestion {
  readonly workload: Workload & { readonly container?: string };
  readonly change: WantedChange;
  /** Where objects go that name no namespace. */
  readonly outside: string;
}

/**
 * The object that writes the field itself, so that Git's word would be undone: an autoscaler of whatever kind for the
 * count, a VerticalPodAutoscaler for sizes. Read from what is rendered, so that names and namespaces are the last ones.
 */
export function ownedAmong(objects: readonly RenderedObject[], asked: OwnedQuestion): Refusal | undefined {
  const { workload, change } = asked;
  if (change.kind !== "replicas" && change.kind !== "resources") return undefined;
  const owner = objects.find((one) => isOwner(one, asked));
  if (!owner) return undefined;
  const name = `${owner.kind} ${owner.metadata.name}`;
  if (change.kind === "resources") {
    const because = `${name} sizes ${workload.kind} ${workload.name}`;
    return refused("operator-owned", because, `Change what ${name} allows at the least and at the most.`);
  }
  return owner.kind === "ScaledObject"
    ? refused(
        "keda-managed",
        `${name} scales ${workload.kind} ${workload.name}`,
        "Change its minReplicaCount or maxReplicaCount.",
      )
    : refused("hpa-managed", `${name} owns the replicas of ${workload.kind} ${workload.name}`, "Change its bounds.");
}

function isOwner(object: RenderedObject, { workload, change, outside }: OwnedQuestion): boolean {
  const { kind } = object;
  if (kind !== "ScaledObject" && !kind.endsWith("Autoscaler")) return false;
  if ((object.metadata.namespace ?? outside) !== workload.namespace) return false;
  const target = valueAt(object, ["spec", "scaleTargetRef"]) ?? valueAt(object, ["spec", "targetRef"]);
  if (!isRecord(target) || target.name !== workload.name || (target.kind ?? "Deployment") !== workload.kind)
    return false;
  if (kind === "VerticalPodAutoscaler") return change.kind === "resources" && isSizing(object, workload, change.field);
  // Datadog's sizes, too, unless it is told to show only what it would do.
  if (kind === "DatadogPodAutoscaler") return valueAt(object, ["spec", "applyPolicy", "mode"]) !== "Preview";
  return change.kind === "replicas";
}

/** Whether a VPA writes this field of this container: its policies may leave limits, a resource or a container alone. */
function isSizing(vpa: RenderedObject, { container }: OwnedQuestion["workload"], field: string): boolean {
  if (valueAt(vpa, ["spec", "updatePolicy", "updateMode"]) === "Off") return false;
  const policies = mapsIn(vpa, ["spec", "resourcePolicy", "containerPolicies"]);
  const named = (name: string | undefined) => policies.find((one) => name !== undefined && one.containerName === name);
  const policy = named(container) ?? named("*") ?? (container === undefined ? policies[0] : undefined);
  const [list, resource] = field.split(".");
  const controlled = policy?.controlledResources;
  if (policy?.mode === "Off") return false;
  if (Array.isArray(controlled) && controlled.length > 0 && !controlled.includes(resource)) return false;
  return !(list === "limits" && policy?.controlledValues === "RequestsOnly");
}
