import { proofOf } from "../../domain/kubernetes/effect.ts";
import type { Effect, Entry, ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import type { ChartTools } from "../../domain/kubernetes/rendered.ts";
import { overlaid, realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import { controllerObjectOf } from "../gitops/controllers.ts";
import { entriesOf, othersOf, soleDeployer } from "../gitops/entries.ts";
import { indexOf } from "../gitops/gitops.ts";
import { tooManyNames } from "../gitops/links.ts";
import { heldAnywhere } from "../arrival/held.ts";
import { patchedEntry } from "../trace/deployed/effective.ts";
import { deducedEntry } from "../trace/entry.ts";
import { locate } from "./locate.ts";
import { locateByRendering } from "./locate-by-rendering.ts";
import { type Render, type WholeTree, withMadeDeployers } from "./made-deployers.ts";
import { affectedEntries } from "../gitops/reach.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import { whyUnseen } from "./unseen.ts";
import type { FieldQuestion } from "../trace/entry-build.ts";
import { isExercise } from "../trace/sharing.ts";

export type { Render };

type Edit = Extract<ManifestEdit, { kind: "edit" }>;

/** The edit with the proof of its effect, or the refusal with its reason. */
export type Answer = (Edit & { readonly effect: Effect }) | Refusal;

/**
 * Locates the field that Git owns and proves the edit: this entry and every other one that reads an edited file is
 * rendered before and after, and exactly the wanted field of this one may differ. The one way from a question to bytes,
 * for the bot's plan as for the command line. With `charts` the key of a chart is found by experiment.
 */
export async function answerQuestion(
  written: Tree,
  asked: FieldQuestion,
  render: Render,
  charts?: ChartTools,
): Promise<Answer> {
  const { tree, hidden } = await withMadeDeployers(written, render);
  const deduced = asked.entry.path === null ? deducedEntry(tree, asked) : { path: asked.entry.path };
  if ("reason" in deduced) return deduced;
  const question = { ...asked, entry: { ...asked.entry, path: deduced.path } };
  const found = charts ? await locateByRendering(tree, question, charts) : locate(tree, question);
  if (found.kind === "refused")
    return found.reason === "not-found" ? brokenBuild(tree, question, found, render) : found;
  const edit = behindLinks(tree, found);
  if (edit.kind === "refused") return edit;
  const proof = await proveEdit(tree, { question, edit, hidden, unreached: deduced.unreached }, render);
  return "reason" in proof ? proof : { ...edit, warnings: [...edit.warnings, ...alsoRetagged(proof)], effect: proof };
}

/** One item of images moves every container that runs the image: people should know. */
function alsoRetagged({ changes }: Effect): string[] {
  const images = changes.filter(({ field }) => field.at(-1) === "image");
  return images.length < 2 ? [] : [`${images.length} containers run this image, and all of them change`];
}

/** Nothing is found in what does not build: then that is what people must know, in the builder's own words. */
async function brokenBuild(tree: Tree, { entry }: FieldQuestion, found: Refusal, render: Render): Promise<Refusal> {
  const built = await render(tree, declaredEntry(tree, entry).entry);
  if (built.kind === "rendered") return found;
  const { because } = built;
  const isBroken = /\berror\b/i.test(because) || /: (?:Invalid input|expected|not exactly one document)/i.test(because);
  if (!isBroken) return { ...found, because: `${found.because} (and ${entry.path} was not rendered: ${because})` };
  return refused("parse-error", `${entry.path} does not build: ${because}`, "Repair it first.");
}

/** The edit of the files themselves: written by its name, a symbolic link would become a file. */
function behindLinks({ links }: Tree, edit: Edit): Edit | Refusal {
  if (links === undefined) return edit;
  const lost = edit.files.find(({ path }) => links.real(path) === undefined);
  if (lost)
    return refused(
      "other-source",
      `${lost.path} is behind a symbolic link that leads out of the repository or in a circle`,
      "Let the link lead to a file of this repository.",
    );
  const real = <Placed extends { readonly path: string }>(one: Placed): Placed => ({
    ...one,
    path: realPath({ links }, one.path),
  });
  return { ...edit, files: edit.files.map(real), owners: edit.owners.map(real) };
}

interface Proving {
  readonly question: FieldQuestion;
  readonly edit: Edit;
  readonly hidden: WholeTree["hidden"];
  /** Why what nobody named is perhaps not applied. */
  readonly unreached: string | undefined;
}

async function proveEdit(before: Tree, proving: Proving, render: Render): Promise<Effect | Refusal> {
  const { question, edit } = proving;
  const after = overlaid(before, Object.fromEntries(edit.files.map((file) => [file.path, file.after])));
  const paths = edit.files.map((file) => file.path);
  const { workload, change } = question;
  const target = declaredEntry(before, edit.shows?.entry ?? question.entry);
  const touched = othersOf(affectedEntries(before, entriesOf(before), paths), target.entry);
  const others = [];
  for (const other of touched.filter((one) => !isExercise(before, target.entry, one)))
    others.push(await bothSides(other, { before, after, paths }, render));
  const object = edit.shows?.object;
  const own = await bothSides(target.entry, { before, after, paths }, render);
  const proof = proofOf({
    target: own,
    others,
    wanted: { workload, change, ...(object ? { object } : {}) },
    shown: edit.rendered,
  });
  const many = paths.map((path) => tooManyNames(before, path)).find((one) => one !== undefined);
  if (proof.kind === "refused")
    return refused("ambiguous", `the edit was not what it should be: ${proof.because}`, "Make this change by hand.");
  const held = await heldAnywhere(
    after,
    { question, shows: object, target: target.entry, rendered: own.after, moved: proof.moved },
    render,
  );
  if (held && "reason" in held) return held;
  const readers = proving.hidden(paths);
  const because =
    edit.unproven ??
    target.unseen ??
    many ??
    hiddenReader(before, target.entry, readers) ??
    // Who reads it without being seen may be who deploys it.
    (readers.length === 0 ? proving.unreached : undefined) ??
    held?.doubt;
  return because === undefined ? proof.effect : { ...proof.effect, proof: { kind: "static", because } };
}

interface Trees {
  readonly before: Tree;
  readonly after: Tree;
  /** What differs. */
  readonly paths: readonly string[];
}

async function bothSides(entry: Entry, trees: Trees, render: Render) {
  const spec = entry.spec ?? controllerObjectOf(trees.before, entry)?.spec;
  const patched = patchedEntry(trees.before, entry);
  const after =
    patched === entry ? entry : patchedEntry(trees.after, entry, { tree: trees.before, paths: trees.paths });
  return {
    entry: { ...entry, ...(spec === undefined ? {} : { spec }) },
    before: await render(trees.before, patched),
    after: await render(trees.after, after),
  };
}

/**
 * The repository's object for an entry, where it holds one. An object that only the cluster has, and of which nobody
 * said what it adds, may add something: what is rendered then is no proof.
 */
function declaredEntry(tree: Tree, entry: Entry): { readonly entry: Entry; readonly unseen?: string } {
  const declared = controllerObjectOf(tree, entry)?.entry ?? soleDeployer(tree, entry);
  if (declared) return { entry: { ...declared, ...(entry.spec ? { spec: entry.spec } : {}) } };
  const { object, ...rest } = entry;
  if (object === undefined || entry.spec !== undefined) return { entry };
  return { entry: rest, unseen: whyUnseen(indexOf(tree), entry) };
}

/** Who may read the edited file without being seen: one of those is what deploys an entry that nobody declares. */
function hiddenReader(tree: Tree, entry: Entry, all: ReturnType<WholeTree["hidden"]>): string | undefined {
  const isDeclared = (controllerObjectOf(tree, entry) ?? soleDeployer(tree, entry)) !== undefined;
  const own = isDeclared ? undefined : all.findIndex(({ mayDeploy }) => mayDeploy);
  return all.find((_, n) => n !== own)?.because;
}

/** The entry as the proof of an edit renders it: who judges the edit must look at the same objects. */
export function provenEntry(tree: Tree, entry: Entry): Entry {
  return declaredEntry(tree, entry).entry;
}
