import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { nameIn, plainPath } from "../gitops/controllers.ts";
import type { Deployer, RepositoryIndex } from "../gitops/gitops.ts";
import { sourcesOf } from "../gitops/sets/sources.ts";
import { at, textAt } from "../yaml/source.ts";

/** Why what an entry's object adds to its path is not known here, for people: it is elsewhere, or it reads other files. */
export function whyUnseen({ deployers }: RepositoryIndex, { object = "", path }: Entry): string {
  const wanted = nameIn(object);
  const kind = object.split(" ")[0];
  const fits = (one: Deployer) =>
    one.name === wanted?.name &&
    one.kind === kind &&
    (one.namespace === undefined || wanted.namespace === undefined || one.namespace === wanted.namespace);
  const written = deployers.find(fits);
  if (written === undefined) return `${object} is not in the repository, so what it adds to its path is unknown`;
  const name = `${object} (${written.file})`;
  if (at(written.node, ["spec", "sourceHydrator"]) !== undefined)
    return `${name} applies what its source hydrator writes to another branch, and that is not rendered here`;
  const source = at(written.node, ["spec", "sourceRef"]);
  const from = textAt(source, ["kind"]);
  if (from !== undefined && from !== "GitRepository")
    return `${name} takes its files from ${from} ${textAt(source, ["name"]) ?? ""}, and nobody here knows that they are those of this branch`;
  const packed = written.kind === "Application" ? sourcesOf(written).find(isPacked) : undefined;
  if (packed) return `${name} takes its files from ${textAt(packed, ["repoURL"])}, which is no Git repository`;
  const places = written.paths.map((one) => one || ".").join(", ") || "no path of this repository";
  return `${name} deploys ${places}, and not ${plainPath(path) ?? "what was asked"}`;
}

const isPacked = (source: Parameters<typeof textAt>[0]): boolean =>
  textAt(source, ["repoURL"])?.startsWith("oci://") === true;
