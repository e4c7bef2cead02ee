import { proofOf } from "../../domain/kubernetes/effect.ts";
import type { Effect, Entry, ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import type { ChartTools, Rendered } from "../../domain/kubernetes/rendered.ts";
import { overlaid, type Tree } from "../../domain/kubernetes/tree.ts";
import { entriesOf, othersOf } from "../gitops/entries.ts";
import { deducedEntry } from "../trace/entry.ts";
import { locate } from "./locate.ts";
import { locateByRendering } from "./locate-by-rendering.ts";
import { affectedEntries } from "../gitops/reach.ts";
import { refused, type Refusal } from "../repository/refusal.ts";
import type { FieldQuestion } from "../trace/entry-build.ts";

/** Renders one entry of a tree. Never throws for what is in the tree: what cannot be rendered is `unsupported`. */
export type Render = (tree: Tree, entry: Entry) => Promise<Rendered>;

export type Edit = Extract<ManifestEdit, { kind: "edit" }>;

/** The edit with the proof of its effect, or the refusal with its reason. */
export type Answer = (Edit & { readonly effect: Effect }) | Refusal;

/**
 * Locates the field that Git owns and proves the edit: this entry and every other one that reads an edited file is
 * rendered before and after, and exactly the wanted field of this one may differ. The one way from a question to bytes,
 * for the bot's plan as for the command line. With `charts` the key of a chart is found by experiment.
 */
export async function answerQuestion(
  tree: Tree,
  asked: FieldQuestion,
  render: Render,
  charts?: ChartTools,
): Promise<Answer> {
  const path = asked.entry.path ?? deducedEntry(tree, asked);
  if (typeof path !== "string") return path;
  const question = { ...asked, entry: { ...asked.entry, path } };
  const edit = charts ? await locateByRendering(tree, question, charts) : locate(tree, question);
  if (edit.kind === "refused") return edit;
  const proof = await proveEdit(tree, { question, edit }, render);
  if (proof.kind === "proven") return { ...edit, effect: proof.effect };
  return refused("ambiguous", `the edit was not what it should be: ${proof.because}`, "Make this change by hand.");
}

async function proveEdit(before: Tree, { question, edit }: { question: FieldQuestion; edit: Edit }, render: Render) {
  const after = overlaid(before, Object.fromEntries(edit.files.map((file) => [file.path, file.after])));
  const paths = edit.files.map((file) => file.path);
  const { workload, change, entry } = question;
  const touched = othersOf(affectedEntries(after, entriesOf(before), paths), entry);
  const both = async (at: Entry) => ({
    entry: at,
    before: await render(before, at),
    after: await render(after, at),
  });
  const others = [];
  for (const other of touched) others.push(await both(other));
  return proofOf({ target: await both(entry), others, wanted: { workload, change }, shown: edit.rendered });
}
