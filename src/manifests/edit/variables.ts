import type { ManifestEdit, OwnerLink } from "../../domain/kubernetes/manifest-edit.ts";
import { editOf, guarded } from "./edit.ts";
import { insertAt } from "./overlay/insert.ts";
import type { Deployer } from "../gitops/gitops.ts";
import { refused, whereIs } from "../repository/refusal.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { imageName, retagged } from "../trace/images.ts";
import { appliedTwice } from "../trace/sharing.ts";
import { at, type ScalarNode } from "../yaml/source.ts";
import { replaceScalar, type Splice } from "../yaml/splice.ts";

/** A field that Flux fills in after the build: its owner is the variable in the Kustomization that deploys the entry. */
export function editVariable(entryBuild: EntryBuild, leaf: ScalarNode, value: string | number): ManifestEdit {
  const [, image, name, fallback] = /^([^$\s]*:)?\$\{(\w+)(:[=-][^}]*)?\}$/.exec(leaf.text) ?? [];
  const where = `${whereIs(leaf)} takes its value from ${leaf.text}`;
  const { deployer, question } = entryBuild;
  const isTag = question.change.kind === "image-tag";
  if (name === undefined || (image !== undefined && !isTag) || deployer?.kind !== "Kustomization") {
    return refused("template", where, "Change the variable where the cluster gets it from.");
  }
  const uses = usesOf(entryBuild, name);
  if (uses !== 1)
    return refused("shared-source", `${where}, which is used ${uses} times`, "Give this field a variable of its own.");
  const rival = appliedTwice(entryBuild);
  if (rival !== undefined)
    return refused("shared-source", `${where}, set for ${rival} too`, "Set the variable for one cluster only.");
  const owner = {
    path: deployer.file,
    field: `spec.postBuild.substitute.${name}`,
    because: `${where}, and ${deployer.file} sets that variable`,
  };
  const variable = entryBuild.variables.get(name);
  const guard = guarded(entryBuild, variable ?? deployer.node);
  if (guard) return guard;
  const isWholeImage = isTag && image === undefined && at(leaf.parent, ["newTag"]) !== leaf;
  if (variable?.text.includes("@"))
    return refused(
      "digest-pinned",
      `${whereIs(variable)} pins the image by digest`,
      "Give tag and digest together, by hand.",
    );
  if (variable)
    return editOf(entryBuild, isWholeImage ? retag(variable, String(value)) : replaced(variable, value), owner);
  if (fallback === undefined)
    return refused("other-source", `${where}, which is set outside this Kustomization`, "Change it where it is set.");
  const written = isWholeImage ? `${imageName(fallback.slice(2))}:${value}` : String(value);
  return addVariable(entryBuild, deployer, { name, written, owner });
}

interface NewVariable {
  readonly name: string;
  readonly written: string;
  readonly owner: OwnerLink;
}

function addVariable(entryBuild: EntryBuild, { node, name: called }: Deployer, added: NewVariable): ManifestEdit {
  const { name, written, owner } = added;
  const edit = editOf(entryBuild, insertAt(node, ["spec", "postBuild", "substitute", name], written), owner);
  if (edit.kind === "refused" || at(node, ["spec", "postBuild"]) !== undefined) return edit;
  // Flux then fills in every other variable of the entry as well.
  const unproven = `Kustomization ${called} says no postBuild, without which Flux fills in no variable`;
  return { ...edit, unproven };
}

const replaced = (variable: ScalarNode, value: string | number): Splice | undefined =>
  replaceScalar(variable, variable.style === "plain" ? value : String(value));

/** The tag of an image that a variable holds as a whole. */
const retag = (variable: ScalarNode, tag: string): Splice | undefined =>
  retagged(variable, /:[\w][\w.-]*$/.exec(variable.text)?.index, tag);

function usesOf(entryBuild: EntryBuild, name: string): number {
  const pattern = new RegExp(`\\$\\{${name}[}:]`, "g");
  let uses = 0;
  for (const path of entryBuild.build.files) {
    const bytes = entryBuild.tree.read(path);
    if (bytes) uses += new TextDecoder().decode(bytes).match(pattern)?.length ?? 0;
  }
  return uses;
}
