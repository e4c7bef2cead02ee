import { refused, type Refusal, whereIs } from "../repository/refusal.ts";
import type { Resource } from "../repository/resource.ts";
import { kubernetesScalar } from "../yaml/scalar.ts";
import { overridesOf } from "../arrival/way/overrides.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { at, entriesOf, type Node } from "../yaml/source.ts";

/** Why a change in Git would not reach the cluster, or would be overwritten by an image updater. */
export function notApplied(entryBuild: EntryBuild, resource: Resource): Refusal | undefined {
  const suspend = at(entryBuild.deployer?.node, ["spec", "suspend"]);
  if (suspend?.kind === "scalar" && kubernetesScalar(suspend) === true) return off(suspend, "suspends this entry");
  const skip = at(entryBuild.deployer?.node, ["metadata", "annotations", "argocd.argoproj.io/skip-reconcile"]);
  if (skip?.kind === "scalar" && skip.text === "true") return off(skip, "tells Argo CD to skip this application");
  const alone = leftAlone(resource);
  if (alone) return alone;
  return entryBuild.question.change.kind === "image-tag" ? updatedByProgram(entryBuild, resource) : undefined;
}

/** Labels and annotations that keep a controller from changing the object. */
function leftAlone(resource: Resource): Refusal | undefined {
  for (const field of ["annotations", "labels"]) {
    const reconcile = at(resource.node, ["metadata", field, "kustomize.toolkit.fluxcd.io/reconcile"]);
    if (reconcile?.kind === "scalar" && reconcile.text === "disabled")
      return off(reconcile, "tells Flux to leave the object alone");
    const apply = at(resource.node, ["metadata", field, "kustomize.toolkit.fluxcd.io/ssa"]);
    if (apply?.kind === "scalar" && /^(?:ignore|ifnotpresent)$/i.test(apply.text))
      return off(apply, "tells Flux not to update the object");
    for (const paused of ["autoscaling.keda.sh/paused", "autoscaling.keda.sh/paused-replicas"]) {
      const pause = at(resource.node, ["metadata", field, paused]);
      if (pause?.kind === "scalar" && pause.text !== "false") return off(pause, "pauses KEDA");
    }
  }
  return undefined;
}

function off(node: Node, what: string): Refusal {
  return refused(
    "deliberately-disabled",
    `${whereIs(node)} ${what}: the change would not be applied`,
    "Ask its owners to switch it on again first.",
  );
}

/** Image updaters that are told by annotations or leave a file of their own. */
function updatedByProgram(entryBuild: EntryBuild, resource: Resource): Refusal | undefined {
  const [written] = overridesOf(entryBuild).filter((file) => saysImages(entryBuild, file));
  if (written !== undefined) return automated(written, "is where Argo CD Image Updater writes its images");
  for (const node of [resource.node, entryBuild.deployer?.node]) {
    const annotations = at(node, ["metadata", "annotations"]);
    if (annotations?.kind !== "map") continue;
    for (const [name, entry] of entriesOf(annotations)) {
      if (/^(?:argocd-image-updater\.argoproj\.io\/image-list|keel\.sh\/policy|fluxcd\.io\/automated)$/.test(name)) {
        return automated(whereIs(entry.key), `lets a program choose the image (${name})`);
      }
    }
  }
  return undefined;
}

function saysImages({ reader }: EntryBuild, file: string): boolean {
  const source = reader.file(file);
  return source?.ok === true && /image|tag|digest/i.test(source.file.text);
}

function automated(where: string, what: string): Refusal {
  return refused("image-automation", `${where} ${what}`, "Change the updater's policy, or suspend it.");
}
