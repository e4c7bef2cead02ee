import type { ManifestEdit, OwnerLink } from "../../domain/kubernetes/manifest-edit.ts";
import { fieldComment, fileGuard } from "../yaml/guards.ts";
import { isMadePlace } from "../gitops/controllers.ts";
import { proven } from "./proof.ts";
import { directoryOf, joinPath } from "../repository/reader.ts";
import { alreadySaid, refused, type Refusal, whereIs } from "../repository/refusal.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { at, lineOf, type Node } from "../yaml/source.ts";
import type { Splice } from "../yaml/splice.ts";

/** What stands against writing at a place, whoever owns it: generated files, guards, anchors, broken documents. */
export function guarded(entryBuild: EntryBuild, node: Node): Refusal | undefined {
  const { path, text } = node.file;
  const file = fileGuard(path, text, node);
  if (file) {
    const fix =
      file.reason === "generated-file"
        ? "Change what generates the file."
        : "Ask its owners, or lift the comment first.";
    return refused(file.reason, `${path}:${file.line} says: ${file.text}`, fix);
  }
  const program = jsonnetBeside(entryBuild, path);
  if (program !== undefined)
    return refused(
      "generated-file",
      `${program} is Jsonnet beside ${path}, which it seems to make`,
      "Change the Jsonnet source.",
    );
  const comment = fieldComment(node);
  if (comment) {
    const fix =
      comment.reason === "image-automation"
        ? "Change the ImagePolicy that writes this line, or suspend the automation."
        : "Decide whether the comment still holds and make the change by hand.";
    return refused(comment.reason, `${path}:${comment.line} says: ${comment.text}`, fix);
  }
  const sealed = sealedBy(node);
  if (sealed) return sealed;
  return brokenDocument(entryBuild, node) ?? sharedAnchor(node);
}

/** SOPS keeps a checksum of the document: any change by others makes it unreadable for the cluster. */
function sealedBy(node: Node): Refusal | undefined {
  let root = node;
  while (root.parent) root = root.parent;
  const mac = at(root, ["sops", "mac"]);
  return (
    mac && refused("generated-file", `${whereIs(mac)} seals the file with SOPS`, "Make this change with `sops edit`.")
  );
}

/** Projects like kube-prometheus keep what Jsonnet made in a directory `manifests` beside the source. */
function jsonnetBeside(entryBuild: EntryBuild, path: string): string | undefined {
  const directory = directoryOf(path);
  const places = directory.endsWith("manifests") ? [directory, directoryOf(directory)] : [directory];
  for (const place of places) {
    const found = entryBuild.reader.list(place).find((name) => name.endsWith(".jsonnet"));
    if (found !== undefined) return joinPath(place, found);
  }
  return undefined;
}

function sharedAnchor(node: Node): Refusal | undefined {
  for (let around: Node | undefined = node; around; around = around.parent) {
    if (around.aliased !== true) continue;
    const because = `${whereIs(around)} carries the anchor &${around.anchor}, which is used elsewhere in the file`;
    return refused("shared-anchor", because, "Write the value out at this place, without the alias, then ask again.");
  }
  return undefined;
}

function brokenDocument(entryBuild: EntryBuild, node: Node): Refusal | undefined {
  const source = entryBuild.reader.file(node.file.path);
  if (!source?.ok) return undefined;
  let root = node;
  while (root.parent) root = root.parent;
  const duplicate = source.file.documents.find((document) => document.root === root)?.duplicate;
  if (!duplicate) return undefined;
  const because = `${node.file.path}:${lineOf(node.file.text, duplicate.at)} gives the key ${duplicate.key} twice, which Kubernetes refuses`;
  return refused("parse-error", because, "Remove one of the two keys first.");
}

/** An edit of one file, once it is proven that only the wanted place changes. */
export function editOf(
  entryBuild: EntryBuild,
  splice: Splice | undefined,
  owner: OwnerLink,
  warnings: readonly string[] = [],
): ManifestEdit {
  const unable = (why: string): Refusal => refused("parse-error", `${owner.path}: ${why}`, "Make this change by hand.");
  if (!splice) return unable(`${owner.field} is written in a style that cannot be changed in place`);
  const source = entryBuild.reader.file(splice.path);
  if (isMadePlace(splice.path))
    return refused(
      "template",
      `${owner.field} stands in no file of its own: it is ${splice.path}`,
      "Change the values or files from which that is made.",
    );
  if (!source?.ok) return unable("the file cannot be read");
  if (source.file.text.slice(splice.start, splice.end) === splice.text) {
    const because = `${splice.path}:${lineOf(source.file.text, splice.start)} already says ${splice.text}`;
    return alreadySaid(because);
  }
  const result = proven(splice.path, source.file.text, splice);
  if (!result.ok) return unable(result.problem);
  return {
    kind: "edit",
    files: [{ path: splice.path, before: source.file.text, after: result.after }],
    owners: [owner],
    warnings,
  };
}
