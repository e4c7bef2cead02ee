import type { ManifestEdit, ObjectChange, WantedChange } from "../../../domain/kubernetes/manifest-edit.ts";
import { canonicalText, changesBetween, spelledOut } from "../../../domain/kubernetes/object-changes.ts";
import { type ChartTools, type RenderedObject, objectKey } from "../../../domain/kubernetes/rendered.ts";
import { overlaid } from "../../../domain/kubernetes/tree.ts";
import { indexAfter } from "../../gitops/gitops.ts";
import { refused, type Refusal } from "../../repository/refusal.ts";
import { releasesOf } from "../../helm/releases.ts";
import { type EntryBuild, entryBuildOf } from "../../trace/entry-build.ts";
import { type Budget, spend, tagOf } from "../experiment.ts";
import { type Baseline, preparedRelease } from "../prepared-release.ts";
import { hasUnseenValues } from "../release-values.ts";
import type { RenderedField } from "../rendered-field.ts";
import { clusterDoubt, otherClusters } from "./cluster-doubt.ts";

type Edit = Extract<ManifestEdit, { kind: "edit" }>;

/** Where a release stands among those of its entry. */
export interface Place {
  readonly entryBuild: EntryBuild;
  readonly position: number;
  readonly baseline: Baseline;
}

/** Applies the edit and renders the release again: exactly the wanted field of the wanted object may differ. */
export async function confirmed(
  place: Place,
  edit: Edit,
  field: RenderedField,
  { tools, budget }: { readonly tools: ChartTools; readonly budget: Budget },
): Promise<Edit | Refusal> {
  const { entryBuild, position, baseline } = place;
  const again = sceneAfter(entryBuild, edit);
  const release = again && releasesOf(again)[position];
  if (!again || !release) return refused("ambiguous", "after the edit the release is no longer found", byHand);
  const prepared = await preparedRelease(again, release, tools);
  if ("impossible" in prepared) return notRendered(prepared.impossible);
  const after = await spend(budget, prepared.tools, prepared.build);
  if (after.kind === "unsupported") return notRendered(after.because);
  const { change } = entryBuild.question;
  const all = changesBetween(baseline.objects, after.objects);
  const changes = await withoutChance(place, all, field, budget);
  if (changes.length === 0)
    return refused("ambiguous-values-key", `${edit.owners[0]?.field} changes nothing that the chart makes`, byHand);
  const stranger = changes.find((one) => !isMeant(one, field, change));
  if (stranger) {
    const because = `${edit.owners[0]?.field} in ${edit.files[0]?.path} also moves ${said(stranger)}`;
    return refused("shared-source", because, "Give this field a value of its own in the chart first.");
  }
  if (!baseline.certain) {
    // What Kustomize adds is seen where the entry is rendered.
    if (!hasUnseenValues(baseline.release)) return edit;
    const warning = "the chart was rendered without what only the cluster adds, so it is no proof";
    return { ...edit, warnings: [...edit.warnings, warning] };
  }
  const isKept = (base: Baseline, made: readonly ObjectChange[], there: RenderedField): Promise<boolean> =>
    isWanted({ ...place, baseline: base }, made, there, budget);
  const { limited, isSpent } = withinBudget(baseline, budget);
  const asked =
    (await clusterDoubt(limited, field)) ??
    (await otherClusters({ ...place, baseline: limited }, prepared.build, isKept));
  const doubt = asked ?? (isSpent() ? "the chart would have to be rendered too often for a proof" : undefined);
  if (doubt !== undefined) return { ...edit, warnings: [...edit.warnings, doubt] };
  const drawn = all.filter((one) => !changes.includes(one)).map((one) => ({ object: one.object, field: one.field }));
  return { ...edit, rendered: { with: baseline.with, changes, ...(drawn.length > 0 ? { byChance: drawn } : {}) } };
}

/** The same release, whose renderings count; what the budget did not reach has not been seen. */
function withinBudget(baseline: Baseline, budget: Budget): { limited: Baseline; isSpent: () => boolean } {
  let isSpent = false;
  const template: ChartTools["template"] = (build) => {
    isSpent ||= budget.left <= 0;
    return spend(budget, baseline.tools, build);
  };
  return { limited: { ...baseline, tools: { ...baseline.tools, template } }, isSpent: () => isSpent };
}

const notRendered = (because: string): Refusal =>
  refused("ambiguous", `with the new value the chart does not render: ${because}`, byHand);

/** Whether these changes are the wanted one and no other, but for what the chart draws by chance. */
async function isWanted(
  place: Place,
  changes: readonly ObjectChange[],
  field: RenderedField,
  budget: Budget,
): Promise<boolean> {
  const left = await withoutChance(place, changes, field, { left: Math.max(1, budget.left) });
  return left.length > 0 && left.every((one) => isMeant(one, field, place.entryBuild.question.change));
}

const byHand = "Make this change by hand.";

/** Charts that draw passwords or certificates differ from one rendering to the next: that is nobody's change. */
async function withoutChance(
  { baseline, entryBuild }: Place,
  changes: readonly ObjectChange[],
  field: RenderedField,
  budget: Budget,
): Promise<readonly ObjectChange[]> {
  if (changes.every((one) => isMeant(one, field, entryBuild.question.change))) return changes;
  const twin = await spend(budget, baseline.tools, { ...baseline.build, fresh: true });
  if (twin.kind === "unsupported") return changes;
  const chance = changesBetween(baseline.objects, twin.objects);
  const drawn = new Set(chance.map(said));
  const born = new Set(chance.filter(comes).map(nameless));
  return changes.filter((one) => !drawn.has(said(one)) && !(comes(one) && born.has(nameless(one))));
}

/** An object with a name that the chart draws comes under another one each time, and is the same but for it. */
const comes = ({ field, from }: ObjectChange): boolean => field.length === 0 && from === undefined;

const nameless = ({ object, to }: ObjectChange): string => canonicalText(to).replaceAll(object.name, "");

const said = ({ object, field }: ObjectChange): string =>
  `${object.kind} ${object.name} ${field.length === 0 ? "as a whole" : field.join(".")}`;

function isMeant(change: ObjectChange, { object, path }: RenderedField, wanted: WantedChange): boolean {
  if (!isOf(change.object, object)) return false;
  if (wanted.kind !== "image-tag") {
    const { field, to } = spelledOut(change);
    return field.join("/") === path.join("/") && String(to) === String(wanted.to);
  }
  const isImage = /^spec\/(?:.*\/)?(?:initC|c)ontainers\/\d+\/image$/.test(change.field.join("/"));
  return isImage && tagOf(String(change.to)) === wanted.to && withoutTag(change.from) === withoutTag(change.to);
}

const withoutTag = (image: unknown): string => String(image).replace(/:[^/:]*$/, "");

function isOf({ apiVersion, kind, namespace, name }: ObjectChange["object"], object: RenderedObject): boolean {
  return objectKey(object) === `${apiVersion}/${kind} ${namespace}/${name}`;
}

/** The same entry in the tree with the edit; the repository is not read again for it. */
function sceneAfter(entryBuild: EntryBuild, edit: Edit): EntryBuild | undefined {
  const tree = overlaid(entryBuild.tree, Object.fromEntries(edit.files.map(({ path, after }) => [path, after])));
  const index = indexAfter(
    tree,
    entryBuild.index,
    edit.files.map((file) => file.path),
  );
  const { deployer } = entryBuild;
  const own =
    deployer &&
    index.deployers.find(
      (one) => one.kind === deployer.kind && one.name === deployer.name && one.file === deployer.file,
    );
  const known = entryBuild.ancestors.length > 0 ? { own } : {};
  const again = entryBuildOf(tree, entryBuild.question, entryBuild.path, known);
  return "kind" in again ? undefined : again;
}
