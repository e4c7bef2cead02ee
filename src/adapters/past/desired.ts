import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Rendered } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import { entriesOf } from "../../manifests/gitops/entries.ts";
import { Refused } from "../../ports/errors.ts";
import { type Desired, isOf } from "./cluster.ts";

export interface DesiredSources {
  readonly cluster: string;
  readonly render: (tree: Tree, entry: Entry) => Promise<Rendered>;
  /** Where the live object says today that it comes from: asked only where the repository says several places. */
  readonly marks?: ((workload: Workload) => Promise<Entry | undefined>) | undefined;
}

/** Which entry of a tree makes a workload. What was found in one tree is tried first in the next. */
export function desiredIn(sources: DesiredSources): (tree: Tree, workload: Workload) => Promise<Desired> {
  const last = new Map<string, { readonly place: string; readonly among: string }>();
  return async (tree, workload) => {
    const entries = entriesOf(tree);
    const among = entries.map(placeOf).join("\n");
    const key = workloadKey(workload);
    const known = last.get(key);
    const again = known?.among === among ? entries.filter((entry) => placeOf(entry) === known.place) : [];
    const found = (await making(tree, again, workload, sources))[0] ?? (await search(tree, workload, sources));
    last.set(key, { place: placeOf(found.entry), among });
    return found;
  };
}

async function search(tree: Tree, workload: Workload, sources: DesiredSources): Promise<Desired> {
  const all = await making(tree, entriesOf(tree), workload, sources);
  const declared = all.filter(({ entry }) => entry.tool === "flux" || entry.tool === "argocd");
  const some = declared.length > 0 ? declared : all;
  const here = some.filter(({ entry }) => entry.cluster === sources.cluster);
  const [only, ...others] = here.length > 0 ? here : some;
  if (only !== undefined && others.length === 0) return only;
  const marked = await sources.marks?.(workload);
  const meant = some.find(({ entry }) => marked?.object !== undefined && entry.object === marked.object);
  if (meant !== undefined) return meant;
  const key = workloadKey(workload);
  if (only === undefined) throw new Refused(`no entry of the repository made ${key} at that time`);
  const places = [only, ...others].map(({ entry }) => entry.object ?? entry.path ?? "?").slice(0, 4);
  throw new Refused(`several entries of the repository made ${key} at that time: ${places.join(", ")}`);
}

async function making(
  tree: Tree,
  entries: readonly Entry[],
  workload: Workload,
  { render }: DesiredSources,
): Promise<readonly Desired[]> {
  const found: Desired[] = [];
  for (const entry of entries) {
    const rendered = await render(tree, entry);
    if (rendered.kind === "rendered" && rendered.objects.some((object) => isOf(object, workload)))
      found.push({ entry, objects: rendered.objects });
  }
  return found;
}

function placeOf({ tool, path, object, cluster }: Entry): string {
  return [tool, path ?? "", object ?? "", cluster ?? ""].join(" ");
}
