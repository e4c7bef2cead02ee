import type { WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import { specsOf } from "../gitops/sets/sources.ts";
import { nameOf, type Resource } from "../repository/resource.ts";
import { type FieldQuestion, type EntryBuild, substituted, textIn } from "./entry-build.ts";
import { itemsAt, type Node, textAt } from "../yaml/source.ts";

/** The name of an object after Flux's substitution. */
export const liveName = (entryBuild: EntryBuild, resource: Resource): string =>
  substituted(nameOf(resource), entryBuild);

/** The objects of the entry with a kind and a live name. */
export function named(entryBuild: EntryBuild, kind: string, name: string): Resource[] {
  return entryBuild.resources.filter(
    (one) => one.kind === kind && liveName(entryBuild, one) === name && inNamespace(entryBuild, one),
  );
}

/** True unless the object certainly lives in another namespace than the workload. */
export function inNamespace(entryBuild: EntryBuild, resource: Resource): boolean {
  const namespace = resource.namespace === undefined ? undefined : substituted(resource.namespace, entryBuild);
  return namespace === undefined || namespace.includes("${") || namespace === entryBuild.question.workload.namespace;
}

/**
 * Whether a name that another object of the entry refers to is that of this one: Kustomize follows a rename (`namePrefix`,
 * `nameSuffix`) in some of its references and leaves others as they are written, so every name it had counts.
 */
export function isCalled(
  entryBuild: EntryBuild,
  { kind, name }: { readonly kind: string; readonly name: string },
  reference: string | undefined,
): boolean {
  if (reference === undefined) return false;
  return reference === name || named(entryBuild, kind, name).some(({ names }) => names.includes(reference));
}

/** An autoscaler of the entry that points at the workload. */
export function scalersOf(
  entryBuild: EntryBuild,
  kind: string,
  workload: { readonly kind: string; readonly name: string },
): Resource[] {
  return entryBuild.resources.filter((one) => {
    if (one.kind !== kind || one.deletedBy || !inNamespace(entryBuild, one)) return false;
    const [targetKind, targetName] = [
      textIn(entryBuild, one.node, ["spec", "scaleTargetRef", "kind"]),
      textIn(entryBuild, one.node, ["spec", "scaleTargetRef", "name"]),
    ];
    return (targetKind ?? "Deployment") === workload.kind && isCalled(entryBuild, workload, targetName);
  });
}

/** `replicas` belongs to an autoscaler as soon as there is one: Git's number would be undone. */
export function scaledByAnother(entryBuild: EntryBuild): Refusal | undefined {
  const { workload } = entryBuild.question;
  const scaled = scalersOf(entryBuild, "ScaledObject", workload)[0];
  if (scaled || isKeda(workload.scaledBy)) {
    const where = scaled
      ? whereIs(scaled.origin)
      : `the cluster shows ${workload.scaledBy?.kind} ${workload.scaledBy?.name}`;
    return refused(
      "keda-managed",
      `KEDA scales ${workload.kind} ${workload.name}: ${where}`,
      "Change minReplicaCount or maxReplicaCount of the ScaledObject.",
    );
  }
  const hpa = scalersOf(entryBuild, "HorizontalPodAutoscaler", workload)[0];
  if (hpa || workload.scaledBy) {
    const where = hpa ? whereIs(hpa.origin) : `the cluster shows ${workload.scaledBy?.kind} ${workload.scaledBy?.name}`;
    return refused(
      "hpa-managed",
      `an autoscaler owns the replicas of ${workload.kind} ${workload.name}: ${where}`,
      "Change minReplicas or maxReplicas of the autoscaler.",
    );
  }
  return undefined;
}

const isKeda = (scaledBy: { readonly kind: string; readonly name: string } | undefined): boolean =>
  scaledBy !== undefined && (scaledBy.kind === "ScaledObject" || scaledBy.name.startsWith("keda-hpa-"));

/** A VPA that writes requests and limits of the workload. */
export function sizedByAnother(entryBuild: EntryBuild): Refusal | undefined {
  const { workload } = entryBuild.question;
  const vpa = entryBuild.resources.find(
    (one) =>
      one.kind === "VerticalPodAutoscaler" &&
      !one.deletedBy &&
      inNamespace(entryBuild, one) &&
      isCalled(entryBuild, workload, textIn(entryBuild, one.node, ["spec", "targetRef", "name"])) &&
      textAt(one.node, ["spec", "updatePolicy", "updateMode"]) !== "Off" &&
      controls(one.node, entryBuild.question),
  );
  if (!vpa) return undefined;
  return refused(
    "operator-owned",
    `a VerticalPodAutoscaler sizes ${workload.name}: ${whereIs(vpa.origin)}`,
    "Change the VPA's minAllowed or maxAllowed.",
  );
}

/** Whether a VPA writes this field of this container: its policies may leave limits, a resource or a container alone. */
function controls(vpa: Node, { workload, change }: FieldQuestion): boolean {
  if (change.kind !== "resources") return true;
  const policies = itemsAt(vpa, ["spec", "resourcePolicy", "containerPolicies"]);
  const named = (name: string | undefined) =>
    name === undefined ? undefined : policies.find((one) => textAt(one, ["containerName"]) === name);
  // Without a container's name in the question, the only policy there is speaks for it.
  const policy =
    named(workload.container) ?? named("*") ?? (workload.container === undefined ? policies[0] : undefined);
  const [list, resource] = change.field.split(".");
  const controlled = itemsAt(policy, ["controlledResources"]).map((one) => textAt(one, []));
  if (textAt(policy, ["mode"]) === "Off") return false;
  if (controlled.length > 0 && !controlled.includes(resource)) return false;
  return !(list === "limits" && textAt(policy, ["controlledValues"]) === "RequestsOnly");
}

/** The autoscaler whose bounds are asked for. */
export function askedScaler(
  entryBuild: EntryBuild,
  change: Extract<WantedChange, { kind: "hpa" | "scaled-object" }>,
): Resource | Refusal | undefined {
  const { workload } = entryBuild.question;
  const kind = change.kind === "hpa" ? "HorizontalPodAutoscaler" : "ScaledObject";
  if (change.kind === "hpa" && isKeda(workload.scaledBy)) {
    return refused(
      "keda-managed",
      `KEDA makes the autoscaler ${workload.scaledBy?.name}`,
      "Change minReplicaCount or maxReplicaCount of the ScaledObject.",
    );
  }
  const byName = workload.scaledBy ? named(entryBuild, kind, workload.scaledBy.name) : [];
  const byCanary = byName.length > 0 ? [] : canaryScalers(entryBuild, kind);
  const candidates = [byName, byCanary, scalersOf(entryBuild, kind, workload)].find((some) => some.length > 0) ?? [];
  if (candidates.length > 1) {
    const places = candidates
      .slice(0, 5)
      .map((one) => whereIs(one.origin))
      .join(", ");
    return refused(
      "ambiguous",
      `several ${kind} objects fit ${workload.name}: ${places}`,
      "Say which of them the cluster runs.",
    );
  }
  const [found] = candidates;
  if (found && change.kind === "hpa" && isOwnedByScaledObject(entryBuild, found)) {
    return refused("keda-managed", `a ScaledObject also targets ${workload.name}`, "Change the ScaledObject.");
  }
  return found;
}

const isOwnedByScaledObject = (entryBuild: EntryBuild, _hpa: Resource): boolean =>
  scalersOf(entryBuild, "ScaledObject", entryBuild.question.workload).length > 0;

/** Flagger clones what a Canary refers to as `<name>-primary`: the original is what Git owns. */
function canaryScalers(entryBuild: EntryBuild, kind: string): Resource[] {
  const canary = canaryOf(entryBuild);
  const name = canary && textIn(entryBuild, canary.node, ["spec", "autoscalerRef", "name"]);
  if (!canary || name === undefined || textAt(canary.node, ["spec", "autoscalerRef", "kind"]) !== kind) return [];
  return named(entryBuild, kind, name);
}

export function canaryOf(entryBuild: EntryBuild): Resource | undefined {
  const owner = entryBuild.question.workload.ownerReferences?.find((one) => one.kind === "Canary");
  return owner ? named(entryBuild, "Canary", owner.name)[0] : undefined;
}

/** Argo CD told to ignore a field: what Git says about it is never applied. */
export function ignoredByArgo(
  entryBuild: EntryBuild,
  resource: Pick<Resource, "kind" | "names">,
  path: readonly (string | number)[],
): Refusal | undefined {
  if (entryBuild.deployer?.kind !== "Application" && entryBuild.deployer?.kind !== "ApplicationSet") return undefined;
  const pointer = `/${path.join("/")}`;
  for (const item of specsOf(entryBuild.deployer).flatMap((spec) => itemsAt(spec, ["ignoreDifferences"]))) {
    const [kind, name] = [textAt(item, ["kind"]), textAt(item, ["name"])];
    if (
      (kind !== undefined && kind !== resource.kind && kind !== "*") ||
      (name !== undefined && name !== resource.names.at(-1))
    )
      continue;
    const managers = pathsIn(item, "managedFieldsManagers").filter((one) => mayWrite(one, path));
    const texts = [
      ...pathsIn(item, "jsonPointers"),
      ...pathsIn(item, "jqPathExpressions").map((jq) => jq.replaceAll(".", "/").replaceAll(/\[.*?\]/g, "")),
    ];
    if (
      managers.length === 0 &&
      !texts.some(
        (text) =>
          pointer === text || pointer.replaceAll(/\/\d+/g, "").startsWith(text) || pointer.startsWith(`${text}/`),
      )
    )
      continue;
    const because = `${whereIs(item)} tells Argo CD to ignore ${pointer}`;
    return refused(
      "operator-owned",
      because,
      "Find what writes the field on the cluster, or remove it from ignoreDifferences.",
    );
  }
  return undefined;
}

/** Which fields a manager has only the cluster knows; Kubernetes itself writes no pods' template, only counts and states. */
const mayWrite = (manager: string, path: readonly (string | number)[]): boolean =>
  manager !== "kube-controller-manager" || path.slice(0, 2).join(".") !== "spec.template";

const pathsIn = (item: Node, key: string): string[] =>
  itemsAt(item, [key])
    .map((one) => textAt(one, []) ?? "")
    .filter((text) => text.length > 1);
