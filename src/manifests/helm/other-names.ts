import { realPath } from "../../domain/kubernetes/tree.ts";
import { plainPath } from "../gitops/controllers.ts";
import type { Deployer } from "../gitops/gitops.ts";
import { sourcesOf } from "../gitops/sets/sources.ts";
import { goesInCircles, namesOf } from "../gitops/links.ts";
import type { EntryBuild } from "../trace/entry-build.ts";
import { type Node, textAt } from "../yaml/source.ts";
import { isTemplate } from "./cluster/template-actions.ts";
import type { Release } from "./releases.ts";

/** The names of one file of values where there are symbolic links. */
interface Names {
  /** Those under which the release itself reads it. */
  readonly own: readonly string[];
  /** One under which somebody else may read it, in the chart's own directory as well. */
  readonly other: string | undefined;
}

/** Under which names a file of values can be read, and by whom. */
export function namesOfValues(entryBuild: EntryBuild, release: Release, path: string): Names {
  const { tree, index } = entryBuild;
  // Flux sees no links: where it alone deploys, nobody reads anything under their names.
  const isByArgo = ({ kind }: Deployer) => kind === "Application" || kind === "ApplicationSet";
  const isFollowed = release.resource?.kind !== "HelmRelease" || index.deployers.some(isByArgo);
  if (tree.links === undefined || !isFollowed) return { own: [path], other: undefined };
  const read = new Set([...release.layers.map(({ named }) => named), ...release.open]);
  const names = namesOf(tree, path);
  const own = names.filter((name) => read.has(name));
  const itself = realPath(tree, path);
  // What a template fills in may be the file's own name.
  const mayNameIt = (name: string) => name === itself && !isOpen(declaring(entryBuild, release));
  const other = names.find((name) => !read.has(name) && !mayNameIt(name) && !goesInCircles(tree, name));
  return { own, other };
}

/** What says which files of values the release reads. */
function declaring({ declared }: EntryBuild, { resource, inflated, origin }: Release): Node | undefined {
  return resource?.node ?? (inflated === true ? origin : declared?.node);
}

const isOpen = (node: Node | undefined): boolean =>
  node === undefined || /\{\{|\$\{/.test(node.file.text.slice(node.start, node.end));

/** A name under which another chart has a template of this one, or under which it is no template. */
export function linkedTemplate(entryBuild: EntryBuild, release: Release, path: string): string | undefined {
  const { tree } = entryBuild;
  const own = [release.directory, ...writtenPaths(entryBuild)].flatMap((one) => (one === undefined ? [] : [one]));
  const isOwn = (name: string) =>
    own.some((directory) => {
      const prefix = directory === "" ? "" : `${directory}/`;
      return name.startsWith(prefix) && isTemplate(name.slice(prefix.length));
    });
  return namesOf(tree, path).find((name) => name !== path && !isOwn(name) && !goesInCircles(tree, name));
}

/** The paths of the entry as its deployer and the question write them: symbolic links perhaps. */
export function writtenPaths({ question, deployer }: EntryBuild): readonly string[] {
  const written = deployer ? sourcesOf(deployer).map((source) => textAt(source, ["path"])) : [];
  return [question.entry.path, ...written, textAt(deployer?.node, ["spec", "path"])].flatMap((path) => {
    const plain = plainPath(path ?? null);
    return plain === null ? [] : [plain === "." ? "" : plain];
  });
}
