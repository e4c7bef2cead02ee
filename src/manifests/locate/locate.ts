import type { Entry, ManifestEdit, ShownAt, WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";
import { heldOnTheWay } from "../arrival/way/on-the-way.ts";
import { absence, unreadable } from "./absence.ts";
import { deducedEntry } from "../trace/entry.ts";
import { editField, fieldPath } from "../edit/field.ts";
import { helmAnswer } from "../edit/helm.ts";
import { notApplied } from "./applied.ts";
import { operatorField } from "../trace/operators.ts";
import { refused, whereIs } from "../repository/refusal.ts";
import { nameOf, type Resource } from "../repository/resource.ts";
import { askedScaler, liveName, scaledByAnother, sizedByAnother } from "../trace/scalers.ts";
import { childBuilds, type EntryBuild, entryBuildOf } from "../trace/entry-build.ts";
import { targetOf } from "./target.ts";

/**
 * From a live workload and a wanted change to the bytes of the file that Git really owns, or a refusal with the reason.
 * Wrong is worse than nothing: whenever two answers fit, it refuses.
 */
export function locate(
  tree: Tree,
  question: { readonly workload: LiveWorkload; readonly change: WantedChange; readonly entry: Entry },
): ManifestEdit {
  return locateWith(tree, question, helmAnswer);
}

/** What the charts of an entry say about its question; undefined when no release makes the workload. */
type AskCharts = (entryBuild: EntryBuild) => ManifestEdit | undefined;

/** The same with another way to ask charts. */
export function locateWith(tree: Tree, question: EntryBuild["question"], charts: AskCharts): ManifestEdit {
  const deduced = question.entry.path === null ? deducedEntry(tree, question) : { path: question.entry.path };
  if ("reason" in deduced) return deduced;
  const entryBuild = entryBuildOf(tree, question, deduced.path);
  return "kind" in entryBuild
    ? entryBuild
    : (answer(entryBuild, charts) ?? answerBelow(entryBuild, charts) ?? absence(entryBuild));
}

/** The answer of one entry; undefined when the workload is not among what it makes. */
function answer(entryBuild: EntryBuild, charts: AskCharts): ManifestEdit | undefined {
  const found = answerOf(entryBuild, charts);
  return found && provable(entryBuild, found);
}

/** An edit that does not reach what deploys the entry is none, and one of which nobody can tell is no proven one. */
export function provable(entryBuild: EntryBuild, edit: ManifestEdit): ManifestEdit {
  if (edit.kind === "refused") return edit;
  const files = edit.files.map(({ path }) => path);
  const held = heldOnTheWay(entryBuild, files);
  if (held && "reason" in held) return held;
  const unproven = entryBuild.unproven ?? held?.doubt;
  return unproven === undefined ? edit : { ...edit, unproven };
}

function answerOf(entryBuild: EntryBuild, charts: AskCharts): ManifestEdit | undefined {
  const cycle = entryBuild.build.cycles[0];
  if (cycle)
    return refused(
      "parse-error",
      `${cycle.path}:${cycle.line} includes ${cycle.reference}, which includes it again`,
      "Break the cycle.",
    );
  const unread = unreadable(entryBuild);
  if (unread) return unread;
  const { workload, change } = entryBuild.question;
  if (change.kind === "hpa" || change.kind === "scaled-object") {
    const scaler = askedScaler(entryBuild, change);
    if (!scaler) return charts(entryBuild);
    return "reason" in scaler ? scaler : edited(entryBuild, scaler);
  }
  if (change.kind === "replicas") {
    if (["DaemonSet", "Job", "CronJob"].includes(workload.kind))
      return refused("not-found", `a ${workload.kind} has no replicas`, "Nothing to scale here.");
    const another = scaledByAnother(entryBuild);
    if (another) return another;
  }
  const another = change.kind === "resources" ? sizedByAnother(entryBuild) : undefined;
  if (another) return another;
  const target = targetOf(entryBuild);
  if (target) return "reason" in target ? target : edited(entryBuild, target);
  const operated = operatorField(entryBuild);
  if (operated) {
    const field = operated.path.join(".");
    const edit = notApplied(entryBuild, operated.resource) ?? editField(entryBuild, operated.resource, operated.path);
    return shownAt(edit, { object: { ...objectOf(operated.resource), field } });
  }
  return workload.ownerReferences?.length ? undefined : charts(entryBuild);
}

function edited(entryBuild: EntryBuild, resource: Resource): ManifestEdit {
  if (resource.deletedBy) {
    return refused(
      "deliberately-disabled",
      `${whereIs(resource.deletedBy)} deletes ${resource.kind} ${liveName(entryBuild, resource)} from this entry`,
      "Drop the delete patch first.",
    );
  }
  const obstacle = notApplied(entryBuild, resource);
  if (obstacle) return obstacle;
  const path = fieldPath(entryBuild, resource);
  if ("kind" in path) return path;
  const { kind, name } = entryBuild.question.workload;
  const isItself = resource.kind === kind && liveName(entryBuild, resource) === name;
  const edit = editField(entryBuild, resource, path);
  return isItself ? edit : shownAt(edit, { object: objectOf(resource) });
}

const objectOf = (resource: Resource) => ({ kind: resource.kind, name: nameOf(resource) });

function shownAt(edit: ManifestEdit, shows: ShownAt): ManifestEdit {
  return edit.kind === "edit" ? { ...edit, shows: { ...edit.shows, ...shows } } : edit;
}

/** The entry that an object of another one deploys. */
function entryIn({ path, deployer, question }: EntryBuild): Entry {
  const tool = deployer?.kind === "Kustomization" ? "flux" : deployer ? "argocd" : "kustomize";
  const { cluster } = question.entry;
  const object = deployer && { object: `${deployer.kind} ${deployer.namespace ?? ""}/${deployer.name}` };
  return { tool, path: path === "" ? "." : path, ...(cluster === undefined ? {} : { cluster }), ...object };
}

/** The entry deploys other entries (an app of apps): exactly one of them may answer. */
function answerBelow(entryBuild: EntryBuild, charts: AskCharts): ManifestEdit | undefined {
  const answers: ManifestEdit[] = [];
  for (const child of childBuilds(entryBuild)) {
    const own = answer(child, charts);
    const found = own ? shownAt(own, { entry: entryIn(child) }) : answerBelow(child, charts);
    if (found) answers.push(found);
  }
  const [first, second] = answers;
  if (!first || !second) return first;
  return refused(
    "ambiguous",
    `several entries below ${entryBuild.path} make ${entryBuild.question.workload.name}`,
    "Name the entry that deploys it.",
  );
}
