import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { ChartTools, Rendered } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { baselineOf } from "../charts/prepared-release.ts";
import { releasesOf } from "../helm/releases.ts";
import { nameOf } from "../repository/resource.ts";
import { whereIs } from "../repository/refusal.ts";
import { entryBuildOf } from "../trace/entry-build.ts";
import { namespaceOf } from "../gitops/controllers.ts";
import { asInCluster, type SurveyQuestion, surveyQuestions } from "./survey-questions.ts";

/** What an entry makes, asked about as a cluster that runs it would. */
interface EntryQuestions {
  readonly questions: readonly SurveyQuestion[];
  /** What of it is unknown, and why: releases by file and line, or the entry itself where there is no name. */
  readonly unrendered: readonly { readonly release?: string; readonly because: string }[];
}

/**
 * Everything that may be asked about the workloads of an entry that was rendered, and about those of its releases.
 * A chart whose Application says more than a whole build follows is templated as `locate` does it.
 */
export async function entryQuestions(
  { tree, entry }: { readonly tree: Tree; readonly entry: Entry },
  rendered: Rendered,
  charts: ChartTools | undefined,
): Promise<EntryQuestions> {
  if (rendered.kind === "rendered") {
    const own = surveyQuestions(tree, entry, rendered.objects);
    const hasReleases = rendered.objects.some(({ kind }) => kind === "HelmRelease");
    const made = hasReleases && charts ? await releaseQuestions(tree, entry, charts) : undefined;
    return { questions: [...own, ...(made?.questions ?? [])], unrendered: made?.unrendered ?? [] };
  }
  const made = entry.tool === "argocd" && charts ? await releaseQuestions(tree, entry, charts) : undefined;
  // Charts without workloads ask nothing, and are known all the same.
  if (made !== undefined && made.templated > 0) return made;
  return { questions: [], unrendered: [{ because: made?.unrendered[0]?.because ?? rendered.because }] };
}

interface ReleaseQuestions extends EntryQuestions {
  /** How many releases were rendered. */
  readonly templated: number;
}

/**
 * Everything that may be asked about the workloads of an entry's HelmReleases, or of the chart that the entry itself is
 * (Argo CD), each rendered once for all of them.
 */
async function releaseQuestions(tree: Tree, written: Entry, tools: ChartTools): Promise<ReleaseQuestions> {
  const entry = asInCluster(tree, written);
  const namespace = namespaceOf(tree, entry);
  const nobody = { kind: "", name: "", namespace };
  const question = { entry, workload: nobody, change: { kind: "replicas" as const, to: 0 } };
  const entryBuild = entry.path === null ? undefined : entryBuildOf(tree, question, entry.path);
  const questions: SurveyQuestion[] = [];
  const unrendered: { release: string; because: string }[] = [];
  let templated = 0;
  if (entryBuild === undefined || "kind" in entryBuild) return { questions, unrendered, templated };
  for (const release of releasesOf(entryBuild)) {
    const { resource } = release;
    const isOwn = entry.tool === "argocd" && resource === undefined && release.directory === entryBuild.path;
    if (resource?.kind !== "HelmRelease" && !isOwn) continue;
    const made = await baselineOf(entryBuild, release, tools);
    if ("impossible" in made) {
      unrendered.push({ release: whereIs(release.origin), because: made.impossible });
      continue;
    }
    templated += 1;
    const known = resource === undefined ? {} : { labels: { "helm.toolkit.fluxcd.io/name": nameOf(resource) } };
    for (const asked of surveyQuestions(tree, entry, made.objects, release.namespace ?? namespace))
      questions.push({ ...asked, workload: { ...asked.workload, ...known } });
  }
  return { questions, unrendered, templated };
}
