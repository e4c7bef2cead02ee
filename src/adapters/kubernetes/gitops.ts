import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";
import type { AppliedRevision } from "../../domain/kubernetes/workload-state.ts";

/** A kind of object that is not built into Kubernetes. */
export interface CustomType {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
}

/** Reads one object; undefined when it does not exist. */
export type ReadCustom = (
  type: CustomType,
  at: { readonly namespace: string; readonly name: string },
) => Promise<unknown>;

const flux: CustomType = { group: "kustomize.toolkit.fluxcd.io", version: "v1", plural: "kustomizations" };
const argo: CustomType = { group: "argoproj.io", version: "v1alpha1", plural: "applications" };

interface KustomizationObject {
  readonly spec?: { readonly path?: string; readonly [field: string]: unknown };
  readonly status?: { readonly lastAppliedRevision?: string };
}

interface ApplicationObject {
  readonly spec?: { readonly source?: { readonly path?: string }; readonly [field: string]: unknown };
  readonly status?: { readonly sync?: { readonly status?: string; readonly revision?: string } };
}

/** The marks that the controllers leave on what they apply name the object, and the object names the path. */
export async function entryOf(read: ReadCustom, workload: LiveWorkload, cluster: string): Promise<Entry> {
  const name = workload.labels?.["kustomize.toolkit.fluxcd.io/name"];
  const namespace = workload.labels?.["kustomize.toolkit.fluxcd.io/namespace"];
  if (name !== undefined && namespace !== undefined) {
    const found = (await read(flux, { namespace, name })) as KustomizationObject | undefined;
    const object = `Kustomization ${namespace}/${name}`;
    return { tool: "flux", path: trimmed(found?.spec?.path), cluster, object, ...specOf(found?.spec) };
  }
  const tracked =
    workload.annotations?.["argocd.argoproj.io/tracking-id"]?.split(":")[0] ??
    workload.labels?.["argocd.argoproj.io/instance"];
  if (tracked !== undefined) {
    // An Application outside Argo CD's own namespace is tracked as `namespace_name`.
    const [application = "", home = "argocd"] = tracked.split("_").reverse();
    const found = (await read(argo, { namespace: home, name: application })) as ApplicationObject | undefined;
    return {
      tool: "argocd",
      path: trimmed(found?.spec?.source?.path),
      cluster,
      object: `Application ${home}/${application}`,
      ...specOf(found?.spec),
    };
  }
  return { tool: "unknown", path: null, cluster };
}

/** What the controller's object says, which the repository may not show. */
function specOf(spec: Readonly<Record<string, unknown>> | undefined): Pick<Entry, "spec"> {
  return spec === undefined ? {} : { spec };
}

function trimmed(path: string | undefined): string | null {
  return path === undefined ? null : path.replace(/^\.?\//, "").replace(/\/$/, "");
}

/** The commit that Flux or Argo CD applied last. */
export async function appliedRevision(read: ReadCustom, entry: Entry): Promise<AppliedRevision> {
  const [namespace = "", name = ""] = entry.object?.split(" ")[1]?.split("/") ?? [];
  if (entry.tool === "flux") {
    const found = (await read(flux, { namespace, name })) as KustomizationObject | undefined;
    return revisionOf(found?.status?.lastAppliedRevision, "Flux has not applied anything yet");
  }
  if (entry.tool === "argocd") {
    const found = (await read(argo, { namespace, name })) as ApplicationObject | undefined;
    const synced = found?.status?.sync?.status === "Synced";
    return revisionOf(synced ? found.status?.sync?.revision : undefined, "Argo CD says the application is not synced");
  }
  return { kind: "unknown", because: "no GitOps controller marks this workload as its own" };
}

/** Flux writes `main@sha1:<sha>`, Argo CD the bare sha. */
function revisionOf(text: string | undefined, otherwise: string): AppliedRevision {
  const sha = /(?:^|sha1:)([0-9a-f]{40})$/.exec(text ?? "")?.[1];
  return sha === undefined ? { kind: "unknown", because: otherwise } : { kind: "applied", sha };
}
