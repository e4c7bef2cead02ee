import type { ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import { controllerObjects } from "../gitops/controllers.ts";
import { namesOf } from "../gitops/links.ts";
import type { Release } from "../helm/releases.ts";
import { refused } from "../repository/refusal.ts";
import { directoryOf } from "../repository/reader.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { deployedTwice } from "../trace/sharing.ts";
import { fileGuard } from "../yaml/guards.ts";
import { renderYaml } from "../yaml/yaml.ts";
import { valuesUsedBy } from "./helm.ts";
import { valueFilesIn } from "./set-siblings.ts";

/**
 * The value in the file that the release reads last of those that are not there yet, or that say nothing: it stands
 * beside its siblings, and only this release reads it. Undefined where there is no such file.
 */
export function inNewValues(
  scene: EntryBuild,
  release: Release,
  path: readonly (string | number)[],
  value: string | number,
): ManifestEdit | undefined {
  const file = release.open.at(-1);
  if (file === undefined || release.packed !== undefined || path.some((step) => typeof step === "number"))
    return undefined;
  const before = textOf(scene, file);
  const hasSiblings = before !== null || scene.reader.list(directoryOf(file)).some((name) => /\.ya?ml$/.test(name));
  if (!hasSiblings || isReadByOthers(scene, release, file)) return undefined;
  const guard = fileGuard(file, before ?? "");
  if (guard) return refused(guard.reason, `${file}:${guard.line} says: ${guard.text}`, "Ask its owners first.");
  const written = renderYaml(path.reduceRight<unknown>((inner, step) => ({ [String(step)]: inner }), value));
  const above = before === null || before === "" || before.endsWith("\n") ? (before ?? "") : `${before}\n`;
  const because = `${file} is the file of values that only this release reads`;
  return {
    kind: "edit",
    files: [{ path: file, before, after: above + written }],
    owners: [{ path: file, field: path.join("."), because }],
    warnings: [],
  };
}

function textOf(scene: EntryBuild, file: string): string | null {
  const bytes = scene.tree.read(file);
  return bytes === undefined ? null : new TextDecoder().decode(bytes);
}

/** Another release of the repository that names the file. What a set makes must be known one by one. */
function isReadByOthers(scene: EntryBuild, release: Release, file: string): boolean {
  const names = namesOf(scene.tree, file);
  const isRead = (read: readonly string[]) => names.some((name) => read.includes(name));
  const readers = controllerObjects(scene.tree).filter(({ spec }) => isRead(valueFilesIn(spec)));
  const isSet = scene.declared?.kind === "ApplicationSet";
  if (readers.length > 1 || readers.some((one) => one.several === true) || (isSet && readers.length === 0)) return true;
  // Several applications of one chart are told apart by the value files that they name.
  const isTwice = release.directory !== scene.path && deployedTwice(scene) !== undefined;
  return isTwice || valuesUsedBy(scene, release, file) !== undefined;
}
