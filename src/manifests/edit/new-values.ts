import type { ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import { controllerObjects } from "../gitops/controllers.ts";
import { namesOf } from "../gitops/links.ts";
import type { Release } from "../helm/releases.ts";
import { refused } from "../repository/refusal.ts";
import { directoryOf } from "../repository/reader.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { deployedTwice, includedBy, sharedWith } from "../trace/sharing.ts";
import { fileGuard } from "../yaml/guards.ts";
import { renderYaml } from "../yaml/yaml.ts";
import { valuesUsedBy } from "./helm.ts";
import { valueFilesIn } from "./set-siblings.ts";

/** A file of values that says nothing yet; the chart's own is one that no release names. */
interface NewValues {
  readonly file: string;
  readonly isOwn: boolean;
}

/**
 * The value in a file that is not there yet, or that says nothing: it stands beside its siblings, and only this
 * release reads it. Undefined where that is not so.
 */
export function inNewValues(
  entryBuild: EntryBuild,
  release: Release,
  path: readonly (string | number)[],
  { file, isOwn }: NewValues,
): ManifestEdit | undefined {
  if (release.packed !== undefined || path.some((step) => typeof step === "number")) return undefined;
  const before = textOf(entryBuild, file);
  const hasSiblings =
    before !== null || entryBuild.reader.list(directoryOf(file)).some((name) => /\.ya?ml$/.test(name));
  if (!hasSiblings || (isOwn ? isOwnOfOthers : isReadByOthers)(entryBuild, release, file)) return undefined;
  const guard = fileGuard(file, before ?? "");
  if (guard) return refused(guard.reason, `${file}:${guard.line} says: ${guard.text}`, "Ask its owners first.");
  const written = renderYaml(
    path.reduceRight<unknown>((inner, step) => ({ [String(step)]: inner }), entryBuild.question.change.to),
  );
  const above = before === null || before === "" || before.endsWith("\n") ? (before ?? "") : `${before}\n`;
  const because = `${file} is the file of values that only this release reads`;
  return {
    kind: "edit",
    files: [{ path: file, before, after: above + written }],
    owners: [{ path: file, field: path.join("."), because }],
    warnings: [],
  };
}

function textOf(entryBuild: EntryBuild, file: string): string | null {
  const bytes = entryBuild.tree.read(file);
  return bytes === undefined ? null : new TextDecoder().decode(bytes);
}

/** Somebody else who reads the chart's own values; other releases of the chart were asked for before. */
function isOwnOfOthers(entryBuild: EntryBuild, release: Release, file: string): boolean {
  const included = release.directory === entryBuild.path ? includedBy(entryBuild, file) : sharedWith(entryBuild, file);
  return (included ?? valuesUsedBy(entryBuild, release, file)) !== undefined;
}

/** Another release of the repository that names the file. What a set makes must be known one by one. */
function isReadByOthers(entryBuild: EntryBuild, release: Release, file: string): boolean {
  const names = namesOf(entryBuild.tree, file);
  const isRead = (read: readonly string[]) => names.some((name) => read.includes(name));
  const readers = controllerObjects(entryBuild.tree).filter(({ spec }) => isRead(valueFilesIn(spec)));
  const isSet = entryBuild.declared?.kind === "ApplicationSet";
  if (readers.length > 1 || readers.some((one) => one.several === true) || (isSet && readers.length === 0)) return true;
  // Several applications of one chart are told apart by the value files that they name.
  const isTwice = release.directory !== entryBuild.path && deployedTwice(entryBuild) !== undefined;
  return isTwice || valuesUsedBy(entryBuild, release, file) !== undefined;
}
