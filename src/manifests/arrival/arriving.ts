import { isRecord, type RenderedObject, valueAt } from "../../domain/kubernetes/rendered.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import { podSpecPath } from "../repository/resource.ts";
import { refusedByApi } from "./api-refuses.ts";
import type { Arriving, Doubt } from "./doubt.ts";

/**
 * What stands against a change in the very objects that arrive, whoever wrote it there: marks by which a controller
 * leaves an object alone, rollouts that are stopped, and what the API refuses.
 */
export function heldBack(objects: readonly RenderedObject[], arriving: Arriving): Refusal | Doubt | undefined {
  return leftAlone(arriving) ?? refusedByApi(objects, arriving) ?? notRolledOut(arriving);
}

const nameOf = ({ kind, metadata }: RenderedObject): string => `${kind} ${metadata.name}`;

function off(object: RenderedObject, what: string): Refusal {
  return refused(
    "deliberately-disabled",
    `${nameOf(object)} carries ${what}: the change would not be applied`,
    "Ask its owners to take that mark away first.",
  );
}

function leftAlone({ object, tool, isOfRelease }: Arriving): Refusal | Doubt | undefined {
  if (tool === "flux" && !isOfRelease) return byFlux(object);
  const hook = textOf(object, "helm.sh/hook");
  if (isOfRelease && hook !== undefined) {
    if (!hook.includes("upgrade"))
      return off(object, `helm.sh/hook: ${hook}, so that no upgrade of the release makes it`);
    return { doubt: `${nameOf(object)} is a hook of Helm (${hook}), which is made anew at its time` };
  }
  if (tool !== "argocd") return undefined;
  const own = textOf(object, "argocd.argoproj.io/hook") ?? hook;
  if (own === undefined) return undefined;
  return own === "Skip"
    ? off(object, "argocd.argoproj.io/hook: Skip")
    : { doubt: `${nameOf(object)} is a hook (${own}), which Argo CD makes at its time and does not compare` };
}

function byFlux(object: RenderedObject): Refusal | undefined {
  for (const field of ["annotations", "labels"] as const) {
    const reconcile = textOf(object, "kustomize.toolkit.fluxcd.io/reconcile", field);
    if (reconcile === "disabled") return off(object, "kustomize.toolkit.fluxcd.io/reconcile: disabled");
    const apply = textOf(object, "kustomize.toolkit.fluxcd.io/ssa", field) ?? "";
    if (/^(?:ignore|ifnotpresent)$/i.test(apply)) return off(object, `kustomize.toolkit.fluxcd.io/ssa: ${apply}`);
  }
  return undefined;
}

function textOf(object: RenderedObject, key: string, field: "annotations" | "labels" = "annotations") {
  const texts = object.metadata[field];
  const text = isRecord(texts) ? texts[key] : undefined;
  return typeof text === "string" ? text : undefined;
}

/** New pods would not come by themselves: the object changes, and what runs does not. */
function notRolledOut({ object, change }: Arriving): Doubt | undefined {
  if (change.kind !== "image-tag" && change.kind !== "resources") return undefined;
  if (podSpecPath(object.kind) === undefined) return undefined;
  const name = nameOf(object);
  if (valueAt(object, ["spec", "paused"]) === true) return { doubt: `${name} is paused: its pods stay as they are` };
  if (valueAt(object, ["spec", "updateStrategy", "type"]) === "OnDelete")
    return { doubt: `${name} has the strategy OnDelete: its pods stay as they are until somebody deletes them` };
  const partition = valueAt(object, ["spec", "updateStrategy", "rollingUpdate", "partition"]);
  if (typeof partition !== "number" || partition <= 0) return undefined;
  return { doubt: `${name} has the partition ${partition}: its pods below that stay as they are` };
}
