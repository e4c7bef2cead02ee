import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";
import type { AppliedRevision } from "../../domain/kubernetes/workload-state.ts";
import { applicationOf, argoEntry, argoRevision, chartApplication } from "./argo.ts";
import type { ReadCustom } from "./custom.ts";
import { fluxEntry, fluxRevision } from "./flux.ts";

/** What is known of the place that is asked about. */
interface Place {
  readonly cluster: string;
  /** True for the address of a repository that we work on. */
  readonly isOurs: (repository: string) => boolean;
}

/** The marks that the controllers leave on what they apply lead to the object, and the object names path and repository. */
export async function entryOf(read: ReadCustom, live: LiveWorkload, { cluster, isOurs }: Place): Promise<Entry> {
  const { kind, namespace, name } = live;
  const about = { cluster, workload: { kind, namespace, name } };
  const flux = await fluxEntry(read, live.labels ?? {});
  if (flux) return { tool: "flux", ...flux, ...placeOf(flux.repository, isOurs), ...about };
  const application = await applicationOf(read, live);
  if (application) {
    const entry = argoEntry(application, isOurs);
    // A chart comes from no repository of ours in any case: its values stand where the Application does.
    return { tool: "argocd", ...entry, ...(entry.path === null ? {} : placeOf(entry.repository, isOurs)), ...about };
  }
  return { tool: "unknown", path: null, cluster };
}

/** A source without an address may be ours. */
function placeOf(repository: string | undefined, isOurs: Place["isOurs"]): Pick<Entry, "elsewhere"> {
  return repository === undefined || isOurs(repository) ? {} : { elsewhere: true };
}

// An application of applications of applications.
const deepest = 3;

/**
 * The repository that decides the values of a chart which an Application installs: the one that it reads values from, or
 * else the one that declares it. Undefined where nobody knows, as of what an ApplicationSet makes.
 */
export async function declaredIn(read: ReadCustom, entry: Entry, isOurs: Place["isOurs"]): Promise<string | undefined> {
  if (entry.tool !== "argocd") return undefined;
  let at = placeIn(entry);
  for (let depth = 0; depth < deepest; depth += 1) {
    const found = await chartApplication(read, at);
    if (found === undefined) return undefined;
    const values = found.values.find(isOurs) ?? found.values[0];
    if (values !== undefined) return values;
    const flux = await fluxEntry(read, found.object.labels ?? {});
    if (flux) return flux.repository;
    const parent = await applicationOf(read, found.object);
    if (parent === undefined) return undefined;
    const above = argoEntry(parent, isOurs);
    if (above.path !== null) return above.repository;
    at = placeIn(above);
  }
  return undefined;
}

function placeIn({ object }: Pick<Entry, "object">) {
  const [namespace = "", name = ""] = object?.split(" ")[1]?.split("/") ?? [];
  return { namespace, name };
}

/** The commit that Flux or Argo CD applied last. */
export async function appliedRevision(read: ReadCustom, entry: Entry): Promise<AppliedRevision> {
  if (entry.tool === "flux") return fluxRevision(read, placeIn(entry), entry);
  if (entry.tool === "argocd") return argoRevision(read, placeIn(entry), entry);
  return { kind: "unknown", because: "no GitOps controller marks this workload as its own" };
}
