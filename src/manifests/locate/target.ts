import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import type { Resource } from "../repository/resource.ts";
import { canaryOf, inNamespace, isCalled, liveName, named, scalersOf } from "../trace/scalers.ts";
import { type EntryBuild, textIn } from "../trace/entry-build.ts";
import { at, textAt } from "../yaml/source.ts";

/** The object of the entry that owns the wanted field of the workload: itself, its Rollout, or what Flagger copied. */
export function targetOf(entryBuild: EntryBuild): Resource | Refusal | undefined {
  const { workload, change } = entryBuild.question;
  const found = named(entryBuild, workload.kind, workload.name);
  const written = found.filter((one) => one.supposed !== true);
  if (written.length === 0 && found.length > 0) return onlySupposed(found);
  const alive = written.filter((one) => !one.deletedBy);
  const candidates = alive.length > 0 ? alive : written;
  if (candidates.length > 1) {
    return refused(
      "ambiguous",
      `several manifests fit: ${candidates
        .slice(0, 5)
        .map((one) => whereIs(one.origin))
        .join(", ")}`,
      "Say which one the cluster runs.",
    );
  }
  const [target] = candidates;
  if (!target) return change.kind === "replicas" ? undefined : copiedByFlagger(entryBuild);
  const owner = workload.ownerReferences?.find((one) => one.kind !== "Canary" && one.kind !== "Rollout");
  if (owner)
    return refused(
      "operator-owned",
      `${owner.kind} ${owner.name} also writes ${workload.kind} ${workload.name} (${whereIs(target.origin)})`,
      `Change ${owner.kind} ${owner.name} by hand.`,
    );
  return change.kind === "replicas"
    ? (rolloutOf(entryBuild, target) ?? target)
    : (templateOf(entryBuild, target) ?? target);
}

/** A remote base holds the workload: it has an answer only when local patches write the field. */
function onlySupposed(found: readonly Resource[]): Resource | undefined {
  const patched = found.filter((one) => one.node !== one.origin);
  return patched.length === 1 ? patched[0] : undefined;
}

/** A Rollout with a workloadRef scales the Deployment it refers to down to zero and runs the pods itself. */
function rolloutOf(entryBuild: EntryBuild, target: Resource): Resource | Refusal | undefined {
  const own = { kind: target.kind, name: liveName(entryBuild, target) };
  const rollout = entryBuild.resources.find(
    (one) =>
      one.kind === "Rollout" &&
      !one.deletedBy &&
      inNamespace(entryBuild, one) &&
      textAt(one.node, ["spec", "workloadRef", "kind"]) === target.kind &&
      isCalled(entryBuild, own, textIn(entryBuild, one.node, ["spec", "workloadRef", "name"])),
  );
  if (!rollout) return undefined;
  const workload = { kind: "Rollout", name: liveName(entryBuild, rollout) };
  const keda = scalersOf(entryBuild, "ScaledObject", workload)[0];
  if (keda)
    return refused(
      "keda-managed",
      `KEDA scales Rollout ${workload.name}: ${whereIs(keda.origin)}`,
      "Change minReplicaCount or maxReplicaCount of the ScaledObject.",
    );
  const hpa = scalersOf(entryBuild, "HorizontalPodAutoscaler", workload)[0];
  if (hpa)
    return refused(
      "hpa-managed",
      `an autoscaler owns the replicas of Rollout ${workload.name}: ${whereIs(hpa.origin)}`,
      "Change minReplicas or maxReplicas of the autoscaler.",
    );
  return rollout;
}

/** The pod template of a Rollout with a workloadRef stands in the workload it refers to. */
function templateOf(entryBuild: EntryBuild, target: Resource): Resource | Refusal | undefined {
  const reference = target.kind === "Rollout" ? at(target.node, ["spec", "workloadRef"]) : undefined;
  if (!reference) return undefined;
  const [kind, name] = [textAt(reference, ["kind"]) ?? "Deployment", textIn(entryBuild, reference, ["name"]) ?? ""];
  return (
    named(entryBuild, kind, name)[0] ??
    refused(
      "not-found",
      `${whereIs(reference)} refers to ${kind} ${name}, which is not in the entry`,
      "Look for the entry that deploys it.",
    )
  );
}

function copiedByFlagger(entryBuild: EntryBuild): Resource | undefined {
  const canary = canaryOf(entryBuild);
  const name = canary && textIn(entryBuild, canary.node, ["spec", "targetRef", "name"]);
  if (!canary || name === undefined || entryBuild.question.workload.name !== `${name}-primary`) return undefined;
  return named(entryBuild, textAt(canary.node, ["spec", "targetRef", "kind"]) ?? "Deployment", name)[0];
}
