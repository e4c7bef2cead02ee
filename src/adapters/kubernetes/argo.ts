import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { AppliedRevision } from "../../domain/kubernetes/workload-state.ts";
import type { LiveWorkload, Workload } from "../../domain/kubernetes/workload.ts";
import { maskedSpec } from "../../manifests/gitops/live-spec.ts";
import {
  type At,
  commitIn,
  type Condition,
  type CustomObject,
  type CustomType,
  quoted,
  type ReadCustom,
} from "./custom.ts";

const applications: CustomType = { group: "argoproj.io", version: "v1alpha1", plural: "applications" };

interface Source {
  readonly repoURL?: string;
  readonly path?: string;
  readonly chart?: string;
  /** Others read their values from it by this name. */
  readonly ref?: string;
}

interface Revisions {
  readonly revision?: string;
  /** One for each of several sources. */
  readonly revisions?: readonly string[];
}

interface Application extends CustomObject {
  readonly spec?: {
    readonly source?: Source;
    readonly sources?: readonly Source[];
    readonly syncPolicy?: { readonly automated?: object | null };
  };
  readonly status?: {
    readonly sync?: Revisions & { readonly status?: string };
    readonly resources?: readonly (Partial<Workload> & { readonly status?: string })[];
    readonly history?: readonly Revisions[];
    readonly operationState?: { readonly phase?: string; readonly message?: string };
    readonly conditions?: readonly Condition[];
  };
}

// Where Argo CD keeps its applications unless told otherwise.
const usualNamespace = "argocd";

/**
 * The application that keeps this workload. Argo CD marks what it applies by an annotation, by a label whose name can be
 * chosen, or by both; many charts set the same label. So a mark only says where to look first, and the application's own
 * list of resources decides.
 */
export async function applicationOf(read: ReadCustom, workload: LiveWorkload): Promise<Application | undefined> {
  const tracked = workload.annotations?.["argocd.argoproj.io/tracking-id"]?.split(":")[0];
  const labelled = workload.labels?.["argocd.argoproj.io/instance"] ?? workload.labels?.["app.kubernetes.io/instance"];
  const marks = [tracked, labelled].filter((mark) => mark !== undefined);
  for (const mark of marks) {
    const found = (await read.one(applications, placeOf(mark))) as Application | undefined;
    if (found && (mark === tracked || keeps(found, workload))) return found;
  }
  const all = ((await read.all(applications)) ?? []) as readonly Application[];
  const keeping = all.filter((one) => keeps(one, workload));
  const named = keeping.filter(({ metadata }) => marks.some((mark) => placeOf(mark).name === metadata?.name));
  if (keeping.length <= 1 || named.length === 1) return named[0] ?? keeping[0];
  return undefined;
}

/** An application outside Argo CD's own namespace is called `namespace_name` in its marks. */
function placeOf(mark: string): At {
  const [, namespace, name] = /^([^_]+)_(.+)$/.exec(mark) ?? [];
  return namespace === undefined || name === undefined
    ? { namespace: usualNamespace, name: mark }
    : { namespace, name };
}

function keeps({ status }: Application, workload: Workload): boolean {
  return resourceOf(status, workload) !== undefined;
}

function resourceOf(status: Application["status"], { kind, namespace, name }: Workload) {
  return status?.resources?.find((one) => one.kind === kind && one.namespace === namespace && one.name === name);
}

/** Where it reads the desired state from: of several sources the one that is a directory of Git. */
export function argoEntry(
  found: Application,
  isOurs: (repository: string) => boolean,
): Pick<Entry, "path" | "object" | "repository" | "spec"> {
  const sources = sourcesOf(found);
  const directories = sources.filter(({ chart, path }) => chart === undefined && path !== undefined);
  const own = directories.filter(({ repoURL }) => isOurs(repoURL ?? ""));
  const source = own[0] ?? (directories.length > 0 ? directories[0] : sources[0]);
  const { namespace = usualNamespace, name = "" } = found.metadata ?? {};
  return {
    path: source?.path === undefined ? null : source.path.replace(/^\.?\//, "").replace(/\/$/, ""),
    object: `Application ${namespace}/${name}`,
    ...(source?.repoURL === undefined ? {} : { repository: source.repoURL }),
    ...(found.spec === undefined ? {} : { spec: maskedSpec({ ...found.spec }) }),
  };
}

/** The application itself, with the repositories that it reads values from. */
export async function chartApplication(
  read: ReadCustom,
  at: At,
): Promise<{ readonly object: LiveWorkload; readonly values: readonly string[] } | undefined> {
  const found = (await read.one(applications, at)) as Application | undefined;
  if (found === undefined) return undefined;
  const { labels, annotations } = found.metadata ?? {};
  const marks = { ...(labels === undefined ? {} : { labels }), ...(annotations === undefined ? {} : { annotations }) };
  return {
    object: { kind: "Application", ...at, ...marks },
    values: sourcesOf(found).flatMap(({ ref, repoURL }) =>
      ref === undefined || repoURL === undefined ? [] : [repoURL],
    ),
  };
}

function sourcesOf({ spec }: Application): readonly Source[] {
  return spec?.sources ?? (spec?.source === undefined ? [] : [spec.source]);
}

/**
 * The commit that reached this application, even while something else in it is out of sync: what our workload was
 * compared with and equals, what the whole was synced to, or else the last sync that succeeded.
 */
export async function argoRevision(read: ReadCustom, at: At, entry: Entry): Promise<AppliedRevision> {
  const found = (await read.one(applications, at)) as Application | undefined;
  if (found === undefined) return { kind: "unknown", because: `there is no Application ${at.namespace}/${at.name}` };
  const { status } = found;
  const index = Math.max(
    0,
    sourcesOf(found).findIndex((source) => source.repoURL === entry.repository && isAt(source, entry)),
  );
  const own = entry.workload && resourceOf(status, entry.workload);
  const compared =
    own?.status === "Synced" || status?.sync?.status === "Synced" ? shaOf(status?.sync, index) : undefined;
  const sha = compared ?? shaOf(status?.history?.at(-1), index);
  const because = troubleOf(found);
  if (sha === undefined) return { kind: "unknown", because: `Argo CD has not synced the application yet${because}` };
  return { kind: "applied", sha, ...(because === "" ? {} : { because: because.slice(2) }) };
}

function isAt(source: Source, { path }: Entry): boolean {
  return path === null || source.path?.replace(/^\.?\//, "").replace(/\/$/, "") === path;
}

function shaOf(given: Revisions | undefined, index: number): string | undefined {
  return commitIn(given?.revisions === undefined ? given?.revision : given.revisions[index]);
}

/** What keeps it from syncing, in its own words; empty = nothing. */
function troubleOf({ spec, status }: Application): string {
  const { phase = "", message } = status?.operationState ?? {};
  if (["Failed", "Error", "Running"].includes(phase)) return `: ${phase}: ${quoted(message)}`;
  const error = status?.conditions?.find(({ type = "" }) => type.endsWith("Error"));
  if (error) return `: ${error.type}: ${quoted(error.message)}`;
  const manual = status?.sync?.status !== "Synced" && spec?.syncPolicy?.automated == null;
  return manual ? ": it syncs by hand, and nobody did" : "";
}
