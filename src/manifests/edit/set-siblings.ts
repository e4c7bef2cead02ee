import { posix } from "node:path";
import { isRecord } from "../../domain/kubernetes/rendered.ts";
import { type ControllerObject, controllerObjects, nameIn } from "../gitops/controllers.ts";
import { sourcesOf } from "../gitops/sets/sources.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { itemsAt, textAt } from "../yaml/source.ts";

/**
 * Another Application of the set that makes this one, where it reads a file of values as well, for people. What a set
 * makes of clusters nobody knows here: a file that it names without a variable serves all of them.
 */
export function readBySibling(entryBuild: EntryBuild, file: string): string | undefined {
  const { declared: set, deployer } = entryBuild;
  if (set?.kind !== "ApplicationSet") return undefined;
  const made = controllerObjects(entryBuild.tree).filter((one) => one.set === set.name && one.entry.file === set.file);
  const isOwn = ({ entry }: ControllerObject) => nameIn(entry.object)?.name === deployer?.name;
  const here = `ApplicationSet ${set.name} (${set.file})`;
  if (!made.some(isOwn)) return namedForAll(entryBuild, file) ? here : undefined;
  const readers = made.filter(({ spec }) => valueFilesIn(spec).includes(file));
  const sibling = readers.find((one) => !isOwn(one));
  return sibling
    ? `${sibling.entry.object} of ${here}`
    : readers.some((one) => one.several === true)
      ? here
      : undefined;
}

function namedForAll({ declared: set }: EntryBuild, file: string): boolean {
  return (
    set !== undefined &&
    sourcesOf(set).some((source) =>
      itemsAt(source, ["helm", "valueFiles"]).some((item) => {
        const written = inTree(textAt(source, ["path"]) ?? "", textAt(item, []) ?? "");
        return written === file;
      }),
    )
  );
}

/** The files of values that an Application names, as paths of the repository. */
export function valueFilesIn({ source, sources }: Readonly<Record<string, unknown>>): string[] {
  const all = (Array.isArray(sources) ? (sources as unknown[]) : [source]).filter(isRecord);
  return all.flatMap(({ path, helm }) => {
    const files = isRecord(helm) && Array.isArray(helm.valueFiles) ? helm.valueFiles.map(String) : [];
    return files.map((name) => inTree(String(path ?? ""), name));
  });
}

const inTree = (directory: string, name: string): string =>
  /^\$|^\//.test(name) ? name.replace(/^\$[\w-]+/, "").slice(1) : posix.join(directory, name);
