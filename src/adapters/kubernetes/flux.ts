import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { AppliedRevision } from "../../domain/kubernetes/workload-state.ts";
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

const kustomizations: CustomType = { group: "kustomize.toolkit.fluxcd.io", version: "v1", plural: "kustomizations" };
const releases: CustomType = { group: "helm.toolkit.fluxcd.io", version: "v2", plural: "helmreleases" };
const source = { group: "source.toolkit.fluxcd.io", version: "v1" };
const charts: CustomType = { ...source, plural: "helmcharts" };
const repositories: CustomType = { ...source, plural: "gitrepositories" };

interface SourceRef {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

interface Reconciled {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

interface Kustomization extends CustomObject {
  readonly spec?: { readonly path?: string; readonly suspend?: boolean; readonly sourceRef?: SourceRef };
  readonly status?: Reconciled & {
    readonly lastAppliedRevision?: string;
    /** Of an OCI artifact: the commit that it was made of, where whoever pushed it said so. */
    readonly lastAppliedOriginRevision?: string;
  };
}

interface HelmRelease extends CustomObject {
  readonly spec?: {
    readonly suspend?: boolean;
    readonly chart?: { readonly spec?: { readonly sourceRef?: SourceRef } };
  };
  readonly status?: Reconciled & { readonly helmChart?: string; readonly lastAttemptedRevision?: string };
}

interface HelmChart extends CustomObject {
  readonly status?: {
    readonly observedSourceArtifactRevision?: string;
    readonly artifact?: { readonly revision?: string };
  };
}

/** The Kustomization that applied this, or the HelmRelease that installed it and the Kustomization that applied that. */
export async function fluxEntry(
  read: ReadCustom,
  labels: Readonly<Record<string, string>>,
): Promise<Pick<Entry, "path" | "object" | "repository" | "spec" | "release"> | undefined> {
  const own = placeIn(labels, kustomizations.group);
  if (own) return kustomizationEntry(read, own);
  const release = placeIn(labels, releases.group);
  if (release === undefined) return undefined;
  const found = (await read.one(releases, release)) as HelmRelease | undefined;
  const by = placeIn(found?.metadata?.labels ?? {}, kustomizations.group);
  if (by === undefined) return undefined;
  return { ...(await kustomizationEntry(read, by)), release: `HelmRelease ${release.namespace}/${release.name}` };
}

function placeIn(labels: Readonly<Record<string, string>>, group: string): At | undefined {
  const [name, namespace] = [labels[`${group}/name`], labels[`${group}/namespace`]];
  return name === undefined || namespace === undefined ? undefined : { namespace, name };
}

async function kustomizationEntry(
  read: ReadCustom,
  at: At,
): Promise<Pick<Entry, "path" | "object" | "repository" | "spec">> {
  const found = (await read.one(kustomizations, at)) as Kustomization | undefined;
  const repository = await addressOf(read, found?.spec?.sourceRef, at);
  const path = found?.spec?.path;
  return {
    // Without a path Flux applies the root of its source.
    path: found === undefined ? null : (path ?? ".").replace(/^(\.?\/)+/, "").replace(/\/$/, "") || ".",
    object: `Kustomization ${at.namespace}/${at.name}`,
    ...(repository === undefined ? {} : { repository }),
    ...(found?.spec === undefined ? {} : { spec: maskedSpec({ ...found.spec }) }),
  };
}

async function addressOf(read: ReadCustom, ref: SourceRef | undefined, { namespace }: At): Promise<string | undefined> {
  if (ref?.kind !== "GitRepository" || ref.name === undefined) return undefined;
  const found = await read.one(repositories, { namespace: ref.namespace ?? namespace, name: ref.name });
  return (found as { readonly spec?: { readonly url?: string } } | undefined)?.spec?.url;
}

/** The commit that Flux applied last for this entry, and for its release the one that its chart is of. */
export async function fluxRevision(read: ReadCustom, at: At, { release }: Entry): Promise<AppliedRevision> {
  const name = `Kustomization ${at.namespace}/${at.name}`;
  const found = (await read.one(kustomizations, at)) as Kustomization | undefined;
  if (found === undefined) return { kind: "unknown", because: `there is no ${name}` };
  const { status, spec } = found;
  const trouble = spec?.suspend === true ? `${name} is suspended` : notReady(name, status);
  const sha = commitIn(status?.lastAppliedRevision) ?? commitIn(status?.lastAppliedOriginRevision);
  if (sha === undefined) {
    return { kind: "unknown", because: trouble ?? withoutCommit(status?.lastAppliedRevision) };
  }
  const applied: AppliedRevision = { kind: "applied", sha, ...(trouble === undefined ? {} : { because: trouble }) };
  return release === undefined ? applied : released(read, release, applied);
}

function withoutCommit(revision: string | undefined): string {
  if (revision === undefined) return "Flux has not applied anything yet";
  return `Flux applied ${quoted(revision)}, which names no commit: push the artifact with --revision (flux push artifact)`;
}

/** The release has taken in what was applied, and a chart from Git is of a commit of its own. */
async function released(
  read: ReadCustom,
  release: string,
  applied: Extract<AppliedRevision, { kind: "applied" }>,
): Promise<AppliedRevision> {
  const found = (await read.one(releases, placeOf(release.split(" ")[1]))) as HelmRelease | undefined;
  const because = found === undefined ? `there is no ${release}` : troubleOf(release, found);
  if (because !== undefined) return { kind: "unknown", because };
  if (found?.spec?.chart?.spec?.sourceRef?.kind !== "GitRepository") return applied;
  const chartSha = await chartCommit(read, found);
  return chartSha === undefined
    ? { kind: "unknown", because: `${release} has not installed the newest chart from Git yet` }
    : { ...applied, chartSha };
}

function placeOf(text = ""): At {
  const [namespace = "", name = ""] = text.split("/");
  return { namespace, name };
}

function troubleOf(release: string, { metadata, spec, status }: HelmRelease): string | undefined {
  if (spec?.suspend === true) return `${release} is suspended`;
  const seen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
  return notReady(release, status) ?? (seen ? undefined : `${release} has not seen its newest spec yet`);
}

/** The commit of the chart that is installed; undefined while a newer one waits. */
async function chartCommit(read: ReadCustom, { status }: HelmRelease): Promise<string | undefined> {
  const chart = ((await read.one(charts, placeOf(status?.helmChart))) as HelmChart | undefined)?.status;
  const isInstalled = chart?.artifact?.revision === status?.lastAttemptedRevision;
  return isInstalled ? commitIn(chart?.observedSourceArtifactRevision) : undefined;
}

/** "waiting for dependencies" and the like, in the controller's own words. */
function notReady(name: string, status: Reconciled | undefined): string | undefined {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  if (ready === undefined || ready.status === "True") return undefined;
  return `${name}: ${ready.reason ?? "not ready"}: ${quoted(ready.message)}`;
}
