import type { WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord, type RenderedObject, valueAt } from "../../domain/kubernetes/rendered.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import type { Doubt } from "./doubt.ts";
import { mapsIn } from "./maps-in.ts";
import { isOpen, mayBecome } from "./open-names.ts";
import { madeBySets } from "./resource-sets.ts";

/** A workload of which something is asked: by its kind, its name and the namespace that it runs in. */
export interface OwnedQuestion {
  readonly workload: Workload & { readonly container?: string };
  readonly change: WantedChange;
  /** Where objects go that name no namespace. */
  readonly outside: string;
}

/**
 * The object that writes the field itself, so that Git's word would be undone: an autoscaler of whatever kind for the
 * count, a VerticalPodAutoscaler for sizes. Read from what is rendered, so that names and namespaces are the last ones,
 * with what Flux Operator makes of it. Where only the cluster knows whether one means the workload, a person must look.
 */
export function ownedAmong(objects: readonly RenderedObject[], asked: OwnedQuestion): Refusal | Doubt | undefined {
  const { change } = asked;
  if (change.kind !== "replicas" && change.kind !== "resources") return undefined;
  const made = madeBySets(objects);
  const all = [...objects, ...made.objects];
  const owner = all.find((one) => isOwner(one, asked, (text, wanted) => text === wanted));
  if (owner) return ownedBy(owner, asked);
  const perhaps = all.find((one) => isOwner(one, asked, fitsOpen));
  if (perhaps) return onlyThere(`${perhaps.kind} ${perhaps.metadata.name} may mean`, asked);
  const unread = made.unread.find(({ text }) => speaksOfOwner(text, asked));
  return unread && onlyThere(`ResourceSet ${unread.name} makes an autoscaler that may mean`, asked);
}

function ownedBy(owner: RenderedObject, { workload, change }: OwnedQuestion): Refusal {
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

const onlyThere = (what: string, { workload }: OwnedQuestion): Doubt => ({
  doubt: `${what} ${workload.kind} ${workload.name}, which only the cluster knows`,
});

type Fits = (text: string, wanted: string) => boolean;

const fitsOpen: Fits = (text, wanted) => text === wanted || (isOpen(text) && mayBecome(text, wanted));

function isOwner(object: RenderedObject, { workload, change, outside }: OwnedQuestion, fits: Fits): boolean {
  const { kind } = object;
  if (kind !== "ScaledObject" && !kind.endsWith("Autoscaler")) return false;
  if (!fits(object.metadata.namespace ?? outside, workload.namespace)) return false;
  const target = valueAt(object, ["spec", "scaleTargetRef"]) ?? valueAt(object, ["spec", "targetRef"]);
  if (!isRecord(target) || typeof target.name !== "string" || !fits(target.name, workload.name)) return false;
  if (!fits(typeof target.kind === "string" ? target.kind : "Deployment", workload.kind)) return false;
  if (kind === "VerticalPodAutoscaler") return change.kind === "resources" && isSizing(object, workload, change.field);
  // Datadog's sizes, too, unless it is told to show only what it would do.
  if (kind === "DatadogPodAutoscaler") return valueAt(object, ["spec", "applyPolicy", "mode"]) !== "Preview";
  return change.kind === "replicas";
}

/** Whether a template that is not followed makes an autoscaler that may be that of the workload. */
function speaksOfOwner(text: string, { workload, change }: OwnedQuestion): boolean {
  const kinds =
    change.kind === "resources" ? /\b(?:VerticalPod|DatadogPod)Autoscaler\b/ : /Autoscaler\b|\bScaledObject\b/;
  const names = [...text.matchAll(/\bname["']?:\s*["']?([^\s"',}]+(?:\s[^\n"'}]*?>>[^\s"',}]*)?)/g)];
  return kinds.test(text) && names.some(([, name = ""]) => fitsOpen(name, workload.name));
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
