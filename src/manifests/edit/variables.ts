import type { ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import { editOf, guarded } from "./edit.ts";
import { insertAt } from "./overlay.ts";
import { refused, whereIs } from "../repository/refusal.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { deployedTwice } from "../trace/sharing.ts";
import type { ScalarNode } from "../yaml/source.ts";
import { replaceScalar } from "../yaml/splice.ts";

/** A field that Flux fills in after the build: its owner is the variable in the Kustomization that deploys the entry. */
export function editVariable(scene: EntryBuild, leaf: ScalarNode, value: string | number): ManifestEdit {
  const [, name, fallback] = /^\$\{(\w+)(:[=-][^}]*)?\}$/.exec(leaf.text) ?? [];
  const where = `${whereIs(leaf)} takes its value from ${leaf.text}`;
  const { deployer } = scene;
  if (name === undefined || deployer?.kind !== "Kustomization") {
    return refused("template", where, "Change the variable where the cluster gets it from.");
  }
  const uses = usesOf(scene, name);
  if (uses !== 1)
    return refused("shared-source", `${where}, which is used ${uses} times`, "Give this field a variable of its own.");
  const rival = deployedTwice(scene);
  if (rival !== undefined)
    return refused("shared-source", `${where}, set for ${rival} too`, "Set the variable for one cluster only.");
  const owner = {
    path: deployer.file,
    field: `spec.postBuild.substitute.${name}`,
    because: `${where}, and ${deployer.file} sets that variable`,
  };
  const variable = scene.variables.get(name);
  const guard = guarded(scene, variable ?? deployer.node);
  if (guard) return guard;
  if (variable)
    return editOf(scene, replaceScalar(variable, variable.style === "plain" ? value : String(value)), owner);
  if (fallback === undefined)
    return refused("other-source", `${where}, which is set outside this Kustomization`, "Change it where it is set.");
  return editOf(scene, insertAt(deployer.node, ["spec", "postBuild", "substitute", name], String(value)), owner);
}

function usesOf(scene: EntryBuild, name: string): number {
  const pattern = new RegExp(`\\$\\{${name}[}:]`, "g");
  let uses = 0;
  for (const path of scene.build.files) {
    const bytes = scene.tree.read(path);
    if (bytes) uses += new TextDecoder().decode(bytes).match(pattern)?.length ?? 0;
  }
  return uses;
}
