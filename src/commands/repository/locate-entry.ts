import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";
import { entriesOf } from "../../manifests/gitops/entries.ts";
import { namespaceOf } from "../../manifests/gitops/controllers.ts";
import { withMadeDeployers } from "../../manifests/locate/made-deployers.ts";
import { entryQuestions } from "../../manifests/locate/survey-releases.ts";
import type { Tools } from "./tools.ts";

/**
 * What makes a workload, for a question that does not say it: every entry is rendered and looked at, as a name alone may
 * stand in a base and in each of its overlays.
 */
export async function entriesThatMake(
  written: Tree,
  { kind, namespace, name }: Pick<LiveWorkload, "kind" | "namespace" | "name">,
  { render, charts }: Pick<Tools, "render" | "charts">,
): Promise<readonly Entry[]> {
  const { tree } = await withMadeDeployers(written, render);
  const makers: Entry[] = [];
  for (const entry of entriesOf(tree)) {
    const rendered = await render(tree, entry);
    const outside = namespaceOf(tree, entry);
    const isMade =
      rendered.kind === "rendered" &&
      rendered.objects.some(
        (one) => one.kind === kind && one.metadata.name === name && (one.metadata.namespace ?? outside) === namespace,
      );
    const isAsked = async () =>
      (await entryQuestions({ tree, entry }, rendered, charts)).questions.some(
        ({ workload }) => workload.kind === kind && workload.name === name && workload.namespace === namespace,
      );
    if (isMade || (await isAsked())) makers.push(entry);
  }
  return makers;
}

/** `Kustomization flux-system/shop (manifests/shop)`, for people. */
export function entryName({ object, path, cluster }: Entry): string {
  const place = object === undefined ? `${path}` : `${object} (${path})`;
  return cluster === undefined ? place : `${place} in ${cluster}`;
}
