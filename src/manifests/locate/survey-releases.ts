import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { ChartTools } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { baselineOf } from "../charts/prepared-release.ts";
import { releasesOf } from "../helm/releases.ts";
import { nameOf } from "../repository/resource.ts";
import { whereIs } from "../repository/refusal.ts";
import { entryBuildOf } from "../trace/entry-build.ts";
import { namespaceOf } from "../gitops/controllers.ts";
import { type SurveyQuestion, surveyQuestions } from "./survey-questions.ts";

/** What the HelmReleases of an entry make, asked about as a cluster that runs it would. */
interface ReleaseQuestions {
  readonly questions: readonly SurveyQuestion[];
  /** Releases whose workloads are unknown, by file and line, and why. */
  readonly unrendered: readonly { readonly release: string; readonly because: string }[];
}

/** Everything that may be asked about the workloads of an entry's HelmReleases, each rendered once for all of them. */
export async function releaseQuestions(tree: Tree, entry: Entry, tools: ChartTools): Promise<ReleaseQuestions> {
  const namespace = namespaceOf(tree, entry);
  const nobody = { kind: "", name: "", namespace };
  const question = { entry, workload: nobody, change: { kind: "replicas" as const, to: 0 } };
  const scene = entry.path === null ? undefined : entryBuildOf(tree, question, entry.path);
  const questions: SurveyQuestion[] = [];
  const unrendered: { release: string; because: string }[] = [];
  if (scene === undefined || "kind" in scene) return { questions, unrendered };
  for (const release of releasesOf(scene)) {
    const { resource } = release;
    if (resource?.kind !== "HelmRelease") continue;
    const made = await baselineOf(scene, release, tools);
    if ("impossible" in made) {
      unrendered.push({ release: whereIs(release.origin), because: made.impossible });
      continue;
    }
    const labels = { "helm.toolkit.fluxcd.io/name": nameOf(resource) };
    for (const asked of surveyQuestions(tree, entry, made.objects, release.namespace ?? namespace))
      questions.push({ ...asked, workload: { ...asked.workload, labels } });
  }
  return { questions, unrendered };
}
